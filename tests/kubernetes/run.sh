#!/bin/bash
# run.sh [--program FILE] [TEST...]     every TEST: a file of cases/ without its ending, or FILE.Class.method; by default all
# run.sh [--program FILE] --demo        the add-on installed and used, told as it happens; with KEEP=1 all of it stays
# run.sh [--program FILE] --bench       figures, into docs/benchmarks-kubernetes.md
# run.sh [--program FILE] --timeline    the add-on installed RUNS times (1), and when what happened, in hundredths of a second
# run.sh [--program FILE] --shell N     a shell beside the hub and N managed clusters
#
# Our add-on in real pods: a hub and managed clusters that only dial out, each with a node of its own, on this machine. FILE is
# the program that the image holds, build/release/bin/cluster-proxy by default. Needs root and control groups of version 1.
# Runs in namespaces of its own; nothing outlives it. Logs: build/kubernetes/logs/. Exit code 0: all passed.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
. "$here/../peers/lib/peers.sh"
. "$here/../peers/lib/pairings.sh"
work=$root/build/kubernetes

main() {
  case ${1:-} in
    --inside) inside "${@:2}"; return ;;
    -h | --help) sed -n '2,10s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; return ;;
  esac
  local program=$root/build/release/bin/cluster-proxy
  if [ "${1:-}" = --program ]; then
    program=$(realpath "${2:?--program needs a file}")
    shift 2
  fi
  [ "$(id -u)" = 0 ] || fail "run it as root: nodes need control groups and mounts of their own"
  [ -x "$program" ] || fail "no $program: build it with make, or name it with --program"
  [ -d /sys/fs/cgroup/cpu ] || fail "this machine has version 2 of control groups only, and these nodes have been tried with version 1"
  "$here/programs.sh" >/dev/null
  # The cache's links follow whoever built last; a run keeps the programs that it began with.
  rm -rf "$work/peers"
  mkdir -p "$work"
  cp -a "$peers_bin" "$work/peers"
  require_namespaces
  export E2E_GROUPS=cluster-proxy-e2e.$$
  trap clean_up EXIT
  mkdir -p "$work/state"
  echo $$ >"$work/pid"
  "${apart[@]}" "${BASH_SOURCE[0]}" --inside "$program" "$@"
}

# inside PROGRAM ARGUMENT...: this shell is the first process of its namespaces; whatever is started ends with it.
inside() {
  mount -t tmpfs none /run # network namespaces have their names there
  mount -t tmpfs none "$work/state" # containerd wants a file system that is no overlay
  export PYTHONPATH=$here:$root/tests/ocm:$root/scripts PYTHONDONTWRITEBYTECODE=1
  /usr/bin/python3 -m e2e.main --program "$1" --peers "$work/peers" --state "$work/state" --logs "$work/logs" "${@:2}"
}

# Control groups have no namespace that would take them along; those of this run are empty now.
clean_up() {
  rm -f "$work/pid"
  local attempt
  for attempt in {1..50}; do
    find /sys/fs/cgroup -depth -type d -path "*/$E2E_GROUPS*" -exec rmdir {} + 2>/dev/null || true
    [ -n "$(find /sys/fs/cgroup -type d -name "$E2E_GROUPS" -print -quit)" ] || return 0
    sleep 0.1
  done
  echo "${0##*/}: control groups called $E2E_GROUPS are left under /sys/fs/cgroup" >&2
}

main "$@"
