# The same dials through every kind of frontend, which the client finds out by itself. Sourced, never run.

check_frontends() {
  frontend 'our server, HTTP CONNECT' 127.0.0.1:8090
  start_server grpc 127.0.0.2 "$program server" --mode=grpc
  start_agent grpc 127.0.0.2
  frontend "our server, konnectivity's gRPC" 127.0.0.2:8090
  start_server go-connect 127.0.0.3 "${go}proxy-server" --mode=http-connect
  start_agent go-connect 127.0.0.3
  frontend "konnectivity's server, HTTP CONNECT" 127.0.0.3:8090
  start_server go-grpc 127.0.0.4 "${go}proxy-server" --mode=grpc
  start_agent go-grpc 127.0.0.4
  frontend "konnectivity's server, gRPC" 127.0.0.4:8090
  start_server go-unix 127.0.0.5 "${go}proxy-server" --mode=http-connect --uds-name=$work/go.sock
  start_agent go-unix 127.0.0.5
  frontend "konnectivity's server, HTTP CONNECT on a Unix socket" $work/go.sock
  stop_pairs grpc go-connect go-grpc go-unix
  start_server unix 127.0.0.5 "$program server" --mode=http-connect --uds-name=$work/connect.sock --other-frontend-uds-name=$work/grpc.sock
  start_agent unix 127.0.0.5
  frontend 'our server, HTTP CONNECT on a Unix socket' $work/connect.sock
  frontend "our server, konnectivity's gRPC on a Unix socket" unix:$work/grpc.sock
  stop_pairs unix
}

stop_pairs() {
  local name
  for name in "$@"; do
    process_stop "$work/agent-$name.pid" 0
    process_stop "$work/server-$name.pid" 5
  done
}

# frontend WHAT SERVER
frontend() {
  local what=$1 CLUSTER_PROXY_SERVER=$2
  export CLUSTER_PROXY_SERVER
  check "$what: a page" fetches_page
  check "$what: 50 MB are whole" fetches_much
  check "$what: a refused connection is told" fails_with 'dial cluster1:1' 'cannot connect to cluster1:1: .*connection refused'
  check "$what: a cluster without agent is told" fails_with 'dial nowhere:80' 'no agent for "nowhere" is connected to'
  check "$what: a name that the agent cannot resolve is told" fails_with 'dial unknown.cluster1:80' 'no such host|server misbehaving|lookup'
  check "$what: many at once through a forward" many_at_once
}

fetches_page() {
  [[ $(printf 'GET /index.html HTTP/1.0\r\n\r\n' | client dial web.cluster1:7080 | tail -n 1) == 'hello from cluster1' ]]
}

fetches_much() {
  printf 'GET /much HTTP/1.0\r\n\r\n' | client dial web.cluster1:7080 | tail -c 50000000 | cmp - $work/www/much
}

# fails_with ARGUMENTS PATTERN
fails_with() {
  local code=0 text
  # shellcheck disable=SC2086 # several arguments
  text=$(client $1 2>&1 </dev/null) || code=$?
  [ $code = 1 ] && grep -qE -- "$2" <<<"$text" || { echo "exit code $code, said: $text" >&2; return 1; }
}

many_at_once() {
  rm -f $work/many.out
  client_start many forward 0:web.cluster1:7080
  eventually says $work/many.out 'Forwarding from 127.0.0.1:[0-9]+ -> web.cluster1:7080' || return 1
  local port pids=() pid status=0
  port=$(forwarded_port many)
  for _ in {1..20}; do
    curl -sf -m $within -o /dev/null "http://127.0.0.1:$port/index.html" &
    pids+=($!)
  done
  for pid in "${pids[@]}"; do wait "$pid" || status=1; done
  client_stop many
  [ $status = 0 ] || cat $work/many.out >&2
  return $status
}

# forwarded_port NAME [NUMBER]: the local port of the NUMBERth forward of a client.
forwarded_port() {
  sed -nE 's/^Forwarding from [^ ]*:([0-9]+) -> .*/\1/p' "$work/$1.out" | sed -n "${2:-1}p"
}
