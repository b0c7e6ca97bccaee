#!/bin/bash
# kube_apiserver.sh start DIR [--netns NETNS] [--bind ADDRESS] [--port PORT] [--audit-policy FILE] [--controllers yes]
#                                          [--goaway-chance CHANCE] [--pods yes]
#                                          etcd and a kube-apiserver, ready when this returns
# kube_apiserver.sh stop DIR               ends exactly what start began
#
# DIR receives all state: admin.kubeconfig (cluster-admin, self-contained), kubectl (bound to it and to the network
# namespace), address, pki/, log/, pid/. ADDRESS (127.0.0.1) must exist in NETNS (a name or a path; by default the
# caller's namespace). PORT is a free one unless given. `start` after `stop` resumes: same data, keys and address.
# RBAC and audiences are on; service account tokens can be requested and reviewed. With --audit-policy, requests are
# written to log/audit, one JSON object a line. Without --controllers there is no controller manager: nobody makes
# `default` service accounts, signs certificates or collects garbage. CHANCE (0 to 0.02): how many requests end their
# HTTP/2 connection. With --pods, what nodes and their pods need besides a kubelet: a scheduler, all controllers, and the
# Service `kubernetes` leads to ADDRESS.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/lib/peers.sh"
. "$here/lib/process.sh"
. "$here/lib/kube_pki.sh"

ready_limit=180 # a deadline, not a wait: on a busy machine it takes minutes
stop_limit=10

main() {
  local verb=${1:-}
  case $verb in
    start | stop) [ $# -ge 2 ] || usage 2 ;;
    -h | --help) usage 0 ;;
    *) usage 2 ;;
  esac
  dir=$(realpath -m "$2")
  shift 2
  "$verb" "$@"
}

usage() {
  sed -n '2,16s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
  exit "$1"
}

start() {
  local netns='' controllers='' pods='' reconciler=none
  bind='' port='' goaway_chance=0 audit=()
  while [ $# -gt 0 ]; do
    [ $# -ge 2 ] || fail "$1 needs a value"
    case $1 in
      --netns) netns=$2 ;;
      --bind) bind=$2 ;;
      --port) port=$2 ;;
      --goaway-chance) goaway_chance=$2 ;;
      --audit-policy) audit=(--audit-policy-file="$2" --audit-log-path="$dir/log/audit" --audit-log-maxsize=2000) ;;
      --controllers) controllers=$2 ;;
      --pods) pods=$2 controllers=$2 reconciler=lease ;;
      *) fail "unknown option '$1'; see --help" ;;
    esac
    shift 2
  done
  [ -x "$peers_bin/kube" ] || fail "Kubernetes is not built: run $here/build.sh kubernetes"
  ! process_alive "$dir/pid/kube-apiserver" || fail "an API server already runs in $dir: stop it first"
  enter_netns "$netns"
  mkdir -p "$dir"/{log,pid}
  choose_address
  [ -e "$dir/pki/admin.crt" ] || make_pki "$dir/pki" "$bind"
  trap stop EXIT
  start_etcd
  start_apiserver
  [ -z "$controllers" ] || start_controllers
  [ -z "$pods" ] || start_scheduler
  trap - EXIT
}

stop() {
  process_stop "$dir/pid/kube-scheduler" $stop_limit
  process_stop "$dir/pid/kube-controller-manager" $stop_limit
  process_stop "$dir/pid/kube-apiserver" $stop_limit
  process_stop "$dir/pid/etcd" $stop_limit
}

# choose_address: what the caller wants, else what DIR had before, else a free port of loopback.
choose_address() {
  local old_bind='' old_port=''
  [ ! -e "$dir/bound" ] || read -r old_bind old_port <"$dir/bound"
  bind=${bind:-${old_bind:-127.0.0.1}}
  [ "${old_bind:-$bind}" = "$bind" ] || fail "the certificates in $dir are for $old_bind, not $bind: give another DIR"
  port=${port:-${old_port:-$(free_port)}}
  echo "$bind $port" >"$dir/bound"
}

