#!/bin/bash
# kubeconfig.sh --program PATH      what "cluster-proxy kubeconfig" writes, with the real kubectl and kube-apiserver
#
# Through a proxy and through a forward; with another name, and another authority, kubectl must refuse the API server.
# The proxy and the forward are socat's, before a server's Unix socket. PATH: the built cluster-proxy.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
peers=$here/../peers
. "$peers/lib/process.sh"
. "$peers/lib/peers.sh"

[[ ${1:-} == --program && -x ${2:-} ]] || { sed -n '2,5s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2; exit 2; }
program=$(realpath "$2")
"$peers/build.sh" kubernetes >/dev/null
kubectl=$peers_bin/kubectl
within=60
work=$(mktemp -d)
pids=()

tidy() {
  local code=$?
  ((${#pids[@]})) && kill -KILL "${pids[@]}" 2>/dev/null
  "$peers/kube_apiserver.sh" stop "$work/cluster"
  ((code == 0)) || tail -n 10 "$work"/*.log "$work"/last*
  rm -rf "$work"
  exit "$code"
}
trap tidy EXIT

fail() {
  printf 'kubeconfig: FAILED: %s\n' "$1" >&2
  exit 1
}

start() { # NAME COMMAND...
  "${@:2}" >"$work/$1.log" 2>&1 &
  pids+=($!)
  disown $! # the shell has nothing to say about its end
}

port() { # a free one out of those that a server takes
  python3 -c '
import random, socket
while True:
    port = random.randrange(20000, 32000)
    with socket.socket() as tried:
        if tried.connect_ex(("127.0.0.1", port)) != 0: break
print(port)'
}

"$peers/kube_apiserver.sh" start "$work/cluster" >/dev/null
api=$(<"$work/cluster/address")
admin=$work/cluster/admin.kubeconfig
"$program" pki init --dir "$work/pki" >/dev/null
"$program" pki issue server 127.0.0.1 --dir "$work/pki" >/dev/null
"$program" pki issue agent cluster1 --dir "$work/pki" >/dev/null
agents=$(port) health=$(port) agent_health=$(port) admin_port=$(port) agent_admin=$(port) proxy=$(port) forward=$(port)
cd "$work"
start server "$program" server --mode=http-connect --uds-name="$work/front.sock" --server-port=0 --agent-port="$agents" \
  --health-port="$health" --admin-port="$admin_port" --cluster-cert=pki/server.crt --cluster-key=pki/server.key --cluster-ca-cert=pki/ca.crt
start agent "$program" agent --proxy-server-host=127.0.0.1 --proxy-server-port="$agents" --ca-cert=pki/ca.crt \
  --agent-cert=pki/agent-cluster1.crt --agent-key=pki/agent-cluster1.key --health-server-port="$agent_health" --admin-server-port="$agent_admin"
wait_until $within curl -sf -o /dev/null "http://127.0.0.1:$agent_health/readyz" || fail 'the agent does not connect'
start proxy socat "TCP-LISTEN:$proxy,bind=127.0.0.1,fork,reuseaddr" "UNIX-CONNECT:$work/front.sock"
start forward socat "TCP-LISTEN:$forward,bind=127.0.0.1,fork,reuseaddr" "PROXY:127.0.0.1:$api,proxyport=$proxy"

works() { KUBECONFIG=/dev/null "$kubectl" --kubeconfig "$1" get namespace kube-system -o name >last 2>&1; }

"$program" kubeconfig cluster1 --api-server "$api" --proxy-url "http://127.0.0.1:$proxy" --from "$admin" >proxy.conf
wait_until $within works proxy.conf || fail 'kubectl does not come through the proxy'
"$program" kubeconfig cluster1 --forward "127.0.0.1:$forward" --from "$admin" >forward.conf
wait_until $within works forward.conf || fail 'kubectl does not come through the forward'
printf 'kubeconfig: kubectl came through a proxy and a forward\n'

"$program" kubeconfig cluster1 --forward "127.0.0.1:$forward" --from "$admin" --tls-server-name another.example >name.conf
works name.conf && fail 'kubectl believed an API server of another name'
grep -q 'another.example' last || fail "another name was refused by: $(<last)"
"$program" kubeconfig cluster1 --forward "127.0.0.1:$forward" --from "$admin" --certificate-authority pki/ca.crt >authority.conf
works authority.conf && fail 'kubectl believed an API server of another authority'
grep -q 'unknown authority\|certificate' last || fail "another authority was refused by: $(<last)"
printf 'kubeconfig: an API server that cannot be verified is refused\n'
