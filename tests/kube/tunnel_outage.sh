# The API server goes away for longer than a lease and a cached verdict last: what is established goes on, who comes is told
# and waits, and all is well when it is back. Sourced by tunnel.sh, never run.

lease_seconds=30   # for which a lease is good
verdict_seconds=60 # for which the server remembers a good token

check_outage() {
  local token=$work/token port
  port=$(sed 's/.*://' $cluster/address)
  make_token agents agent $audience >$token
  start_server outage 127.0.0.1 "$server" --agent-namespace=agents --agent-service-account=agent \
    --authentication-audience=$audience --enable-lease-controller
  start_agent held "$agent" --service-account-token-path=$token
  check 'agent and lease are there' eventually both_ready
  hold_stream
  make_token agents agent $audience >$work/late-token
  "$peers/kube_apiserver.sh" stop $cluster
  check_without_api_server
  "$peers/kube_apiserver.sh" start $cluster --port "$port"
  check 'the agent gets in when the API server is back' eventually curl -sf -o /dev/null http://127.0.0.1:8193/readyz
  check 'the lease is renewed again' eventually renewed_lately
  check 'the held stream has not missed a byte' goes_on 10
  stop_agent late
  stop_agent held
  stop_server outage
  process_stop $work/stream.pid 1
}

check_without_api_server() {
  local refusal='agent refused.*could not review the token.*refused'
  start_agent late "$agent" --service-account-token-path=$work/late-token --health-server-port=8193 --admin-server-port=8194
  check 'without the API server a new agent is refused, and the server says why' eventually logged outage "$refusal"
  check 'and so does the agent' eventually logged late 'cannot connect to server.*could not review the token'
  check 'the server says that its lease is in danger' eventually logged outage 'cannot ensure own lease exists.*refused'
  check "a held stream goes on for longer than a verdict and a lease last" goes_on $(((verdict_seconds + lease_seconds / 6) * 10))
  check 'a new connection of the agent that is there goes through' fetch
  check 'the server is ready' curl -sf -o /dev/null http://127.0.0.1:8092/readyz
  check 'the refused agent still waits' late_waits
  check 'it has not flooded the log' told_seldom late 'cannot connect to server'
}

both_ready() { ready && lease_exists konnectivity-proxy-server-outage; }

hold_stream() {
  process_start $work/stream.pid "$logs/stream" "$here/held_stream.py" 127.0.0.1:8090 $work/ca.crt $work/client.crt \
    $work/client.key $work/progress
  eventually test -s $work/progress || fail "no stream through the tunnel; see $logs/stream"
}

# goes_on COUNT: so many more numbers come back, ten a second.
goes_on() {
  local wanted=$(($(cat $work/progress) + $1))
  wait_until $(($1 / 5 + within)) reached "$wanted" && process_alive $work/stream.pid
}
reached() { [ "$(cat $work/progress)" -ge "$1" ] || ! process_alive $work/stream.pid; }

late_waits() { process_alive $work/late.pid && ! curl -sf -o /dev/null http://127.0.0.1:8193/readyz; }
told_seldom() { [ "$(grep -cE -- "$2" "$logs/$1")" -le 3 ]; } # NAME PATTERN

renewed_lately() {
  lease konnectivity-proxy-server-outage |
    jq -e '.spec.renewTime | sub("[.][0-9]+Z$"; "Z") | fromdate - now | fabs < 15' >/dev/null
}
