# The places of the demo: hub, cluster1, cluster2. With root each is a network namespace; without, all are loopback.
#
#   hub        198.51.100.1, named hub
#   clusterN   a link to the hub, a firewall that lets nothing in, and services on 10.96.0.x, the same addresses
#              in every cluster, as it happens in real ones

service_network=10.96.0
namespace_prefix=cpdemo

with_namespaces() { [[ -z $loopback_because ]]; }

# Why there are no namespaces; empty when there are.
loopback_because=''
world_choose() {
  if ((EUID != 0)); then
    loopback_because='not root'
  elif ! unshare --net --mount true 2> /dev/null; then
    loopback_because='this machine lets even root make no network namespaces (a container?)'
  elif [[ -n ${LOOPBACK:-} ]]; then
    loopback_because='LOOPBACK is set'
  fi
}

# in_place PLACE COMMAND...
in_place() {
  local place=$1
  shift
  if with_namespaces; then
    exec_or_run ip netns exec "$namespace_prefix-$place" "$@"
  else
    exec_or_run "$@"
  fi
}

# In a background job the command takes the place of the shell, so that its process id is the one we keep.
exec_or_run() {
  if ((BASH_SUBSHELL)); then
    exec "$@"
  else
    "$@"
  fi
}

hub_name() { with_namespaces && printf hub || printf localhost; }

# service_address CLUSTER SERVICE: where the service listens, as seen inside its cluster.
service_address() {
  local cluster_number=${1#cluster}
  with_namespaces || { printf '127.0.%d.1' "$cluster_number"; return; }
  case $2 in
    nginx) printf '%s.80' "$service_network" ;;
    redis) printf '%s.63' "$service_network" ;;
    iperf3) printf '%s.52' "$service_network" ;;
  esac
}

# service_host CLUSTER SERVICE: what a client in the hub asks for. On loopback nobody resolves our names.
service_host() {
  if with_namespaces; then
    printf '%s.%s' "$2" "$1"
  else
    service_address "$1" "$2"
  fi
}

world_create() {
  with_namespaces || return 0
  local cluster
  namespace_create hub
  ip -n $namespace_prefix-hub address add 198.51.100.1/32 dev lo
  for cluster in "${clusters[@]}"; do
    cluster_create "$cluster"
  done
  hosts_write hub
}

namespace_create() {
  ip netns add "$namespace_prefix-$1"
  ip -n "$namespace_prefix-$1" link set lo up
}

cluster_create() {
  local cluster=$1 number=${1#cluster} service
  local namespace=$namespace_prefix-$cluster
  namespace_create "$cluster"
  ip -n $namespace_prefix-hub link add "to-$cluster" type veth peer name uplink netns "$namespace"
  ip -n $namespace_prefix-hub address add "192.0.2.$((number * 4 - 3))/30" dev "to-$cluster"
  ip -n $namespace_prefix-hub link set "to-$cluster" up
  ip -n "$namespace" address add "$(link_address "$cluster")/30" dev uplink
  ip -n "$namespace" link set uplink up
  ip -n "$namespace" route add 198.51.100.1 via "192.0.2.$((number * 4 - 3))"
  for service in nginx redis iperf3; do
    ip -n "$namespace" address add "$(service_address "$cluster" $service)/32" dev lo
  done
  firewall "$namespace" || say "   (This kernel has no nftables: only the missing routes keep $cluster apart.)"
  hosts_write "$cluster"
}

link_address() { printf '192.0.2.%d' $((${1#cluster} * 4 - 2)); }

# Replies to what the cluster itself began may come in, nothing else.
firewall() {
  ip netns exec "$1" nft -f - << 'RULES'
table inet only_dial_out {
  chain input {
    type filter hook input priority 0; policy drop;
    iif lo accept
    ct state established,related accept
  }
}
RULES
}

# `ip netns exec` lays the files of /etc/netns/NAME over /etc.
hosts_write() {
  local folder=/etc/netns/$namespace_prefix-$1 service
  mkdir -p "$folder"
  {
    printf '127.0.0.1 localhost\n198.51.100.1 hub\n'
    if [[ $1 != hub ]]; then
      for service in nginx redis iperf3; do
        printf '%s %s.%s\n' "$(service_address "$1" $service)" $service "$1"
      done
    fi
  } > "$folder/hosts"
}

world_remove() {
  local path
  for path in /run/netns/$namespace_prefix-*; do
    if [[ -e $path ]] && ((EUID == 0)); then
      ip netns delete "$(basename "$path")"
      rm -rf "/etc/netns/$(basename "$path")"
      rmdir /etc/netns 2> /dev/null || true
    fi
  done
}
