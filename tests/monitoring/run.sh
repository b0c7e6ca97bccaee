#!/bin/bash
# The alerts and the dashboard of deploy/monitoring, in the real Prometheus.
#
#   tests/monitoring/run.sh [--program PATH]      PATH: the built cluster-proxy, build/release/bin by default
#
# promtool checks the rules and runs their tests; then a Prometheus scrapes a server and agents to which everything has
# happened that the pictures are about, and every series that rules and dashboard name has to be there.
# prometheus and promtool are those of PATH, Debian's package prometheus (scripts/install-deps test).
set -euo pipefail
cd "$(dirname "$0")/../.."
. tests/peers/lib/process.sh

program=$PWD/build/release/bin/cluster-proxy
while (($#)); do
  case $1 in
    --program) program=$(realpath "${2:?--program needs a path}") && shift 2 ;;
    *) sed -n '2,9s/^# \{0,1\}//p' "$0" >&2 && exit 2 ;;
  esac
done
[[ -x $program ]] || { printf 'monitoring: no program %s; build it, and give it with --program\n' "$program" >&2; exit 2; }
for tool in prometheus promtool; do
  command -v $tool >/dev/null || { printf 'monitoring: no %s: scripts/install-deps test\n' $tool >&2; exit 2; }
done

within=60
work=$(mktemp -d)
pids=()

tidy() {
  local code=$?
  ((${#pids[@]})) && kill -KILL "${pids[@]}" 2>/dev/null
  if ((code != 0)); then tail -n 15 "$work"/*.log; fi
  rm -rf "$work"
  exit "$code"
}
trap tidy EXIT

start() { # NAME COMMAND...
  "${@:2}" >"$work/$1.log" 2>&1 &
  pids+=($!)
  disown $! # the shell has nothing to say about its end
}

free_ports() {
  python3 -c '
import socket, sys
held = [socket.socket() for _ in range(int(sys.argv[1]))]
ports = []
candidate = 20000 + (__import__("os").getpid() * 31) % 20000
for each in held:
    while True:
        candidate += 1
        try:
            each.bind(("127.0.0.1", candidate)); break
        except OSError: pass
    ports.append(candidate)
print(*ports)' "$1"
}

# connect TARGET: one CONNECT through the server, as Prometheus sees it then.
connect() {
  curl -s -o /dev/null --max-time 10 --proxytunnel --proxy "https://127.0.0.1:$front" --proxy-cacert "$pki/ca.crt" \
    --proxy-cert "$pki/client-alice.crt" --proxy-key "$pki/client-alice.key" "http://$1/"
}

agent() { # NAME CERTIFICATE HEALTH_PORT FLAG...
  start "$1" "$program" agent --proxy-server-host=127.0.0.1 --proxy-server-port="$agents" --ca-cert="$pki/ca.crt" \
    --agent-cert="$pki/$2.crt" --agent-key="$pki/$2.key" --health-server-host=127.0.0.1 --health-server-port="$3" \
    --agent-id="$1" "${@:4}"
}

(cd deploy/monitoring && promtool check rules alerts.yaml && promtool test rules alerts_test.yaml && promtool check config prometheus.yaml)
scripts/chart check

pki=$work/pki
"$program" pki init --dir "$pki" >/dev/null
"$program" pki issue server 127.0.0.1 --dir "$pki" >/dev/null
"$program" pki issue client alice --dir "$pki" >/dev/null
for cluster in c1 c2; do "$program" pki issue agent $cluster --dir "$pki" >/dev/null; done
read -r front agents health admin agent_health thief_health agent_admin thief_admin site web <<<"$(free_ports 10)"

start server "$program" server --mode=http-connect --proxy-strategies=destHost --cluster-identity=enforce \
  --cluster-identifiers=c1=127.0.0.1 --server-bind-address=127.0.0.1 --server-port="$front" --agent-bind-address=127.0.0.1 \
  --agent-port="$agents" --health-bind-address=127.0.0.1 --health-port="$health" --admin-port="$admin" \
  --server-cert="$pki/server.crt" --server-key="$pki/server.key" --server-ca-cert="$pki/ca.crt" \
  --cluster-cert="$pki/server.crt" --cluster-key="$pki/server.key" --cluster-ca-cert="$pki/ca.crt"
start site python3 -m http.server --bind 127.0.0.1 --directory deploy/monitoring "$site"
wait_until $within curl -sf -o /dev/null "http://127.0.0.1:$health/healthz"
agent owner agent-c1 "$agent_health" --admin-server-port="$agent_admin" --agent-identifiers=host=127.0.0.1 '--deny-destination=*:22'
agent thief agent-c2 "$thief_health" --admin-server-port="$thief_admin" --agent-identifiers=host=127.0.0.1
wait_until $within curl -sf -o /dev/null "http://127.0.0.1:$agent_health/readyz"

sed "s/8092/$health/; s/8093/$agent_health/; s/15s/1s/; s|alerts.yaml|$PWD/deploy/monitoring/alerts.yaml|" \
  deploy/monitoring/prometheus.yaml >"$work/prometheus.yaml"
start prometheus prometheus --config.file="$work/prometheus.yaml" --storage.tsdb.path="$work/data" --web.listen-address="127.0.0.1:$web"

happen() {
  connect "127.0.0.1:$site" || true
  connect 127.0.0.1:1 || true  # refused by the target
  connect 127.0.0.1:22 || true # by the agent's rule
  connect nobody:80 || true    # no agent
  python3 tests/monitoring/check.py "http://127.0.0.1:$web" deploy/monitoring docs/operations.md >"$work/check.log" 2>&1
}
wait_until $within happen || { cat "$work/check.log"; exit 1; }
cat "$work/check.log"
