# Processes of the demo and the folder that holds its certificates, settings, logs and process ids.

awaited=''
state=${TMPDIR:-/tmp}/cluster-proxy-demo-$UID

state_create() {
  if [[ -d $state ]]; then
    say "Another demo left something behind (or still runs); stopping it first."
    (cd "$state" && stop_everything)
  fi
  (umask 077 && mkdir -p "$state/pids" "$state/logs")
  [[ -O $state ]] || fail "$state belongs to somebody else; set TMPDIR to a folder of your own"
  cd "$state" || exit
}

# start NAME PLACE COMMAND...: starts it there in the background; its output goes to logs/NAME.log.
start() {
  local name=$1 place=$2
  shift 2
  in_place "$place" "$@" > "logs/$name.log" 2>&1 < /dev/null {printed}>&- &
  printf '%d' $! > "pids/$name"
}

# Ids are taken again by the system, so only a process that works in our folder is ours.
is_ours() {
  [[ $(readlink "/proc/$1/cwd" 2> /dev/null) == "$(realpath "$state")" ]]
}

stop() {
  local pid
  pid=$(cat "pids/$1" 2> /dev/null) || return 0
  if is_ours "$pid"; then
    kill "$pid" 2> /dev/null || true
    # An agent takes the first signal as a wish to drain, and only the second one as an order.
    poll 1 gone "$pid" || kill "$pid" 2> /dev/null || true
    poll 2 gone "$pid" || kill -KILL "$pid" 2> /dev/null || true
  fi
  rm -f "pids/$1"
}

gone() { ! is_ours "$1"; }

running() {
  local pid
  pid=$(cat "pids/$1" 2> /dev/null) && is_ours "$pid"
}

# poll SECONDS COMMAND...: until the command succeeds; false when the time is over.
poll() {
  local deadline=$((${EPOCHREALTIME/./} + $1 * 1000000))
  shift
  until "$@" > /dev/null 2>&1; do
    ((${EPOCHREALTIME/./} < deadline)) || return 1
    sleep 0.05
  done
}

# await NAME WHAT COMMAND...: for something that process NAME should bring about within ten seconds.
await() {
  local name=$1 what=$2
  awaited=$name
  shift 2
  poll 10 "$@" && return
  if running "$name"; then
    fail "$name runs, but after 10 s still not: $what"
  else
    fail "$name has ended (see below); waited for: $what"
  fi
}

stop_everything() {
  local pid_file
  for pid_file in pids/*; do
    if [[ -e $pid_file ]]; then
      stop "${pid_file#pids/}"
    fi
  done
  world_remove
  rm -rf "${state:?}"
}

# The ends of the logs that matter: those of the tunnel, and of the process that was waited for.
explain_failure() {
  local name
  say "" "The demo failed. Last lines of the logs:"
  for name in $(printf '%s\n' server cluster1-agent cluster2-agent "$awaited" | sort -u); do
    if [[ -e logs/$name.log ]]; then
      printf -- '-- %s\n' "$name"
      tail -n 8 "logs/$name.log"
    fi
  done
}
