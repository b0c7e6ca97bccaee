# The programs that the demo is about: one server in the hub, one agent in each cluster.

# In a namespace the usual ports are free by construction; on loopback others may hold them.
ports_choose() {
  server_port=8090 agent_port=8091 health_port=8092 admin_port=8095 nginx_port=80
  entry_port=18090 redis_port=16379 iperf3_port=15201 direct_port=15202
  with_namespaces && return
  nginx_port=8080
  local name
  for name in server_port agent_port health_port admin_port entry_port redis_port iperf3_port direct_port; do
    printf -v "$name" '%d' "$(free_port)"
  done
}

# A port that nobody listens on, in the range that the server's flags allow and the kernel does not hand out.
free_port() {
  local port
  while port=$((20000 + RANDOM % 10000)); (exec 3<> "/dev/tcp/127.0.0.1/$port") 2> /dev/null; do
    continue
  done
  printf '%d' "$port"
}

server_start() {
  start server hub "$SERVER" --mode=http-connect --proxy-strategies=destHost \
    --server-port="$server_port" --server-cert=hub.crt --server-key=hub.key --server-ca-cert=clients-ca.crt \
    --agent-port="$agent_port" --cluster-cert=hub.crt --cluster-key=hub.key --cluster-ca-cert=agents-ca.crt \
    --health-port="$health_port" --admin-port="$admin_port"
  await server "/healthz answers" in_hub_http 200 "$health_port" /healthz
}

agent_start() {
  local cluster=$1 number=${1#cluster}
  agent_health_port=8093
  local admin=8094
  with_namespaces || { agent_health_port=$((health_port + 10000 + number)); admin=$((admin_port + 15000 + number)); }
  start "$cluster-agent" "$cluster" "$AGENT" --agent-id="$cluster" \
    --proxy-server-host="$(hub_name)" --proxy-server-port="$agent_port" --ca-cert=hub-ca.crt \
    --agent-cert="$cluster.crt" --agent-key="$cluster.key" \
    --agent-identifiers="$(agent_identifiers "$cluster")" \
    --health-server-port="$agent_health_port" --admin-server-port="$admin" --sync-interval=200ms
  await "$cluster-agent" "its /readyz says that it reached the hub" \
    in_place_http "$cluster" 200 "$agent_health_port" /readyz
}

# The names that select this cluster.
agent_identifiers() {
  if with_namespaces; then
    printf 'host=nginx.%s&host=redis.%s&host=iperf3.%s' "$1" "$1" "$1"
  else
    printf 'ipv4=%s' "$(service_address "$1" nginx)"
  fi
}

# in_place_http PLACE STATUS PORT PATH
in_place_http() {
  local status
  status=$(in_place "$1" curl -s -o /dev/null -m 2 -w '%{http_code}' "http://127.0.0.1:$3$4")
  [[ $status == "$2" ]]
}

in_hub_http() { in_place_http hub "$@"; }

# What curl needs to go through the hub, in one file.
curl_settings() {
  cat << SETTINGS
proxy = https://$(hub_name):$server_port
proxy-cacert = hub-ca.crt
proxy-cert = client.crt
proxy-key = client.key
proxytunnel
silent
show-error
SETTINGS
}

# forward PORT CLUSTER SERVICE TARGET_PORT: a local port of the hub for programs that know nothing of proxies.
# socat speaks TLS or CONNECT, not both in one step: `entry` is the proxy without TLS, on loopback only.
forward() {
  if ! running entry; then
    start entry hub socat -b 262144 "TCP-LISTEN:$entry_port,bind=127.0.0.1,fork,reuseaddr" \
      "OPENSSL:$(hub_name):$server_port,cafile=hub-ca.crt,cert=client.crt,key=client.key,commonname=$(hub_name)"
    await entry "it listens" listens "$entry_port"
  fi
  start "forward-$2-$3" hub socat -b 262144 "TCP-LISTEN:$1,bind=127.0.0.1,fork,reuseaddr" \
    "PROXY:127.0.0.1:$(service_host "$2" "$3"):$4,proxyport=$entry_port"
  await "forward-$2-$3" "it listens" listens "$1"
}

listens() { in_place hub ss -Hltn "sport = :$1" | grep -q .; }
