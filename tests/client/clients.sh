# Programs that other people wrote, through our client's commands. Sourced, never run.

check_dial() {
  start_sshd
  check 'ssh with dial as its ProxyCommand' ssh_through_dial
  check 'ssh carries 20 MB both ways' ssh_much
  check "dial's exit code is 1, with a reason, when the server is not there" \
    fails_with 'dial --server=127.0.0.1:1 web.cluster1:80' 'cannot connect to 127.0.0.1:1: .*connection refused'
  check 'a certificate of nobody is told' fails_with "dial --tls-server-name=other web.cluster1:80" \
    'certificate'
  check 'a client certificate of nobody is told' stranger_is_told
  check 'dial ends when the reader of its output has gone' dial_into_a_closed_pipe
  check 'dial leaves the flags of a shared terminal or pipe alone' leaves_flags
}

stranger_is_told() {
  pki_ca $work elsewhere elsewhere
  pki_cert $work stranger elsewhere /CN=stranger clientAuth
  fails_with "dial web.cluster1:80 --client-cert=$work/stranger.crt --client-key=$work/stranger.key" \
    'the connection to 127.0.0.1:8090 was lost: tls: .*(certificate|unknown ca)'
}

start_sshd() {
  mkdir -p /run/sshd $work/ssh
  ssh-keygen -q -t ed25519 -N '' -f $work/ssh/host
  ssh-keygen -q -t ed25519 -N '' -f $work/ssh/user
  cp $work/ssh/user.pub $work/ssh/authorized
  cat >$work/ssh/sshd_config <<END
Port 7022
ListenAddress 127.0.0.1
HostKey $work/ssh/host
AuthorizedKeysFile $work/ssh/authorized
StrictModes no
UsePAM no
PidFile none
END
  process_start $work/sshd.pid "$logs/sshd" "$(command -v sshd)" -D -e -f $work/ssh/sshd_config
}

ssh_dial() {
  ssh -F none -p 7022 -i $work/ssh/user -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR \
    -o ProxyCommand="$program dial %h:%p" "$(id -un)@ssh.cluster1" "$@"
}
ssh_through_dial() { [[ $(eventually_ssh echo it works) == 'it works' ]]; }
# sshd may still be starting.
eventually_ssh() { wait_until $within ssh_dial true && ssh_dial "$@"; }
ssh_much() { head -c 20000000 $work/www/much | ssh_dial cat | cmp - <(head -c 20000000 $work/www/much); }

dial_into_a_closed_pipe() {
  printf 'GET /much HTTP/1.0\r\n\r\n' | timeout $within "$program" dial web.cluster1:7080 2>/dev/null | head -c 100 >/dev/null
  [ "${PIPESTATUS[1]}" != 124 ]
}

leaves_flags() {
  local before after
  mkfifo $work/pipe
  exec {pipe}<>$work/pipe
  before=$(awk '/flags/ { print $2 }' /proc/$BASHPID/fdinfo/"$pipe")
  printf 'GET / HTTP/1.0\r\n\r\n' | client dial web.cluster1:7080 >&"$pipe"
  after=$(awk '/flags/ { print $2 }' /proc/$BASHPID/fdinfo/"$pipe")
  exec {pipe}>&-
  [ "$before" = "$after" ]
}

check_forward() {
  client_start forward forward 7081:web.cluster1:7080 0:redis.cluster1:7079
  check 'forward says what leads where' eventually says $work/forward.out '-> redis.cluster1:7079'
  local redis
  redis=$(forwarded_port forward 2)
  check 'curl through a forwarded port' same_page http://127.0.0.1:7081/index.html
  check 'redis-cli through another' redis_answers "$redis"
  check 'redis-benchmark: 200 connections at once' redis_load "$redis"
  check 'it takes the descriptors that the hard limit allows' redis_load_of_few_descriptors
  check 'a port that is taken is told' fails_with 'forward 7081:web.cluster1:80' 'listen on 127.0.0.1:7081: .*(in use|already)'
  client_stop forward
  check 'it ended with 0 at SIGTERM' client_ends_well
}

