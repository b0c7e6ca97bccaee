# Pairings of a server and an agent, each a path or the word `go` for the reference's own; and namespaces to run them in.
# Sourced after peers.sh, never run.

# program PATH_OR_GO: checked and absolute
program() {
  if [ "$1" = go ]; then
    echo go
  else
    [ -x "$1" ] && [ ! -d "$1" ] && realpath -s "$1" ||
      fail "$1 is not a program: build it first, or say 'go' for the reference's own"
  fi
}

# executable PROGRAM server|agent
executable() {
  if [ "$1" = go ]; then echo "$peers_bin/go-proxy-$2"; else echo "$1"; fi
}

# pairings SERVER AGENT ONLY: one `server agent` a line, none twice; just the given one if ONLY is not empty.
pairings() {
  echo "$1 $2"
  [ -n "$3" ] || printf '%s\n' "$1 go" "go $2" "go go" | grep -vx "$1 $2" | sort -u
}

# require_namespaces: sets `apart`, the words before a command that is to run in network, mount and PID namespaces of its own.
# The command is the first process of its PID namespace, so whatever it starts ends with it; and it ends with this shell.
require_namespaces() {
  apart=(setpriv --pdeathsig KILL unshare --net --mount --pid --fork --kill-child --mount-proc)
  [ "$(id -u)" = 0 ] || apart+=(--user --map-root-user)
  "${apart[@]}" true 2>/dev/null ||
    fail "cannot make namespaces: run as root, or allow user namespaces (sysctl kernel.unprivileged_userns_clone=1)"
}
