#!/bin/bash
# run.sh [--program PATH]
#
# The add-on's agent as a whole program with a real kube-apiserver and the kubelet's own streaming code: the lease here and
# on the hub, health, and port forwarding by WebSocket and by SPDY: many tunnels, half-close, a stalled reader, a pod that
# goes, an API server that restarts, an agent that is stopped while it is used. PATH is by default build/release/bin/cluster-proxy. Runs in namespaces of its own,
# which needs root or user namespaces. Logs: build/addon_agent/. Exit code 0: all passed.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
peers=$here/../peers
. "$peers/lib/peers.sh"
. "$peers/lib/pairings.sh"
. "$peers/lib/process.sh"

within=90 # seconds for anything that has to happen: a deadline, not a wait

main() {
  [ "${1:-}" != --inside ] || { inside "$2"; return; }
  local program=$root/build/release/bin/cluster-proxy
  while [ $# -gt 0 ]; do
    case $1 in
      --program) program=${2:?--program needs a program}; shift ;;
      -h | --help) sed -n '2,7s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 0 ;;
      *) fail "unknown argument '$1'; see --help" ;;
    esac
    shift
  done
  program=$(program "$program")
  "$peers/build.sh" kubernetes client_go >/dev/null
  require_namespaces
  "${apart[@]}" "${BASH_SOURCE[0]}" --inside "$program"
}

inside() {
  program=$1 failed=0 work=/run/work
  logs=$root/build/addon_agent
  rm -rf "$logs"
  mkdir -p "$logs"
  mount -t tmpfs none /run
  ip link set lo up
  mkdir $work
  make_world
  check_start
  check_lease
  check_hub_lease
  check_forwarding websocket
  check_forwarding spdy
  check_pods
  check_restart
  check_drain
  "$peers/kube_apiserver.sh" stop $cluster
  [ $failed = 0 ] || fail "$failed checks failed; what the programs wrote is in $logs"
}

# One cluster is hub and managed cluster at once. Two accounts: the first may use WebSockets, which GET, the second only POST.
make_world() {
  cluster=$work/cluster
  "$peers/kube_apiserver.sh" start $cluster
  kubectl=$cluster/kubectl
  local name
  for name in agents cluster1 proxies; do $kubectl create namespace $name; done >/dev/null
  $kubectl create role leases -n agents --resource=leases --verb='*' >/dev/null
  $kubectl create role leases -n cluster1 --resource=leases --verb='*' >/dev/null
  $kubectl create role websocket -n proxies --resource=pods,pods/portforward --verb='*' >/dev/null
  make_post_only_role
  for name in websocket spdy; do make_account $name >/dev/null; done
  printf certificate >$work/tls.crt
  printf key >$work/tls.key
  start_pod one 19001
  start_pod two 19002
}

make_post_only_role() {
  $kubectl create -f - >/dev/null <<'END'
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: spdy, namespace: proxies}
rules:
- {apiGroups: [""], resources: [pods], verbs: [list, watch]}
- {apiGroups: [""], resources: [pods/portforward], verbs: [create]}
END
}

make_account() { # NAME
  local namespace
  $kubectl create serviceaccount "$1" -n agents
  $kubectl create rolebinding "$1" -n proxies --role="$1" --serviceaccount="agents:$1"
  for namespace in agents cluster1; do
    $kubectl create rolebinding "$1" -n $namespace --role=leases --serviceaccount="agents:$1"
  done
  $kubectl create token "$1" -n agents >"$work/$1.token"
  # The token is named relative to the kubeconfig, as Open Cluster Management does it.
  cat >"$work/$1.kubeconfig" <<END
apiVersion: v1
kind: Config
clusters: [{name: test, cluster: {server: "https://$(cat $cluster/address)", certificate-authority: $cluster/pki/ca.crt}}]
users: [{name: user, user: {tokenFile: $1.token}}]
contexts: [{name: test, context: {cluster: test, user: user}}]
current-context: test
END
}

# start_pod NAME PORT: a proxy server's pod, whose port 8091 is a service at PORT.
start_pod() {
  process_start "$work/service-$1.pid" "$logs/service-$1" "$here/tunnels.py" serve "$2" "$1"
  process_start "$work/pod-$1.pid" "$logs/pod-$1" "$peers_bin/client-go" --kubeconfig $cluster/admin.kubeconfig \
    --kubelet-cert $cluster/pki/kubelet.crt --kubelet-key $cluster/pki/kubelet.key --kubelet-client-ca $cluster/pki/ca.crt \
    --node "node-$1" --pod "proxies/$1" --pod-labels proxy.open-cluster-management.io/component-name=proxy-server \
    --forward "8091=127.0.0.1:$2" kubelet
  wait_until $within grep -qsx ready "$logs/pod-$1" || fail "the kubelet of pod $1 was not ready; see $logs/pod-$1"
}

# start_agent LOG ACCOUNT FLAG...
start_agent() {
  POD_NAMESPACE=${pod_namespace:-agents} process_start $work/agent.pid "$logs/$1" "$program" addon-agent --v=2 \
    --kubeconfig="$work/$2.kubeconfig" --hub-kubeconfig="$work/$2.kubeconfig" --cluster-name=cluster1 \
    --proxy-server-namespace=proxies --agent-cert=$work/tls.crt --agent-key=$work/tls.key "${@:3}"
  wait_until $within answers healthz || fail "the agent does not start; see $logs/$1"
}