same_page() { [[ $(curl -sf -m $within "$@") == 'hello from cluster1' ]]; }
redis_answers() {
  [[ $(redis-cli -h 127.0.0.1 -p "$1" set key value) == OK && $(redis-cli -h 127.0.0.1 -p "$1" get key) == value ]]
}
redis_load() { timeout $within redis-benchmark -h 127.0.0.1 -p "$1" -c 200 -n 5000 -q -t ping_mbulk | tr '\r' '\n' | grep -q 'requests per second'; }
redis_load_of_few_descriptors() {
  (ulimit -Sn 64 && client_start few forward 0:redis.cluster1:7079)
  eventually says $work/few.out '-> redis.cluster1:7079' && redis_load "$(forwarded_port few)" && client_stop few
}
client_ends_well() {
  local code=0
  timeout --preserve-status -s TERM 1 "$program" forward 0:web.cluster1:80 >/dev/null || code=$?
  [ $code = 0 ]
}

check_proxy() {
  client_start proxy proxy --socks5=7180 --http=7118
  eventually says $work/proxy.out 'HTTP proxy at http://127.0.0.1:7118' || true
  check 'curl by SOCKS5, the name resolved far away' same_page --proxy socks5h://127.0.0.1:7180 http://web.cluster1:7080/index.html
  check 'curl by HTTP CONNECT' same_page --proxytunnel --proxy http://127.0.0.1:7118 http://web.cluster1:7080/index.html
  check 'curl by a plain HTTP request' same_page --proxy http://127.0.0.1:7118 http://web.cluster1:7080/index.html
  check 'curl sends two plain requests after each other' two_pages
  check 'a POST with a body by a plain request' posts
  check 'curl uploads in chunks, after a 100 Continue' uploads_chunks
  check 'curl of HTTP/1.0 gets no chunks' no_chunks
  check 'a WebSocket by a plain HTTP request' websocket
  check 'curl learns that there is no agent' curl_status 502 --proxy http://127.0.0.1:7118 http://nowhere/
  check 'curl learns by SOCKS5 that the target refuses' curl_code 97 --proxy socks5h://127.0.0.1:7180 http://cluster1:1/
  check 'a client of SOCKS4 is told of' socks4_is_told
  check '50 MB through SOCKS5 are whole' much_by_socks
  client_stop proxy
  CLUSTER_PROXY_CREDENTIALS=user:secret client_start locked proxy --socks5=7180 --http=7118
  eventually says $work/locked.out 'HTTP proxy at' || true
  check 'SOCKS5 with user and password' same_page --proxy socks5h://user:secret@127.0.0.1:7180 http://web.cluster1:7080/index.html
  check 'HTTP with user and password' same_page --proxy http://user:secret@127.0.0.1:7118 http://web.cluster1:7080/index.html
  check 'SOCKS5 with a wrong password is refused' curl_code 97 --proxy socks5h://user:wrong@127.0.0.1:7180 http://web.cluster1:7080/
  check 'HTTP without a password is refused' curl_status 407 --proxy http://127.0.0.1:7118 http://web.cluster1:7080/
  client_stop locked
}

