# What an operator types, and gets wrong. Sourced, never run.

check_operator() {
  pki_ca $work operators operators
  pki_cert $work operator operators /CN=operator clientAuth
  check 'status tells of the cluster' says_of_status 'cluster1-connect +connected'
  check 'status -w reaches a reader at once, and ends with it' watch_is_read
  check 'status -w goes on when the server comes back' watch_outlives_the_server
  check 'status -o yaml has numbers that other programs read as such' yaml_has_numbers
  check 'status of a cluster that is not there ends with 1' fails_with 'status nowhere' 'no agent of cluster "nowhere"'
  check 'status names the flag for the server that it asks' fails_with 'status --admin=127.0.0.1:8092' 'it answered 404 .*is it the admin port'
  check 'top -o json, once' says_of_top
  check 'doctor finds the way' doctor_says 0 'ok +target +web.cluster1:7080 takes connections' web.cluster1:7080
  check 'doctor tells an agent from the port of clients' doctor_says 1 'FAIL +protocol .*port for clients' --agent
  check 'doctor looks for neither certificates nor TLS with --plaintext' doctor_says 1 'FAIL +port .*connection refused' --plaintext --server=127.0.0.1:1 --ca-cert=/nonexistent
  check 'doctor tells a port that speaks TLS after all' doctor_says 1 'FAIL +tls .*speaks TLS' --plaintext
  check 'doctor tells that a server speaks something else than it is told' doctor_says 1 'FAIL +protocol .*no gRPC' --protocol=grpc
  check 'doctor tells a certificate that the server refuses' doctor_says 1 '-> the server refuses this certificate' --client-cert=$work/operator.crt --client-key=$work/operator.key
  check 'doctor tells a target that refuses' doctor_says 1 'FAIL +target .*connection refused' cluster1:1
  check 'output that is lost is told, by each command that prints' lost_output_is_told
  check 'a reader that leaves is told nothing' leaving_readers_are_quiet
  check 'a signal is in the exit code' signals_have_codes
  check 'settings reach kubeconfig and pki under their names' settings_of_sections
  check 'a typing error in the settings file has its line and what was meant' misspelt_settings_are_told
  check 'a key that nobody may read is told' unreadable_key_is_told
}

