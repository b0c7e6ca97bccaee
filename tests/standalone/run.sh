#!/bin/bash
# docs/standalone.md, done: server, agent and client on three machines, which are network namespaces. Needs root.
#
#   tests/standalone/run.sh [--program PATH]      PATH: the built cluster-proxy, build/release/bin by default
#
# The services run what ExecStart of the units in deploy/systemd says, with the files of this test in place of
# /etc/cluster-proxy. With systemd-analyze at hand, the units are verified too.
set -euo pipefail
cd "$(dirname "$0")/../.."

. tests/peers/lib/process.sh

program=$PWD/build/release/bin/cluster-proxy
while (($#)); do
  case $1 in
    --program) program=$(realpath "${2:?--program needs a path}") && shift 2 ;;
    *) sed -n '2,7s/^# \{0,1\}//p' "$0" >&2 && exit 2 ;;
  esac
done
[[ -x $program ]] || { printf 'standalone: no program %s; build it, and give it with --program\n' "$program" >&2; exit 2; }
if ((EUID != 0)); then
  printf 'standalone: needs root, for network namespaces\n' >&2
  exit 2
fi

within=20 # seconds for anything that has to happen
work=$(mktemp -d)
tag=cps$$
pids=()
hub=10.77.0.1

machine() { printf '%s-%s' "$tag" "$1"; }
on() { ip netns exec "$(machine "$1")" "${@:2}"; }