two_pages() {
  [ "$(curl -sf -m $within --proxy http://127.0.0.1:7118 http://web.cluster1:7080/index.html \
    http://redis.cluster1:7080/index.html | grep -c hello)" = 2 ]
}
# The web server answers a POST with 501, and so has read all of it.
posts() {
  head -c 300000 $work/www/much >$work/body
  curl_status 501 --proxy http://127.0.0.1:7118 --data-binary @$work/body http://web.cluster1:7080/
}
uploads_chunks() {
  [ "$(curl -sf -m $within --proxy http://127.0.0.1:7118 -H 'Expect: 100-continue' -T - http://web.cluster1:7078/ <$work/body)" = "$(wc -c <$work/body)" ]
}
no_chunks() {
  [ "$(printf 'GET http://web.cluster1:7078/chunked HTTP/1.0\r\n\r\n' | socat -t $within - TCP:127.0.0.1:7118 | tail -n 1)" = hello ]
}
websocket() {
  [ "$(printf 'one\ntwo\n' | timeout $within python3 "$here/web_service.py" client 127.0.0.1:7118 web.cluster1:7078)" = $'ONE\nTWO' ]
}
curl_status() { [ "$(curl -s -m $within -o /dev/null -w '%{http_code}' "${@:2}")" = "$1" ]; }
curl_code() {
  local code=0
  curl -s -m $within -o /dev/null "${@:2}" || code=$?
  [ $code = "$1" ] || { echo "curl ended with $code" >&2; return 1; }
}
socks4_is_told() {
  curl_code 97 --proxy socks4a://127.0.0.1:7180 http://web.cluster1:7080/ || true
  eventually says $work/proxy.out 'SOCKS4'
}
much_by_socks() {
  curl -sf -m $within --proxy socks5h://127.0.0.1:7180 http://web.cluster1:7080/much | cmp - $work/www/much
}

check_bench() {
  process_start $work/helper.pid "$logs/helper" "$program" bench --serve=7090
  check 'bench with its helper: all four tests' benches bench://web.cluster1:7090 connect 'round trip' download upload
  check 'bench of an URL' benches http://web.cluster1:7080/much connect download
  check 'bench of a page that is not there' fails_with 'bench -t 1s http://web.cluster1:7080/nowhere' 'download test: the target answers with HTTP status 404'
  check 'bench that is interrupted tells what it has found' interrupted_bench
  check 'bench of any port' benches redis.cluster1:7079 connect
  check 'bench of a port where nobody is' fails_with 'bench cluster1:1' 'connect test: cannot connect to cluster1:1'
  process_stop $work/helper.pid 5
}

# Twice, as timeout(1) does it: the process, then its group.
interrupted_bench() {
  local code=0
  "$program" bench -t 1m redis.cluster1:7079 >$work/interrupted.out &
  eventually says $work/interrupted.out '^connect +0-1'
  kill -INT $!
  kill -INT $! 2>/dev/null || true # it may have ended
  wait $! || code=$?
  [ $code = 130 ] && says $work/interrupted.out '^Summary until' && says $work/interrupted.out '^  connect +[0-9]*[1-9][0-9]* /s' ||
    { echo "ended with $code and said: $(cat $work/interrupted.out)" >&2; return 1; }
}

