#!/bin/bash
# run.sh [--program PATH] [PART...]     parts: frontends dial forward proxy bench database browser kubectl operator faults completion; all without an argument
#
# The client's commands as whole programs, with real clients: ssh and sshd, curl, redis-cli, psql and pgbench with a real
# PostgreSQL, Chromium where it is installed, kubectl with a real kube-apiserver; through our server and konnectivity's, by
# HTTP CONNECT and gRPC, TLS and Unix socket; completion in the real shells. PATH is by default
# build/release/bin/cluster-proxy. Runs in namespaces of its own, which needs root or user namespaces. Logs: build/client/.
# Exit code 0: all passed.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
peers=$here/../peers
. "$peers/lib/peers.sh"
. "$peers/lib/pairings.sh"
. "$peers/lib/process.sh"
. "$peers/lib/kube_pki.sh"
. "$here/world.sh"
. "$here/frontends.sh"
. "$here/clients.sh"
. "$here/desktop.sh"
. "$here/operator.sh"
. "$here/shells.sh"

parts=(frontends dial forward proxy bench database browser kubectl operator faults completion)

main() {
  [ "${1:-}" != --inside ] || { inside "${@:2}"; return; }
  local program=$root/build/release/bin/cluster-proxy chosen=()
  while [ $# -gt 0 ]; do
    case $1 in
      --program) program=${2:?--program needs a program}; shift ;;
      -h | --help) sed -n '2,8s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 0 ;;
      *)
        [[ " ${parts[*]} " == *" $1 "* ]] || fail "unknown argument '$1'; see --help"
        chosen+=("$1")
        ;;
    esac
    shift
  done
  [ ${#chosen[@]} -gt 0 ] || chosen=("${parts[@]}")
  program=$(program "$program")
  "$peers/build.sh" kubernetes konnectivity >/dev/null
  require_namespaces
  "${apart[@]}" "${BASH_SOURCE[0]}" --inside "$program" "${chosen[@]}"
}

# inside PROGRAM PART...: in a network of its own, where every port is free; whatever is started here ends with this shell.
inside() {
  program=$1 failed=0
  logs=$root/build/client
  rm -rf "$logs"
  mkdir -p "$logs"
  mount -t tmpfs none /run
  ip link set lo up
  make_world
  local part
  for part in "${@:2}"; do "check_$part"; done
  [ $failed = 0 ] || fail "$failed checks failed; what the programs wrote is in $logs"
}

# check WHAT COMMAND...
check() {
  if "${@:2}" 2>>"$logs/checks"; then
    echo "ok    $1"
  else
    echo "FAIL  $1"
    failed=$((failed + 1))
  fi
}

main "$@"
