#!/bin/bash
# in_cgroups.sh FOLDER... -- COMMAND...: becomes COMMAND, as a member of the control groups FOLDER.
set -euo pipefail
while [ "$1" != -- ]; do
  echo $$ >"$1/cgroup.procs"
  shift
done
shift
exec "$@"