tidy() {
  local code=$? machine
  ((${#pids[@]})) && kill -KILL "${pids[@]}" 2>/dev/null
  for machine in server agent client; do ip netns del "$(machine $machine)" 2>/dev/null; done
  ip link del "$tag" 2>/dev/null
  if ((code != 0)); then tail -n 20 "$work"/*.log; fi
  rm -rf "$work"
  exit "$code"
}
trap tidy EXIT

fail() {
  printf 'standalone: FAILED: %s\n' "$1" >&2
  exit 1
}

# machines are joined by one bridge; each may reach the server's, and nobody the agent's.
make_machines() {
  local number=1 name
  ip link add "$tag" type bridge
  ip link set "$tag" up
  for name in server agent client; do
    ip netns add "$(machine $name)"
    ip link add "$tag$number" type veth peer name eth0 netns "$(machine $name)"
    ip link set "$tag$number" master "$tag" up
    [[ $name == server ]] || bridge link set dev "$tag$number" isolated on
    on $name ip addr add "10.77.0.$number/24" dev eth0
    on $name ip link set eth0 up
    on $name ip link set lo up
    number=$((number + 1))
  done
}

# start LOG MACHINE COMMAND...: runs it until the end of the test. Without exec it would be a child of the process that tidy ends.
start() {
  (exec ip netns exec "$(machine "$2")" "${@:3}") >"$work/$1.log" 2>&1 &
  pids+=($!)
  disown $! # the shell has nothing to say about its end
}

# unit NAME MACHINE FLAGS: runs what the unit runs, with the files in $work/MACHINE.
unit() {
  local line
  line=$(sed -n '/^ExecStart=/,/[^\\]$/p' "deploy/systemd/cluster-proxy-$1.service" | sed 's/\\$//' | tr -d '\n')
  line=${line#ExecStart=/usr/local/bin/cluster-proxy}
  line=${line//\/etc\/cluster-proxy/$work\/$2}
  line=${line//\$CLUSTER_PROXY_FLAGS/$3}
  local flags
  read -r -a flags <<<"$line"
  # The agent's machine knows the name of its own network; the others do not.
  start "$2" "$2" unshare --mount bash -c 'mount --bind "$1" /etc/hosts && exec "${@:2}"' - "$work/$2/hosts" "$program" "${flags[@]}"
}

quietly() { "$@" >"$work/last" 2>&1; }
eventually() { # WHAT_IF_NOT COMMAND...
  wait_until $within quietly "${@:2}" || { cat "$work/last" >&2; fail "$1"; }
}

fetch() {
  on client curl -sS --max-time 10 --proxytunnel --proxy "https://$hub:8090" --proxy-cacert "$work/client/ca.crt" \
    --proxy-cert "$work/client/$1.crt" --proxy-key "$work/client/$1.key" "${@:2}"
}

make_certificates() {
  local pki=$work/pki
  "$program" pki init --dir "$pki" >/dev/null
  "$program" pki issue server hub.example.com $hub --dir "$pki" >/dev/null
  "$program" pki issue agent cluster1 --dir "$pki" >/dev/null
  "$program" pki issue client alice --dir "$pki" >/dev/null
  mkdir "$work/server" "$work/agent" "$work/client"
  cp "$pki"/{ca.crt,server.crt,server.key} "$work/server"
  cp "$pki/ca.crt" "$work/agent"
  cp "$pki/agent-cluster1.crt" "$work/agent/agent.crt"
  cp "$pki/agent-cluster1.key" "$work/agent/agent.key"
  cp "$pki"/{ca.crt,client-alice.*} "$work/client"
  cp "$pki"/agent-cluster1.* "$work/client"
  echo '127.0.0.1 localhost' >"$work/server/hosts"
  printf '127.0.0.1 localhost cluster1\n%s hub.example.com\n' $hub >"$work/agent/hosts"
}

verify_units() {
  command -v systemd-analyze >/dev/null || { printf 'standalone: no systemd-analyze; the units are not verified\n'; return; }
  mkdir "$work/units"
  sed "s|/usr/local/bin/cluster-proxy|$program|; s/=cluster-proxy\$/=root/" deploy/systemd/cluster-proxy-server.service >"$work/units/cluster-proxy-server.service"
  sed "s|/usr/local/bin/cluster-proxy|$program|; s/=cluster-proxy\$/=root/" deploy/systemd/cluster-proxy-agent.service >"$work/units/cluster-proxy-agent.service"
  systemd-analyze verify --man=no "$work"/units/*.service >"$work/last" 2>&1 || { cat "$work/last"; fail 'a unit is wrong'; }
  [[ ! -s $work/last ]] || { cat "$work/last"; fail 'a unit has warnings'; }
  systemd-analyze security --offline=true --threshold=20 "$work"/units/*.service >"$work/last" 2>&1 ||
    { cat "$work/last"; fail 'a unit is more open than it need be'; }
  printf 'standalone: the units are in order\n'
}

verify_units
make_machines
make_certificates
mkdir "$work/site" && echo 'hello from cluster1' >"$work/site/index.html"
start site agent python3 -m http.server --bind 127.0.0.1 --directory "$work/site" 8080
unit server server '--allow-client=cn=alice;cluster=cluster1'
unit agent agent '--proxy-server-host=hub.example.com --agent-id=cluster1-a --agent-identifiers=host=cluster1 --deny-destination=*:22'

eventually 'the client does not reach the service of cluster1' fetch client-alice http://cluster1:8080/
[[ $(<"$work/last") == 'hello from cluster1' ]] || fail "the service said: $(<"$work/last")"
printf 'standalone: a client reached a service behind the agent\n'

on client curl -s --max-time 2 http://10.77.0.2:8080/ >/dev/null && fail 'the client reaches the agent without the tunnel'
fetch agent-cluster1 http://cluster1:8080/ >"$work/last" 2>&1 && fail "the agent's certificate opened the frontend"
grep -q 403 "$work/last" || fail "the agent's certificate was refused by: $(<"$work/last")"
fetch client-alice http://cluster1:22/ >"$work/last" 2>&1 && fail 'the agent dialed what it must not'
grep -q 403 "$work/last" || fail "port 22 was refused by: $(<"$work/last")"
printf 'standalone: what is not allowed is refused\n'

on server "$program" status cluster1 | grep -q '^cluster1 .*connected' || fail 'status does not show cluster1'
doctor=(--ca-cert="$work/client/ca.crt" --client-cert="$work/client/client-alice.crt" --client-key="$work/client/client-alice.key")
on client "$program" doctor --server=$hub:8090 "${doctor[@]}" cluster1:8080 >"$work/last" || { cat "$work/last"; fail 'doctor finds the client ill'; }
on agent "$program" doctor --agent --server=$hub:8091 --ca-cert="$work/agent/ca.crt" --client-cert="$work/agent/agent.crt" \
  --client-key="$work/agent/agent.key" >"$work/last" || { cat "$work/last"; fail 'doctor finds the agent ill'; }
printf 'standalone: status and doctor agree\n'

# A line without a packet either way: the session goes on where it was, and so do new connections.
echo_back='import socketserver as s
class Echo(s.StreamRequestHandler):
    def handle(self): [self.wfile.write(line) for line in self.rfile]
s.ThreadingTCPServer(("127.0.0.1", 7), Echo).serve_forever()'
start echo agent python3 -c "$echo_back"
client=(--server=$hub:8090 "${doctor[@]}")
eventually 'the echo does not answer' on client "$program" doctor "${client[@]}" cluster1:7
coproc session { on client "$program" dial "${client[@]}" cluster1:7 2>"$work/session.log"; }
say() { # LINE: it comes back through the session
  local answer
  echo "$1" >&"${session[1]}"
  read -r -t $within answer <&"${session[0]}" && [[ $answer == "$1" ]]
}
say 'before the cut' || fail 'the session does not answer'
bridge link set dev "${tag}2" state 0
fetch client-alice http://cluster1:8080/ >/dev/null 2>&1 && fail 'the line is not cut'
echo 'while the line was cut' >&"${session[1]}"
sleep 10 # with what the failed one took, the length of the cut: twenty seconds
bridge link set dev "${tag}2" state 3
healed=$EPOCHREALTIME
after() { # since the line was back, as "1.7 s"
  local tenths=$(((${EPOCHREALTIME/./} - ${healed/./}) / 100000))
  printf '%d.%d s' $((tenths / 10)) $((tenths % 10))
}
eventually 'the line has healed, the tunnel has not' fetch client-alice http://cluster1:8080/
printf 'standalone: line cut for 20 s, new connections after %s\n' "$(after)"
read -r -t $within answer <&"${session[0]}" || fail "the session was lost: $(<"$work/session.log")"
[[ $answer == 'while the line was cut' ]] || fail "the session said: $answer"
say 'after the cut' || fail 'the session has stopped'
printf 'standalone: a session outlived the cut, its bytes came after %s\n' "$(after)"

"$program" pki renew --all --dir "$work/pki" >/dev/null
cp "$work"/pki/server.{key,crt} "$work/server"
cp "$work/pki/agent-cluster1.key" "$work/agent/agent.key"
cp "$work/pki/agent-cluster1.crt" "$work/agent/agent.crt"
cp "$work"/pki/client-alice.* "$work/client"
fetch client-alice http://cluster1:8080/ >/dev/null || fail 'renewed certificates do not work'
printf 'standalone: renewed certificates were taken\n'
