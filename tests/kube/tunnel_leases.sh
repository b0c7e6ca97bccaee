# The server's lease, and agents that count leases. Sourced by tunnel.sh, never run.

check_leases() {
  make_lease stale 2020-01-01T00:00:00.000000Z
  start_server one 127.0.0.1 "$server" --enable-lease-controller
  check 'the lease appears' eventually lease_exists konnectivity-proxy-server-one
  check 'it says what the reference says' lease_is_right one
  check 'an expired lease is removed' eventually lease_is_gone stale
  check 'its series appear' eventually lease_series
  local first
  first=$(renew_time one)
  check 'it is renewed' eventually renewed_since "$first"
  stop_server one
  check 'it is deleted at SIGTERM' lease_is_gone konnectivity-proxy-server-one
  start_server Not_A_Name 127.0.0.1 "$server" --enable-lease-controller
  check 'a server-id that cannot name a lease is told, with the way out' eventually logged Not_A_Name '--server-id.*cannot'
  stop_server Not_A_Name
}

lease() { $kubectl get lease -n kube-system "$1" -o json 2>/dev/null; }
lease_exists() { lease "$1" >/dev/null; }
lease_is_gone() { ! lease_exists "$1"; }
renew_time() { lease "konnectivity-proxy-server-$1" | jq -r .spec.renewTime; }
renewed_since() { [ "$(renew_time one)" != "$1" ]; }

lease_is_right() {
  lease "konnectivity-proxy-server-$1" | jq -e --arg id "$1" '.metadata.labels == {"k8s-app": "konnectivity-server"}
    and .spec.holderIdentity == $id and .spec.leaseDurationSeconds == 30 and .spec.acquireTime == null
    and (.spec.renewTime | sub("[.][0-9]+Z$"; "Z") | fromdate - now | fabs) < 15' >/dev/null
}

lease_series() {
  local prefix=konnectivity_network_proxy_server_
  metric 127.0.0.1:8092 "^${prefix}lease_list_total\{http_status_code=\"200\",reason=\"\"\} [1-9]" &&
    metric 127.0.0.1:8092 "^${prefix}lease_delete_total\{http_status_code=\"200\",reason=\"\"\} 1" &&
    metric 127.0.0.1:8092 "^${prefix}lease_list_latency_seconds_count" &&
    metric 127.0.0.1:8092 "^${prefix}lease_delete_latency_seconds_count" &&
    metric 127.0.0.1:8092 "^${prefix}culled_leases_count 1"
}

make_lease() { # NAME RENEW_TIME
  $kubectl create -f - >/dev/null <<END
apiVersion: coordination.k8s.io/v1
kind: Lease
metadata: {name: $1, namespace: kube-system, labels: {k8s-app: konnectivity-server}}
spec: {holderIdentity: $1, leaseDurationSeconds: 3600, renewTime: "$2"}
END
}

# Two servers on two addresses of one port, each of which says that it is the only one: the leases know better.
check_counting() {
  local port
  start_server one 127.0.0.1 "$server" --enable-lease-controller
  start_server two 127.0.0.2 "$server" --enable-lease-controller
  check 'both servers have a lease' eventually both_leases
  start_agent counting "$agent" "${counting[@]}"
  check 'the agent that counts leases connects to both servers' eventually connected_to 2 2
  stop_agent counting
  stop_server two
  start_agent alone "$agent" "${counting[@]}"
  check 'with one lease it wants one server' eventually connected_to 1 1
  stop_agent alone
  stop_server one
  check_count_sources
  port=$(sed 's/.*://' $cluster/address)
  start_server one 127.0.0.1 "$server"
  "$peers/kube_apiserver.sh" stop $cluster
  start_agent blind "$agent" "${counting[@]}"
  check 'an unreachable API server does not keep the agent from its server' eventually ready
  check 'nor from its target' eventually fetch
  stop_agent blind
  stop_server one
  "$peers/kube_apiserver.sh" start $cluster --port "$port"
}

counting=(--count-server-leases --kubeconfig=/run/work/counter.kubeconfig --proxy-server-addresses=127.0.0.2)

# A server that says 3 beside one lease.
check_count_sources() {
  start_server one 127.0.0.1 "$server" --enable-lease-controller --server-count=3
  start_agent by-leases "$agent" "${counting[@]}" --server-count-source=default
  check 'source default: leases alone' eventually connected_to 1 1
  stop_agent by-leases
  start_agent by-maximum "$agent" "${counting[@]}" --server-count-source=max
  check 'source max: the larger count' eventually connected_to 1 3
  stop_agent by-maximum
  stop_server one
}

both_leases() { lease_exists konnectivity-proxy-server-one && lease_exists konnectivity-proxy-server-two; }

connected_to() { # LINKS KNOWN
  local prefix=konnectivity_network_proxy_agent_
  metric 127.0.0.1:8093 "^${prefix}open_server_connections $1\$" && metric 127.0.0.1:8093 "^${prefix}known_server_count $2\$"
}
