#!/bin/bash
# run.sh --server PATH --agent PATH [--only] [--run REGEX]: the reference's own black-box tests against these programs.
#
# Runs all four pairings of {PATH, the reference's own} server and agent at the same time; --only leaves it at the given pair.
# PATH may be `go` for the reference's own. Prints one line per test and what a failed one said; what the programs and the
# tests wrote is in build/upstream/. Exit code 0: all passed.
# Each pairing has a network namespace of its own, without any way out of it; that needs root or user namespaces.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/../peers/lib/peers.sh"
. "$here/../peers/lib/pairings.sh"

suite=sigs.k8s.io/apiserver-network-proxy
dns_address=127.0.0.1:53
# Cancels the context of its request and of its tunnel in one step and expects the HTTP client to notice the first one first.
# It fails in up to a third of the runs on a busy machine, whatever the server and agent, so it has several attempts.
racy_test=TestProxyHandle_TunnelContextCancelled_GRPC
racy_attempts=10
logs=$(realpath -m "$here/../../build/upstream")

usage() {
  sed -n '2,7s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
  exit "$1"
}

main() {
  local server='' agent='' only='' regex=.
  while [ $# -gt 0 ]; do
    case $1 in
      --server | --agent | --run) [ $# -ge 2 ] || fail "$1 needs a value" ;;&
      --server) server=$(program "$2") && shift ;;
      --agent) agent=$(program "$2") && shift ;;
      --run) regex=$2 && shift ;;
      --only) only=yes ;;
      -h | --help) usage 0 ;;
      *) usage 2 >&2 ;;
    esac
    shift
  done
  [ -n "$server" ] && [ -n "$agent" ] || usage 2 >&2
  require_namespaces
  "$here/../peers/build.sh" konnectivity >/dev/null
  build_once upstream build_suite "$here"/go.mod "$here"/go.sum "$here"/additions/*.go "${BASH_SOURCE[0]}"
  run_pairings "$(pairings "$server" "$agent" "$only")" "$regex"
}

# run_pairings PAIRINGS REGEX: all at once, since they mostly wait; reports in the given order.
run_pairings() {
  local server agent log failed=0 status
  local -A running=()
  work=$(mktemp -d)
  # Each pairing dies with its subshell: see require_namespaces.
  trap 'kill -KILL "${running[@]}" 2>/dev/null || true; rm -rf "$work"' EXIT
  mkdir -p "$logs"
  echo "nameserver ${dns_address%:*}" >"$work/resolv.conf"
  echo "running $(wc -l <<<"$1") pairings at once; the slowest test takes 62 s; logs: $logs"
  while read -r server agent; do
    log=$(log_of "$server" "$agent")
    run_suite "$(executable "$server" server)" "$(executable "$agent" agent)" "$2" "$log" &
    running[$log]=$!
  done <<<"$1"
  while read -r server agent; do
    log=$(log_of "$server" "$agent")
    status=0
    wait "${running[$log]}" || status=$?
    unset "running[$log]"
    printf '\n== server %s, agent %s\n' "$server" "$agent"
    report "$log" && [ $status = 0 ] || failed=$((failed + 1))
  done <<<"$1"
  [ $failed = 0 ] || fail "$failed of $(wc -l <<<"$1") pairings failed"
}

log_of() {
  echo "$logs/server-$(basename "$1")-agent-$(basename "$2").log"
}

# The module cache is read-only, so a copy of the suite takes our files. Only the copy knows where it is.
build_suite() {
  require_go "$here"
  echo "building the suite of $suite" >&2
  local source
  source=$(cd "$here" && go mod download && go list -m -f '{{.Dir}}' $suite)
  cp -r "$source" "$1/module"
  chmod -R u+w "$1/module"
  cp "$here"/additions/*.go "$1/module/tests/"
  cp "$here"/go.mod "$here"/go.sum "$1/"
  go mod edit -replace "$suite=$1/module" "$1/go.mod"
  (cd "$here" && CGO_ENABLED=0 nice go test -c -p 2 -buildvcs=false -vet=off -modfile "$1/go.mod" -o "$1/upstream.test" $suite/tests)
}

# run_suite SERVER AGENT REGEX LOG: what the tests say goes to LOG, what the programs say to LOG.programs.
run_suite() {
  local dir attempt status=0
  dir=$(mktemp -d -p "$work")
  cd "$dir"
  local tests=("$built/upstream.test" -server-path "$1" -agent-path "$2" -dns $dns_address -test.v -test.timeout 15m)
  export TMPDIR=$dir
  isolated "${tests[@]}" -test.run "$3" -test.skip "^$racy_test\$" >"$4" 2>"$4.programs" || status=1
  [[ $racy_test =~ $3 ]] || return $status
  for ((attempt = 1; attempt <= racy_attempts; attempt++)); do
    isolated "${tests[@]}" -test.run "^$racy_test\$" >"$4.racy" 2>>"$4.programs" && break
  done
  cat "$4.racy" >>"$4"
  ((attempt <= racy_attempts && status == 0))
}

# isolated COMMAND...: runs it with loopback, a resolver and an address that swallows packets, and nothing else.
isolated() {
  "${apart[@]}" bash -euc '
    mount --bind ../resolv.conf /etc/resolv.conf
    ip link set lo up
    # The suite dials 198.18.0.254 and expects no answer: frames to that hardware address, which nobody has, vanish.
    ip link add swallow0 type veth peer name swallow1
    ip address add 198.18.0.1/15 dev swallow0
    ip link set swallow0 up
    ip link set swallow1 up
    ip neighbour add 198.18.0.254 lladdr 02:00:00:00:00:fe dev swallow0 nud permanent
    exec "$@"' isolated "$@"
}

# report LOG: one line per test, then what each failed one said, then any sign of a crash.
report() {
  grep -aE '^--- (PASS|FAIL|SKIP): ' "$1" || {
    echo "no test ran"
    tail -n 20 "$1" "$1.programs"
    return 1
  }
  local name
  for name in $(sed -n 's/^--- FAIL: \([^ ]*\).*/\1/p' "$1"); do
    echo "=== $name failed:"
    sed -n "/^=== RUN   $name\$/,/^--- FAIL: $name /p" "$1" | grep -aE '^ +[a-z_]+_test\.go:' || true
  done
  grep -aE '^(panic:|fatal error:|==[0-9]+==ERROR|SUMMARY: )|runtime error:|Sanitizer:' "$1.programs" || true
  printf '%d passed, %d failed, %d skipped\n' "$(grep -ac '^--- PASS' "$1")" "$(grep -ac '^--- FAIL' "$1")" "$(grep -ac '^--- SKIP' "$1")"
}

main "$@"