says_of_status() { client status -o wide | grep -qE -- "$1"; }
# The reader takes three lines of three looks and goes; status must not stay behind.
watch_is_read() {
  local seen began=$SECONDS
  seen=$(timeout 15 "$program" status -w --interval=100ms | grep -m 3 -c connected) || true
  [ "$seen" = 3 ] && [ $((SECONDS - began)) -lt 10 ]
}
watch_outlives_the_server() {
  client_start watch status -w -o wide --interval=100ms
  eventually says $work/watch.out '^cluster1-connect +connected' || return 1
  process_stop $work/server-connect.pid 5
  eventually says $work/watch.out 'is it the admin port of a running server' || return 1
  : >$work/watch.out
  start_server connect 127.0.0.1 "$program server" --mode=http-connect
  eventually says $work/watch.out '^cluster1-connect +connected' && client_stop watch
}
yaml_has_numbers() {
  client status -o yaml | python3 -c '
import sys, yaml
page = yaml.safe_load(sys.stdin)
link = page["clusters"][0]["links"][0]
numbers = [page["server"]["uptimeSeconds"], link["ageSeconds"], link["roundTripSeconds"]]
sys.exit(0 if all(isinstance(number, (int, float)) for number in numbers) else repr(numbers))'
}
says_of_top() { client top --watch=false -o json | jq -e '.version == 1' >/dev/null; }
# doctor_says EXIT-CODE PATTERN ARGUMENT...
doctor_says() {
  local code=0 text
  text=$(client doctor "${@:3}" 2>&1) || code=$?
  [ $code = "$1" ] && grep -qE -- "$2" <<<"$text" || { echo "exit code $code, said: $text" >&2; return 1; }
}
lost_output_is_told() {
  local line code said
  for line in 'forward 0:web.cluster1:7080' 'proxy --http=0' 'bench -t 1s redis.cluster1:7079' 'bench --serve=0' 'dial web.cluster1:7080' \
    status 'status -w' 'top -o json' doctor help 'dial --help' --help version 'completion zsh' 'server --help' \
    "pki init --dir=$work/lost" "pki show --dir=$work/lost" "kubeconfig c --certificate-authority=$work/ca.crt --forward=a:1"; do
    code=0
    # shellcheck disable=SC2086 # several arguments
    said=$(printf 'GET / HTTP/1.0\r\n\r\n' | timeout $within "$program" $line 2>&1 >/dev/full) || code=$?
    [ $code = 1 ] && grep -q 'standard output: no space left on device' <<<"$said" ||
      { echo "$line: exit code $code, said: $said" >&2; return 1; }
  done
}
# An input that stays open, so that it is not its end which ends the command.
held_open() {
  [ -p $work/held ] || mkfifo $work/held
  exec {held}<>$work/held
  printf '%b' "$1" >&"$held"
}
leaving_readers_are_quiet() {
  local line
  held_open 'GET /much HTTP/1.0\r\n\r\n'
  for line in 'dial web.cluster1:7080' 'bench -t 1s redis.cluster1:7079' 'status -w --interval=100ms' doctor; do
    # shellcheck disable=SC2086 # several arguments
    timeout $within "$program" $line <&"$held" 2>$work/leaving.out | head -n 1 >/dev/null
    [ "${PIPESTATUS[0]}" = 1 ] && [ ! -s $work/leaving.out ] || { echo "$line said: $(cat $work/leaving.out)" >&2; return 1; }
  done
  exec {held}>&-
}
signals_have_codes() {
  local signal code
  held_open ''
  for signal in INT=130 TERM=143; do
    code=0
    timeout --preserve-status -s ${signal%=*} 1 "$program" dial redis.cluster1:7079 <&"$held" || code=$?
    [ $code = ${signal#*=} ] || { echo "$signal: exit code $code" >&2; return 1; }
  done
  exec {held}>&-
}
# tls-server-name is of the tunnel's server at the top, of the API server under kubeconfig:.
settings_of_sections() {
  cat >$work/sections.yaml <<END
server: 127.0.0.1:8090
tls-server-name: localhost
forward: {tls-server-name: 127.0.0.1}
kubeconfig: {proxy-url: "http://127.0.0.1:8118", certificate-authority: $work/ca.crt}
pki: {dir: $work/sections, days: 30}
END
  local CLUSTER_PROXY_CONFIG=$work/sections.yaml
  export CLUSTER_PROXY_CONFIG
  client kubeconfig c1 >$work/sections.out && says $work/sections.out 'proxy-url: http://127.0.0.1:8118' &&
    says $work/sections.out 'tls-server-name: kubernetes.default.svc' || return 1
  client kubeconfig c1 --forward=127.0.0.1:6443 >$work/sections.out && ! says $work/sections.out proxy-url || return 1
  CLUSTER_PROXY_KUBECONFIG_PROXY_URL=socks5://h:1 client kubeconfig c1 | grep -q 'proxy-url: socks5://h:1' || return 1
  client pki init >/dev/null && CLUSTER_PROXY_NAME=x CLUSTER_PROXY_PKI_NAME=x client pki issue agent c1 >/dev/null &&
    client pki show -o json agent-c1 | jq -e '.[0].daysLeft < 31' >/dev/null
}
misspelt_settings_are_told() {
  sed 's/^client-key/client-kye/' $work/settings.yaml >$work/misspelt.yaml
  fails_with "dial --config=$work/misspelt.yaml web.cluster1:80" 'misspelt.yaml:3: client-kye: .*did you mean client-key'
}
unreadable_key_is_told() {
  local code=0
  install -m 000 $work/client.key $work/locked.key
  unprivileged "$program" dial web.cluster1:80 --client-key=$work/locked.key >$work/locked.out 2>&1 </dev/null || code=$?
  [ $code = 1 ] && says $work/locked.out "invalid --client-key=$work/locked.key: cannot read the file: Permission denied"
}
