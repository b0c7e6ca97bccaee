# Processes that outlive the script which started them, each known by a file "pid start-time". The start time guards
# against a number that the kernel has given to somebody else since. Sourced, never run.

process_start_time() { # PID; nothing if there is no such process, or only its corpse
  local stat
  stat=$(sed 's/.*) //' "/proc/$1/stat" 2>/dev/null) || return 0
  set -- $stat
  [ "$1" = Z ] || echo "${20}"
}

process_alive() { # PID_FILE
  local pid started
  # No start time: it had ended before it could be looked at.
  [ -s "$1" ] && read -r pid started <"$1" && [ -n "$started" ] && [ "$(process_start_time "$pid")" = "$started" ]
}

# process_start PID_FILE LOG COMMAND...: in a session of its own, so that a Ctrl-C for the test leaves its ending to the test.
process_start() {
  setsid "${@:3}" >>"$2" 2>&1 </dev/null &
  echo "$! $(process_start_time $!)" >"$1"
  disown $! # the shell has nothing to say about its end
}

# process_stop PID_FILE SECONDS: SIGTERM, and SIGKILL if it is still there after that time. Returns when it is gone.
process_stop() {
  local pid started deadline=$((SECONDS + $2))
  process_alive "$1" || { rm -f "$1"; return 0; }
  read -r pid started <"$1"
  kill -TERM "$pid" 2>/dev/null || true
  while process_alive "$1"; do
    [ $SECONDS -le $deadline ] || kill -KILL "$pid" 2>/dev/null || true
    sleep 0.02
  done
  rm -f "$1"
}

# wait_until SECONDS COMMAND...: polls; status 1 when the time is over.
wait_until() {
  local deadline=$((SECONDS + $1))
  until "${@:2}"; do
    [ $SECONDS -lt $deadline ] || return 1
    sleep 0.05
  done
}