# benches TARGET TEST...: the summary has exactly these tests, and none of them found nothing.
benches() {
  local summary name
  summary=$(client bench -t 1s -P 2 "$1" | sed '1,/^Summary/d') || return 1
  for name in "${@:2}"; do
    grep -qE "^  $name +[0-9.]*[1-9][0-9.]* " <<<"$summary" || { echo "no $name in: $summary" >&2; return 1; }
  done
  [ "$(wc -l <<<"$summary")" = $(($# - 1)) ] && ! grep -q failed <<<"$summary" || { echo "$summary" >&2; return 1; }
}

check_kubectl() {
  "$peers/kube_apiserver.sh" start $work/cluster --port 6443 >/dev/null
  client_start kubectl proxy --http=7119
  eventually says $work/kubectl.out 'HTTP proxy' || true
  cp $work/cluster/admin.kubeconfig $work/proxy.kubeconfig
  proxied_kubectl config set-cluster "$(proxied_kubectl config view -o 'jsonpath={.clusters[0].name}')" \
    --server=https://cluster1:6443 --tls-server-name=127.0.0.1 --proxy-url=http://127.0.0.1:7119 >/dev/null
  check 'kubectl get by proxy-url' kubectl_gets
  check 'kubectl watches and writes' kubectl_watches
  client_stop kubectl
  "$peers/kube_apiserver.sh" stop $work/cluster
}

proxied_kubectl() { "$peers_bin/kubectl" --kubeconfig $work/proxy.kubeconfig "$@"; }
kubectl_gets() { proxied_kubectl get namespaces | grep -q kube-system; }
kubectl_watches() {
  process_start $work/watch.pid $work/watch.out "$peers_bin/kubectl" --kubeconfig $work/proxy.kubeconfig get configmaps --watch -o name
  proxied_kubectl create configmap seen-through >/dev/null || return 1
  eventually says $work/watch.out 'configmap/seen-through' || return 1
  process_stop $work/watch.pid 5
}

check_faults() {
  client_start fault forward 7082:web.cluster1:7080
  eventually says $work/fault.out Forwarding || true
  check 'before the server goes' same_page http://127.0.0.1:7082/index.html
  check 'a connection to the server that is dead without a word is left within seconds' silent_link_is_left
  check 'a dial stops when the program that asked for it has gone' dial_stops
  check 'a client that is killed under load leaves nothing behind' killed_client_leaves_nothing
  process_stop $work/server-connect.pid 5
  check 'while it is away, the reason is told' tells_the_server_is_away
  start_server connect 127.0.0.1 "$program server" --mode=http-connect
  check 'it connects again by itself' eventually same_page http://127.0.0.1:7082/index.html
  client_stop fault
}

# As after a sleep of the machine: what the forward has sent on its connection vanishes, a new one would work.
silent_link_is_left() {
  local pid port status=0
  read -r pid _ <$work/fault.pid
  port=$(ss -Htnp state established dport = :8090 | sed -nE "s/.* [^ ]*:([0-9]+) +[^ ]+:8090 .*pid=$pid,.*/\1/p")
  [ -n "$port" ] || { echo 'no connection to the server was found' >&2; return 1; }
  nft -f - <<END || return 1
table ip silence { chain c { type filter hook output priority 0; tcp sport 8090 tcp dport $port drop; tcp dport 8090 tcp sport $port drop; }; }
END
  [ "$(curl -sf -m 10 http://127.0.0.1:7082/index.html)" = 'hello from cluster1' ] || status=1
  nft delete table ip silence
  return $status
}

killed_client_leaves_nothing() {
  local pid load=()
  for _ in 1 2 3 4; do
    curl -s --limit-rate 2M -o /dev/null http://127.0.0.1:7082/much &
    load+=($!)
  done
  eventually established 4 || return 1
  read -r pid _ <$work/fault.pid
  kill -KILL "$pid"
  for pid in "${load[@]}"; do
    if wait "$pid"; then echo 'a part passed for the whole' >&2 && return 1; fi
  done
  eventually established 0 || return 1
  client_start fault forward 7082:web.cluster1:7080
  eventually same_page http://127.0.0.1:7082/index.html
}
established() { curl -sf -m 1 http://127.0.0.1:8095/metrics | grep -q "^konnectivity_network_proxy_server_established_connections $1\$"; }

# A frozen agent answers no dial.
dial_stops() {
  local agent stopped=0
  read -r agent _ <$work/agent-connect.pid
  kill -STOP "$agent"
  curl -s -m 1 -o /dev/null http://127.0.0.1:7082/index.html &
  local curl=$!
  eventually pending_dials 1 || stopped=1
  wait $curl || true
  eventually says $work/fault.out 'to web.cluster1:7080: the client left before' && eventually pending_dials 0 || stopped=1
  kill -CONT "$agent"
  return $stopped
}
pending_dials() { curl -sf -m 1 http://127.0.0.1:8095/metrics | grep -q "^konnectivity_network_proxy_server_pending_backend_dials $1\$"; }

tells_the_server_is_away() {
  curl -s -m $within -o /dev/null http://127.0.0.1:7082/ || true
  eventually says $work/fault.out 'connection from 127.0.0.1:[0-9]+ to web.cluster1:7080: .*127.0.0.1:8090'
}
