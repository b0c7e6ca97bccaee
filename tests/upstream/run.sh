#!/bin/bash
# run.sh --server PATH --agent PATH [--run REGEX] [--log FILE]: the reference's own black-box tests against two programs.
#
# PATH may be `go` for the reference's own program. Prints one line per test and a summary; what the programs and the tests
# wrote is in FILE (by default in the cache), and for a failed test also on the screen. Exit code 0: all passed.
# The tests run in a network namespace of their own, without any way out of it; that needs root or user namespaces.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/../peers/lib/peers.sh"

suite=sigs.k8s.io/apiserver-network-proxy
dns_address=127.0.0.1:53

usage() {
  sed -n '2,7s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
  exit "$1"
}

main() {
  server='' agent='' regex=. log=''
  while [ $# -gt 0 ]; do
    case $1 in
      --server | --agent | --run | --log) [ $# -ge 2 ] || fail "$1 needs a value" ;;&
      --server) server=$(program "$2" go-proxy-server) ;;
      --agent) agent=$(program "$2" go-proxy-agent) ;;
      --run) regex=$2 ;;
      --log) log=$2 ;;
      -h | --help) usage 0 ;;
      *) usage 2 >&2 ;;
    esac
    shift $(($# > 1 ? 2 : 1))
  done
  [ -n "$server" ] && [ -n "$agent" ] || usage 2 >&2
  build_once upstream build_suite "$here"/go.mod "$here"/go.sum "$here"/additions/*.go "${BASH_SOURCE[0]}"
  [ -n "$log" ] || log=$built/$(basename "$server")-$(basename "$agent").log
  run_suite "$built/upstream.test"
}

# program PATH_OR_GO PEER_PROGRAM
program() {
  if [ "$1" = go ]; then
    "$here/../peers/build.sh" konnectivity >/dev/null
    echo "$peers_bin/$2"
  else
    [ -x "$1" ] && realpath -s "$1" || fail "$1 is not a program: build it first, or say 'go' for the reference's"
  fi
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

run_suite() {
  local status=0
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  echo "nameserver ${dns_address%:*}" >"$work/resolv.conf"
  echo "server $server"
  echo "agent  $agent"
  (cd "$work" && TMPDIR=$work isolated "$1" -server-path "$server" -agent-path "$agent" -dns $dns_address \
    -test.v -test.timeout 15m -test.run "$regex" >"$work/log" 2>&1) || status=$?
  mkdir -p "$(dirname "$log")"
  cp "$work/log" "$log"
  report "$log" || status=1
  return "$status"
}

# isolated COMMAND...: runs it with loopback, a resolver and an address that swallows packets, and nothing else.
# COMMAND is the first process of its PID namespace: whatever it started ends with it.
isolated() {
  local apart=(unshare --net --mount --pid --fork --kill-child --mount-proc)
  [ "$(id -u)" = 0 ] || apart+=(--user --map-root-user)
  "${apart[@]}" true 2>/dev/null ||
    fail "cannot make namespaces: run as root, or allow user namespaces (sysctl kernel.unprivileged_userns_clone=1)"
  "${apart[@]}" bash -euc '
    mount --bind resolv.conf /etc/resolv.conf
    ip link set lo up
    # The suite dials 198.18.0.254 and expects no answer: frames to that hardware address, which nobody has, vanish.
    ip link add swallow0 type veth peer name swallow1
    ip address add 198.18.0.1/15 dev swallow0
    ip link set swallow0 up
    ip link set swallow1 up
    ip neighbour add 198.18.0.254 lladdr 02:00:00:00:00:fe dev swallow0 nud permanent
    exec "$@"' isolated "$@"
}

# report LOG: one line per test, then for each failed one what the tests and programs wrote while it ran.
report() {
  local results='^ *--- (PASS|FAIL|SKIP): '
  grep -E "$results" "$1" || { tail -n 40 "$1"; fail "no test ran; the whole log is in $1"; }
  local name
  for name in $(sed -n 's/^--- FAIL: \([^ ]*\).*/\1/p' "$1"); do
    echo "=== $name failed:"
    sed -n "/^=== RUN   $name\$/,/^--- FAIL: $name /p" "$1" | grep -E '^ +[a-z_]+_test\.go:|^(panic|fatal error|==[0-9]+==|SUMMARY)|Sanitizer' || true
  done
  printf '%d passed, %d failed, %d skipped; log: %s\n' "$(grep -c '^--- PASS' "$1")" "$(grep -c '^--- FAIL' "$1")" "$(grep -c '^--- SKIP' "$1")" "$1"
  grep -qx PASS "$1"
}

main "$@"