# enter_netns NETNS: sets `inside`, the words before a command that must run in the cluster's network namespace.
enter_netns() {
  case $1 in
    '') inside=() ;;
    */*) inside=(nsenter --net="$1") ;;
    *) inside=(nsenter --net="/run/netns/$1") ;;
  esac
  "${inside[@]}" true || fail "cannot enter the network namespace '$1': it must exist, and that needs root"
}

start_etcd() {
  local client peer
  client=http://127.0.0.1:$(free_port)
  peer=http://127.0.0.1:$(free_port)
  # Without fsync: what a power cut would lose is of no use to anybody.
  process_start "$dir/pid/etcd" "$dir/log/etcd" "${inside[@]}" "$peers_bin/etcd" --name=test --data-dir="$dir/etcd" --unsafe-no-fsync \
    --log-level=warn --listen-client-urls="$client" --advertise-client-urls="$client" \
    --listen-peer-urls="$peer" --initial-advertise-peer-urls="$peer" --initial-cluster="test=$peer"
  etcd_url=$client
  wait_ready etcd "${inside[@]}" curl -sf -o /dev/null "$client/readyz"
}

start_apiserver() {
  local pki=$dir/pki host=$bind
  case $bind in *:*) host="[$bind]" ;; esac
  local url=https://$host:$port
  write_kubeconfig "$dir/admin.kubeconfig" "$url" "$pki" admin
  write_kubectl
  echo "$host:$port" >"$dir/address"
  process_start "$dir/pid/kube-apiserver" "$dir/log/kube-apiserver" "${inside[@]}" "$peers_bin/kube-apiserver" \
    --etcd-servers="$etcd_url" --bind-address="$bind" --advertise-address="$bind" --secure-port="$port" \
    --goaway-chance="$goaway_chance" \
    --endpoint-reconciler-type=$reconciler --allow-privileged=true --service-cluster-ip-range="$(service_range)" \
    --authorization-mode=Node,RBAC --client-ca-file="$pki/ca.crt" \
    --tls-cert-file="$pki/apiserver.crt" --tls-private-key-file="$pki/apiserver.key" \
    --service-account-issuer=https://kubernetes.default.svc --api-audiences=https://kubernetes.default.svc,system:konnectivity-server \
    --service-account-key-file="$pki/service-account.pub" --service-account-signing-key-file="$pki/service-account.key" \
    --kubelet-client-certificate="$pki/kubelet-client.crt" --kubelet-client-key="$pki/kubelet-client.key" \
    --kubelet-certificate-authority="$pki/ca.crt" --kubelet-preferred-address-types=InternalIP \
    --requestheader-client-ca-file="$pki/front-proxy-ca.crt" --requestheader-allowed-names=front-proxy-client \
    --requestheader-username-headers=X-Remote-User --requestheader-group-headers=X-Remote-Group \
    --requestheader-extra-headers-prefix=X-Remote-Extra- \
    --proxy-client-cert-file="$pki/front-proxy-client.crt" --proxy-client-key-file="$pki/front-proxy-client.key" "${audit[@]}"
  wait_ready kube-apiserver "${inside[@]}" curl -sf -o /dev/null --cacert "$pki/ca.crt" --cert "$pki/admin.crt" --key "$pki/admin.key" "$url/readyz"
}

# Without pods all controllers but those that look after nodes, volumes and loads. The default limit of 20
# requests a second would make everything wait for some 40 service accounts of the controllers themselves.
start_controllers() {
  local config=$dir/admin.kubeconfig pki=$dir/pki name=kube-controller-manager port off
  port=$(free_port)
  off=,-node-ipam-controller # pods have the addresses that the network of their node gives
  [ -n "$pods" ] || off=$(printf ',-%s-controller' node-ipam node-lifecycle node-route persistentvolume-binder persistentvolume-attach-detach \
    persistentvolume-expander ephemeral-volume horizontal-pod-autoscaler)
  process_start "$dir/pid/$name" "$dir/log/$name" "${inside[@]}" "$peers_bin/$name" --kubeconfig="$config" \
    --authentication-kubeconfig="$config" --authorization-kubeconfig="$config" --bind-address=127.0.0.1 --secure-port="$port" \
    --leader-elect=false --use-service-account-credentials=true --kube-api-qps=500 --kube-api-burst=1000 "--controllers=*$off" \
    --cluster-signing-cert-file="$pki/ca.crt" --cluster-signing-key-file="$pki/ca.key" --root-ca-file="$pki/ca.crt" \
    --service-account-private-key-file="$pki/service-account.key"
  wait_ready $name "${inside[@]}" curl -skf -o /dev/null "https://127.0.0.1:$port/healthz"
}

start_scheduler() {
  local config=$dir/admin.kubeconfig name=kube-scheduler port
  port=$(free_port)
  process_start "$dir/pid/$name" "$dir/log/$name" "${inside[@]}" "$peers_bin/$name" --kubeconfig="$config" \
    --authentication-kubeconfig="$config" --authorization-kubeconfig="$config" --bind-address=127.0.0.1 --secure-port="$port" \
    --leader-elect=false
  wait_ready $name "${inside[@]}" curl -skf -o /dev/null "https://127.0.0.1:$port/healthz"
}

service_range() {
  case $bind in *:*) echo fd00:10::/112 ;; *) echo 10.0.0.0/24 ;; esac
}

write_kubectl() {
  printf '#!/bin/bash\nexec' >"$dir/kubectl"
  printf ' %q' "${inside[@]}" "$peers_bin/kubectl" "--kubeconfig=$dir/admin.kubeconfig" >>"$dir/kubectl"
  echo ' "$@"' >>"$dir/kubectl"
  chmod +x "$dir/kubectl"
}

# wait_ready PROGRAM PROBE...: until the probe succeeds; if the program ends or the limit passes, ends the script.
wait_ready() {
  local log=$dir/log/$1
  wait_until $ready_limit ready_or_ended "$@" || fail "$1 was not ready within $ready_limit s; see $log"
  process_alive "$dir/pid/$1" || fail "$1 ended while it started; $log ends with: $(tail -n 1 "$log")"
}

ready_or_ended() {
  "${@:2}" || ! process_alive "$dir/pid/$1"
}

# free_port: one below the range that the kernel hands out to outgoing connections, and in nobody's use there now.
free_port() {
  local candidate
  for _ in {1..100}; do
    candidate=$((15000 + RANDOM % 15000))
    [ -n "$("${inside[@]}" ss -Hltn "sport = :$candidate")" ] || { echo $candidate; return; }
  done
  fail "found no free port"
}

main "$@"