stop_agent() { process_stop $work/agent.pid 20; }
answers() { curl -sf -o /dev/null "http://127.0.0.1:8888/$1"; }
status_of() { [ "$(curl -s -o /dev/null -w '%{http_code}' "http://127.0.0.1:8888/$1")" = "$2" ]; }
lease() { $kubectl get lease cluster-proxy -n "$1" -o "jsonpath=$2" 2>/dev/null; }
has_lease() { [ -n "$(lease "$1" '{.spec.renewTime}')" ]; }
tunnels() { "$here/tunnels.py" "$1" 8091; }
metric() { curl -sf "http://127.0.0.1:8888/metrics" | grep -qE -- "^cluster_proxy_port_forward_$1 $2\$"; }
eventually() { wait_until $within "$@"; }
logged() { grep -qsE -- "$2" "$logs/$1"; }

check_start() {
  local said status=0
  said=$(POD_NAMESPACE=agents "$program" addon-agent --hub-kubeconfig=/no/such/file 2>&1) || status=$?
  check 'a missing kubeconfig ends with 1' test $status = 1
  check 'and is named' grep -q -- '--hub-kubeconfig.*/no/such/file' <<<"$said"
}

# The lease waits for the proxy-agent, then comes at once.
check_lease() {
  start_agent lease websocket
  check 'says why it does not renew' eventually logged lease 'proxy-agent is not ready'
  check 'no lease while the proxy-agent is not ready' test "$(has_lease agents && echo lease)" = ''
  process_start $work/ready.pid "$logs/ready" "$here/tunnels.py" ready 8093
  check 'a lease as soon as it is' eventually has_lease agents
  check 'renewTime has six digits' grep -qE '^[0-9T:-]+\.[0-9]{6}Z$' <<<"$(lease agents '{.spec.renewTime}')"
  check 'of 60 s' test "$(lease agents '{.spec.leaseDurationSeconds}')" = 60
  check 'held by nobody' test "$(lease agents '{.spec.holderIdentity}')" = ''
  check_health
  check 'SIGTERM ends it' stops_cleanly lease
}

check_health() {
  check 'healthy' answers healthz
  check 'ready without port forwarding' answers readyz
  printf other >$work/tls.crt
  check 'a changed certificate fails the check' status_of healthz/certificates 500
  check 'once' status_of healthz/certificates 200
}

stops_cleanly() {
  stop_agent
  logged "$1" ' stopped'
}

check_hub_lease() {
  # An administrator's rights here: others are forbidden to look into a namespace that is not there.
  pod_namespace=nowhere start_agent hub-lease websocket --kubeconfig=$cluster/admin.kubeconfig
  check 'without a namespace here the lease is on the hub' eventually has_lease cluster1
  stop_agent
}

# check_forwarding websocket|spdy
check_forwarding() {
  start_agent "$1" "$1" --enable-port-forward-proxy=true
  check "$1: not ready before the first tunnel" status_of readyz 500
  check "$1: but alive" status_of healthz 200
  check "$1: bytes both ways" eventually tunnels echo
  check "$1: by $1" logged "$1" "transport=$1"
  check "$1: ready then" status_of readyz 200
  check "$1: the check by its name" status_of 'healthz/port%20forward%20proxy%20readiness' 200
  check "$1: a hundred at once" tunnels many
  check "$1: on one connection a pod" metric connections 2
  check "$1: the near end's half-close" tunnels half-close
  check "$1: the far end's close" tunnels half-close-far
  check "$1: a large download" tunnels flood
  check "$1: a stalled reader beside others" tunnels stalled
  check "$1: all tunnels have ended" eventually metric tunnels 0
  check "$1: SIGTERM ends it" stops_cleanly "$1"
}

served_by() { [ "$("$here/tunnels.py" name 8091)" = "$1" ]; }

# Tunnels are spread; those of a pod that goes end, and the next ones go to the other.
check_pods() {
  start_agent pods websocket --enable-port-forward-proxy=true
  check 'pods: one serves' eventually served_by one
  check 'pods: the other too' eventually served_by two
  process_stop $work/pod-one.pid 0
  $kubectl delete pod one -n proxies --force --grace-period=0 >/dev/null 2>&1
  check 'pods: what is left serves' eventually tunnels echo
  check 'pods: always' only_two
  stop_agent
}

only_two() {
  local i
  for i in 1 2 3 4 5 6; do served_by two || return; done
}

check_restart() {
  start_agent restart websocket --enable-port-forward-proxy=true
  check 'restart: works before' eventually tunnels echo
  local port
  port=$(sed 's/.*://' $cluster/address)
  "$peers/kube_apiserver.sh" stop $cluster
  check 'restart: no tunnel without an API server' test "$(tunnels echo >/dev/null 2>&1 && echo tunnel)" = ''
  check 'restart: still alive' status_of healthz 200
  "$peers/kube_apiserver.sh" start $cluster --port "$port"
  check 'restart: works again' eventually tunnels echo
  check 'restart: SIGTERM ends it' stops_cleanly restart
}

check_drain() {
  start_agent drain websocket --enable-port-forward-proxy=true
  check 'drain: works before' eventually tunnels echo
  local agent
  read -r agent _ <$work/agent.pid
  check 'drain: a tunnel goes on after SIGTERM, no other is taken' "$here/tunnels.py" outlives 8091 "$agent"
  check 'drain: the agent ends with the last tunnel' eventually logged drain ' stopped'
  stop_agent
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
