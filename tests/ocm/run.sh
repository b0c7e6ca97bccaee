#!/bin/bash
# run.sh [--ours DIR] [TEST...]       every TEST: a file of scenarios/ without its ending, or FILE.Class.method; by default all
# run.sh [--ours DIR] --demo          from nothing to client-go in two clusters, told as it happens
# run.sh [--ours DIR] --scale N [--json FILE]
#                                     N clusters (objects only) and one manager: a table of times, memory, API calls
# run.sh --shell N                    a shell beside the hub and N joined clusters
#
# Our add-on on a real Open Cluster Management hub. DIR holds our program, build/release/bin by default. Runs in namespaces of
# its own, which needs root or user namespaces; nothing outlives it. Logs: build/ocm/. Exit code 0: all passed.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
. "$here/../peers/lib/peers.sh"
. "$here/../peers/lib/pairings.sh"

main() {
  case ${1:-} in
    --inside) inside "${@:2}"; return ;;
    -h | --help) sed -n '2,9s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; return ;;
  esac
  "$here/../peers/build.sh" kubernetes konnectivity client_go ocm helm >/dev/null
  "$here/old_crds.sh" >/dev/null # inside there is no network to get them from
  require_namespaces
  "${apart[@]}" "${BASH_SOURCE[0]}" --inside "$@"
}

# inside ARGUMENT...: this shell is the first process of its namespaces; whatever is started ends with it.
inside() {
  mount -t tmpfs none /run # network namespaces have their names there, and the clusters their state
  export PYTHONPATH=$here PYTHONDONTWRITEBYTECODE=1
  /usr/bin/python3 -m harness.main --ours "$root/build/release/bin" --peers "$peers_bin" --logs "$root/build/ocm" "$@"
}

main "$@"
