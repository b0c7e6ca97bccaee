#!/bin/bash
# client_go.sh --server PATH --agent PATH [--only]: client-go uses a real kube-apiserver through server and agent.
#
# The API server listens on the loopback of a network namespace of its own, so that only the agent, which dials out of there,
# reaches it. Each of the four pairings of {PATH, the reference's own} does all that client-go can (see its --help), in modes grpc
# and http-connect, over TLS and a Unix socket; --only leaves it at the given pair. PATH may be `go` for the reference's own.
# Logs: build/client_go/. Exit code 0: all did. Needs root or user namespaces.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/lib/peers.sh"
. "$here/lib/pairings.sh"
. "$here/lib/process.sh"
. "$here/lib/kube_pki.sh"

logs=$(realpath -m "$here/../../build/client_go")
hub_ip=192.0.2.1
managed_ip=192.0.2.2

main() {
  [ "${1:-}" != --inside ] || { inside "${@:2}"; return; }
  local server='' agent='' only=''
  while [ $# -gt 0 ]; do
    case $1 in
      --server | --agent) [ $# -ge 2 ] || fail "$1 needs a value" ;;&
      --server) server=$(program "$2") && shift ;;
      --agent) agent=$(program "$2") && shift ;;
      --only) only=yes ;;
      -h | --help) usage 0 ;;
      *) usage 2 >&2 ;;
    esac
    shift
  done
  [ -n "$server" ] && [ -n "$agent" ] || usage 2 >&2
  "$here/build.sh" konnectivity kubernetes client_go >/dev/null
  require_namespaces
  "${apart[@]}" "${BASH_SOURCE[0]}" --inside "$(pairings "$server" "$agent" "$only")"
}

usage() {
  sed -n '2,7s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
  exit "$1"
}

# inside PAIRINGS: this shell's network namespace is the hub's; the managed cluster's is called managed.
inside() {
  local server agent mode front failed=0
  mkdir -p "$logs"
  make_networks
  make_certificates
  start_cluster
  while read -r server agent; do
    for mode in grpc http-connect; do
      for front in tls uds; do
        try_pairing "$server" "$agent" $mode $front || failed=$((failed + 1))
      done
    done
  done <<<"$1"
  [ $failed = 0 ] || fail "$failed runs failed; what the programs wrote is in $logs"
}

make_networks() {
  mount -t tmpfs none /run # `ip netns` keeps its names there
  ip netns add managed
  ip link add hub0 type veth peer name managed0 netns managed
  ip link set lo up
  ip address add $hub_ip/30 dev hub0
  ip link set hub0 up
  ip -n managed link set lo up
  ip -n managed address add $managed_ip/30 dev managed0
  ip -n managed link set managed0 up
}

make_certificates() {
  work=/run/work
  mkdir $work
  pki_ca $work ca tunnel
  pki_cert $work server ca /CN=server serverAuth IP:$hub_ip
  pki_cert $work client ca /CN=client clientAuth
}

start_cluster() {
  cluster=$work/cluster
  "$here/kube_apiserver.sh" start $cluster --netns managed
  process_start $work/kubelet.pid "$logs/kubelet.log" ip netns exec managed "$peers_bin/client-go" --kubeconfig $cluster/admin.kubeconfig \
    --kubelet-cert $cluster/pki/kubelet.crt --kubelet-key $cluster/pki/kubelet.key --kubelet-client-ca $cluster/pki/ca.crt kubelet
  wait_until 30 grep -qsx ready "$logs/kubelet.log" || fail "the kubelet was not ready within 30 s; see $logs/kubelet.log"
}

# try_pairing SERVER AGENT MODE FRONT
try_pairing() {
  local log status=0
  log=$logs/$(basename "$1")-$(basename "$2")-$3-$4.log
  start_server "$(executable "$1" server)" "$3" "$4" "$log.server"
  start_agent "$(executable "$2" agent)" "$log.agent"
  { wait_for_agent && use_tunnel "$3" "$4"; } >"$log" 2>&1 || status=1
  process_stop $work/agent.pid 0
  process_stop $work/server.pid 0
  [ $status = 0 ] && printf 'ok    ' || printf 'FAIL  '
  printf 'server %s, agent %s, %s, %s\n' "$1" "$2" "$3" "$4"
  [ $status = 0 ] || sed 's/^/      /' "$log"
  return $status
}

wait_for_agent() {
  wait_until 30 ready_or_ended || { echo "no agent came to the server within 30 s"; return 1; }
  process_alive $work/server.pid || { echo "the server ended by itself"; return 1; }
  process_alive $work/agent.pid || { echo "the agent ended by itself"; return 1; }
}

ready_or_ended() {
  curl -sf -o /dev/null http://127.0.0.1:8092/readyz || ! process_alive $work/server.pid || ! process_alive $work/agent.pid
}

# use_tunnel MODE FRONT
use_tunnel() {
  local front=(--proxy $hub_ip:8090 --ca $work/ca.crt --cert $work/client.crt --key $work/client.key)
  [ "$2" = tls ] || front=(--uds $work/front.sock)
  "$peers_bin/client-go" --mode "$1" "${front[@]}" --kubeconfig $cluster/admin.kubeconfig all
}

# start_server EXECUTABLE MODE FRONT LOG
start_server() {
  local front=(--server-bind-address=$hub_ip --server-cert=$work/server.crt --server-key=$work/server.key --server-ca-cert=$work/ca.crt)
  [ "$3" = tls ] || front=(--uds-name=$work/front.sock --server-port=0)
  process_start $work/server.pid "$4" "$1" --mode="$2" "${front[@]}" --agent-bind-address=$hub_ip \
    --cluster-cert=$work/server.crt --cluster-key=$work/server.key --cluster-ca-cert=$work/ca.crt
}

# start_agent EXECUTABLE LOG
start_agent() {
  process_start $work/agent.pid "$2" ip netns exec managed "$1" --proxy-server-host=$hub_ip \
    --ca-cert=$work/ca.crt --agent-cert=$work/client.crt --agent-key=$work/client.key
}

main "$@"
