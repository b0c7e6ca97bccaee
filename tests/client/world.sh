# The world of run.sh: keys, servers of both makes, agents, and services behind them. Sourced, never run.
# Each server has an address of its own and the usual ports there. Each agent leads to "cluster1": names that only it knows.

within=20 # seconds for anything that has to happen

make_world() {
  work=/run/work
  mkdir $work
  pki_ca $work ca tunnel
  pki_cert $work server ca /CN=server serverAuth IP:127.0.0.1,IP:127.0.0.2,IP:127.0.0.3,IP:127.0.0.4,IP:127.0.0.5,DNS:localhost
  pki_cert $work client ca /CN=client clientAuth
  cat >$work/settings.yaml <<END
ca-cert: $work/ca.crt
client-cert: $work/client.crt
client-key: $work/client.key
END
  export CLUSTER_PROXY_CONFIG=$work/settings.yaml
  ours=$(dirname "$program") go=$peers_bin/go-
  name_services
  start_services
  start_server connect 127.0.0.1 "$program server" --mode=http-connect
  start_agent connect 127.0.0.1
  export CLUSTER_PROXY_SERVER=127.0.0.1:8090
}

# The names resolve for agents alone, in effect: nothing else here asks for them.
name_services() {
  printf '127.0.0.1 localhost web.cluster1 ssh.cluster1 redis.cluster1 db.cluster1 cluster1\n' >$work/hosts
  mount --bind $work/hosts /etc/hosts
}

start_services() {
  mkdir $work/www
  printf 'hello from cluster1\n' >$work/www/index.html
  head -c 50000000 /dev/urandom >$work/www/much
  process_start $work/web.pid "$logs/web" python3 -m http.server --bind 127.0.0.1 --directory $work/www 7080
  process_start $work/web-service.pid "$logs/web-service" python3 "$here/web_service.py" server 7078
  process_start $work/redis.pid "$logs/redis" redis-server --port 7079 --bind 127.0.0.1 --save '' --dir $work
  wait_until $within curl -sf -o /dev/null http://127.0.0.1:7080/ || fail "no web server; see $logs/web"
  wait_until $within curl -sf -o /dev/null http://127.0.0.1:7078/chunked || fail "no web service; see $logs/web-service"
}

# start_server NAME ADDRESS PROGRAM FLAG...
start_server() {
  local frontend=(--server-bind-address="$2" --server-cert=$work/server.crt --server-key=$work/server.key
    --server-ca-cert=$work/ca.crt)
  [[ " $* " != *" --uds-name="* ]] || frontend=(--server-port=0)
  # shellcheck disable=SC2086 # a program may have a subcommand
  process_start "$work/server-$1.pid" "$logs/server-$1" $3 --server-id="$1" --proxy-strategies=destHost "${frontend[@]}" \
    --agent-bind-address="$2" --health-bind-address="$2" --admin-bind-address="$2" \
    --cluster-cert=$work/server.crt --cluster-key=$work/server.key --cluster-ca-cert=$work/ca.crt "${@:4}"
  wait_until $within curl -sf -o /dev/null "http://$2:8092/healthz" || fail "server $1 does not start; see $logs/server-$1"
}

# start_agent NAME ADDRESS
start_agent() {
  process_start "$work/agent-$1.pid" "$logs/agent-$1" "$program" agent --proxy-server-host="$2" --ca-cert=$work/ca.crt \
    --agent-cert=$work/client.crt --agent-key=$work/client.key --agent-id="cluster1-$1" \
    --agent-identifiers='host=web.cluster1&host=ssh.cluster1&host=redis.cluster1&host=db.cluster1&host=cluster1&host=unknown.cluster1' \
    --health-server-host="$2" --admin-bind-address="$2" --sync-interval=200ms --sync-interval-cap=1s
  wait_until $within curl -sf -o /dev/null "http://$2:8092/readyz" || fail "agent $1 does not connect; see $logs/agent-$1"
}

client() { "$program" "$@"; }

# client_start NAME COMMAND...: in the background, what it says in $work/NAME.out and $logs/NAME.
client_start() {
  process_start "$work/$1.pid" "$work/$1.out" "$program" "${@:2}"
}
client_stop() { process_stop "$work/$1.pid" 10; }

# says FILE PATTERN
says() { grep -qE -- "$2" "$1"; }
eventually() { wait_until $within "$@"; }
