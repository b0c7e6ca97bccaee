# The story: each step does one thing, shows it, checks it, and says what it proves.

check_programs() {
  local program
  for program in "$SERVER" "$AGENT"; do
    [[ -x $program ]] || { say "demo: no program $program; build it first: make"; exit 1; }
  done
  for program in curl openssl nginx redis-server redis-cli iperf3 socat; do
    command -v "$program" > /dev/null || { say "demo: $program is missing; run: scripts/install-deps demo"; exit 1; }
  done
}

step_world() {
  heading "A hub and two clusters"
  if with_namespaces; then
    cat << 'PICTURE'
            cluster1                        hub                        cluster2
   nginx redis iperf3  10.96.0.x        198.51.100.1         10.96.0.x  nginx redis iperf3
          agent ------------------> server <------------------ agent
                 dials out only       ^         dials out only
                                      '-- clients: curl, redis-cli, iperf3

PICTURE
  else
    say "   No network namespaces: $loopback_because. Hub and clusters share loopback, so this run shows the tunnels, but" \
      "   not the isolation, and services are named by address: cluster1 is 127.0.1.1, cluster2 is 127.0.2.1."
  fi
  ports_choose
  world_create
  pki_create
  services_start
  proves "real services run in both clusters: nginx, Redis, iperf3"
}

step_isolation() {
  with_namespaces || return 0
  heading "Nobody can reach into a cluster"
  show hub curl -sS -m 1 "http://$(service_address cluster1 nginx)/"
  expect "curl: ("
  show hub curl -sS -m 1 "http://$(link_address cluster1)/"
  expect "curl: ("
  show cluster1 curl -sS -m 1 "http://$(link_address cluster2)/"
  expect "curl: ("
  proves "no route, and a firewall; both clusters even use the same service addresses"
}

step_tunnel() {
  local cluster
  heading "The agents dial out"
  server_start
  for cluster in "${clusters[@]}"; do
    agent_start "$cluster"
  done
  show hub curl -sS "http://127.0.0.1:$health_port/readyz"
  expect ok
  proves "two tunnels stand, dialled by the clusters, with mutual TLS"
}

step_http() {
  local cluster
  heading "One name, one cluster: HTTP"
  curl_settings > client.curl
  say "   client.curl holds what curl needs to go through the hub:"
  sed 's/^/     /' client.curl
  for cluster in "${clusters[@]}"; do
    show hub curl -K client.curl "$(nginx_url "$cluster")"
    expect "Hello from nginx in $cluster."
  done
  proves "the name chose the cluster, and the agent there resolved it"
}

nginx_url() { printf 'http://%s:%d/' "$(service_host "$1" nginx)" "$nginx_port"; }

step_trust() {
  heading "Who may not pass"
  show hub curl -sS -m 5 -p --proxy "https://$(hub_name):$server_port" --proxy-cacert hub-ca.crt "$(nginx_url cluster1)"
  expect "curl: ("
  proves "no client certificate, no way in"
  show hub curl -K client.curl http://nginx.cluster9/
  expect "curl: ("
  proves "a cluster that nobody serves is an error at once, not a hang"
}

step_redis() {
  heading "A protocol that is not HTTP: Redis, with its own client"
  forward "$redis_port" cluster2 redis 6379
  show hub redis-cli -p "$redis_port" set greeting "written from the hub"
  expect OK
  show cluster2 redis-cli -h "$(service_address cluster2 redis)" get greeting
  expect "written from the hub"
  proves "what the hub wrote through the tunnel is in the cluster's own Redis"
}

step_restart() {
  local begin
  heading "The server restarts"
  begin=${EPOCHREALTIME/./}
  stop server
  server_start
  await server "an agent is back" in_hub_http 200 "$health_port" /readyz
  await server "cluster1 answers again" through_tunnel cluster1
  await server "cluster2 answers again" through_tunnel cluster2
  show hub curl -K client.curl "$(nginx_url cluster1)"
  expect "Hello from nginx in cluster1."
  proves "both agents came back by themselves, $(((${EPOCHREALTIME/./} - begin) / 1000)) ms after the stop began"
}

through_tunnel() { in_place hub curl -K client.curl -m 2 -f "$(nginx_url "$1")"; }

step_throughput() {
  local direct tunnel
  heading "How fast"
  forward "$iperf3_port" cluster1 iperf3 5201
  start direct hub iperf3 --server --port "$direct_port"
  await direct "it listens" listens "$direct_port"

  direct=$(iperf3_speed cluster1 "$(hub_address)" "$direct_port")
  tunnel=$(iperf3_speed hub 127.0.0.1 "$iperf3_port" --reverse)
  speeds "iperf3, cluster to hub" "$direct" "$tunnel"
  direct=$(iperf3_speed cluster1 "$(hub_address)" "$direct_port" --reverse)
  tunnel=$(iperf3_speed hub 127.0.0.1 "$iperf3_port")
  speeds "iperf3, hub to cluster" "$direct" "$tunnel"
  direct=$(curl_speed cluster1 "http://$(service_address cluster1 nginx):$nginx_port/big")
  tunnel=$(curl_speed hub -K client.curl "$(nginx_url cluster1)big")
  speeds "curl, 256 MiB of nginx" "$direct" "$tunnel"
  say "   Everything shares $(nproc) cores here: both ends, TLS twice (client to server, server to agent), and for iperf3 two" \
    "   socats more, which curl does without. Direct is plain TCP."
}

hub_address() { with_namespaces && printf 198.51.100.1 || printf 127.0.0.1; }

# iperf3_speed PLACE HOST PORT [OPTION...]: bits per second that arrived within two seconds.
iperf3_speed() {
  local place=$1 host=$2 port=$3
  shift 3
  (in_place "$place" iperf3 --client "$host" --port "$port" --time 2 --json "$@") |
    awk -F'[:,]' '/"sum_received"/ { found = 1 } found && /bits_per_second/ { printf "%.0f", $2; exit }'
}

# curl_speed PLACE ARGUMENT...: bits per second of a download that is thrown away.
curl_speed() {
  local place=$1
  shift
  (in_place "$place" curl -sS -f -o /dev/null -w '%{speed_download}' "$@") | awk '{ printf "%.0f", $1 * 8 }'
}

speeds() {
  [[ $2 -gt 0 && $3 -gt 0 ]] || fail "$1: no bytes arrived (direct: ${2:-0} bit/s, tunnel: ${3:-0} bit/s)"
  printf '   %-24s direct %7.2f Gbit/s   through the tunnel %7.2f Gbit/s\n' "$1" \
    "$(awk "BEGIN { print $2 / 1e9 }")" "$(awk "BEGIN { print $3 / 1e9 }")"
}

what_next() {
  heading "What to try next"
  if [[ -n ${KEEP:-} ]]; then
    say "   The demo is still up. In $state:"
    if with_namespaces; then
      say "     ip netns exec $namespace_prefix-hub bash          # you are in the hub: curl -K client.curl ..."
    fi
    say "     curl -s http://127.0.0.1:$health_port/metrics | grep konnectivity   # in the hub: what the server counts" \
      "     tail -f logs/server.log logs/cluster1-agent.log" \
      "     kill \$(cat pids/cluster1-agent)   # twice: an agent drains at the first signal. Then curl cluster1"
  else
    say "   KEEP=1 make demo      keeps all of this up, to look around in" \
      "   make test             proves it against the Go programs" \
      "   README.md             how to use server and agent as a drop-in for konnectivity's"
  fi
}

say_how_to_stop() {
  say "" "To stop it: $here/stop"
}
