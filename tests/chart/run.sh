#!/bin/bash
# run.sh [--program FILE] [TEST...]     every TEST: a module of tests/, or module.Class.method; by default all
#
# The chart, by the real helm and a real kube-apiserver, and the image, in a sandbox of its own. FILE is the program that the
# image holds, build/release/bin/cluster-proxy by default. Needs root: the image runs as another user, on a read-only root
# file system. Runs in namespaces of its own, so nothing outlives it. Exit code 0: all passed.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
. "$here/../peers/lib/peers.sh"
. "$here/../peers/lib/pairings.sh"

program=$root/build/release/bin/cluster-proxy

main() {
  if [ "${1:-}" = --inside ]; then inside "${@:2}"; return; fi
  while [ $# -gt 0 ]; do
    case $1 in
      --program) program=$(realpath "${2:?--program needs a file}"); shift ;;
      -h | --help) sed -n '2,6s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; return ;;
      -*) fail "unknown option '$1'; see --help" ;;
      *) break ;;
    esac
    shift
  done
  [ "$(id -u)" = 0 ] || fail "run it as root: the image has to run as a user of its own"
  [ -x "$program" ] || fail "no $program: build it with scripts/build release, or name it with --program"
  "$here/../peers/build.sh" konnectivity kubernetes ocm helm >/dev/null
  require_namespaces
  export CHART_PEERS=$peers_bin CHART_PROGRAM=$program
  "${apart[@]}" "${BASH_SOURCE[0]}" --inside "$@"
}

# inside TEST...: this shell is the first process of its namespaces; whatever is started ends with it.
inside() {
  ip link set lo up
  cd "$here"
  if [ $# = 0 ]; then
    set -- tests/test_*.py
    set -- "${@#tests/}"
  fi
  set -- "${@%.py}"
  PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 -m unittest -v "${@/#/tests.}"
}

main "$@"
