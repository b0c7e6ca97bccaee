#!/bin/bash
# tunnel.sh [--server PATH] [--agent PATH] [PART...]     parts: tokens outage leases counting; all without an argument
#
# Whole programs with a real kube-apiserver: agents let in by TokenReview, the server's lease, the agent counting leases, and
# an API server that goes away. PATH is by default what is in build/release/bin. Runs in namespaces of its own, which needs
# root or user namespaces. Logs: build/kube_tunnel/. Exit code 0: all passed.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
peers=$here/../peers
. "$peers/lib/peers.sh"
. "$peers/lib/pairings.sh"
. "$peers/lib/process.sh"
. "$peers/lib/kube_pki.sh"
. "$here/tunnel_programs.sh"
. "$here/tunnel_tokens.sh"
. "$here/tunnel_leases.sh"
. "$here/tunnel_outage.sh"

main() {
  [ "${1:-}" != --inside ] || { inside "${@:2}"; return; }
  local server=$root/build/release/bin/proxy-server agent=$root/build/release/bin/proxy-agent parts=()
  while [ $# -gt 0 ]; do
    case $1 in
      --server) server=${2:?--server needs a program}; shift ;;
      --agent) agent=${2:?--agent needs a program}; shift ;;
      -h | --help) sed -n '2,6s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 0 ;;
      tokens | outage | leases | counting) parts+=("$1") ;;
      *) fail "unknown argument '$1'; see --help" ;;
    esac
    shift
  done
  [ ${#parts[@]} -gt 0 ] || parts=(tokens outage leases counting)
  server=$(program "$server") agent=$(program "$agent")
  "$peers/build.sh" kubernetes konnectivity >/dev/null
  require_namespaces
  "${apart[@]}" "${BASH_SOURCE[0]}" --inside "$server" "$agent" "${parts[@]}"
}

# inside SERVER AGENT PART...: in a network of its own, where every port is free; whatever is started here ends with this shell.
inside() {
  server=$1 agent=$2 failed=0
  logs=$root/build/kube_tunnel
  rm -rf "$logs"
  mkdir -p "$logs"
  mount -t tmpfs none /run
  ip link set lo up
  make_world
  local part
  for part in "${@:3}"; do "check_$part"; done
  [ ! -s $work/tokens ] || check 'no token is in any log' no_token_in_logs
  "$peers/kube_apiserver.sh" stop "$cluster"
  [ $failed = 0 ] || fail "$failed checks failed; what the programs wrote is in $logs"
}

# check WHAT COMMAND...
check() {
  if "${@:2}"; then
    echo "ok    $1"
  else
    echo "FAIL  $1"
    failed=$((failed + 1))
  fi
}

main "$@"
