# Where peers are cached and how one is built once. Sourced by tests/peers/build.sh and tests/upstream/run.sh, never run.
#
# A build lives in peers/<name>-<hash of its inputs>/ and is complete once the file `done` is in it. peers/bin/<program>
# are links to the newest builds, so that tests need no hash. Old builds stay until the cache is deleted by hand:
# another checkout may be using them.

peers_root=${CLUSTER_PROXY_CACHE:-$HOME/.cache/cluster-proxy}/peers
peers_bin=$peers_root/bin

fail() {
  echo "${0##*/}: $*" >&2
  exit 1
}

# require_go MODULE_DIR: ends the script unless the go command can build that module.
require_go() {
  command -v go >/dev/null || fail "no 'go' in PATH, needed to build the Go peers: install it from https://go.dev/dl"
  local want have
  want=$(awk '$1 == "go" { print $2 }' "$1/go.mod")
  have=$(cd "$1" && go env GOVERSION 2>/dev/null) || have=$(cd / && go env GOVERSION)
  have=${have#go}
  [ "$(printf '%s\n' "$want" "$have" | sort -V | head -n1)" = "$want" ] ||
    fail "Go $have is too old for $1, which needs $want: install it from https://go.dev/dl, or set GOTOOLCHAIN=auto"
}

# inputs_hash FILE...: 12 hex digits that change with the name or content of any file.
inputs_hash() {
  sha256sum "$@" | sed "s|  .*/|  |" | sha256sum | cut -c1-12
}

# build_once NAME BUILD FILE...: runs `BUILD OUTPUT_DIR` unless a build of exactly these files exists.
# Sets `built` to the directory. Processes that ask for the same peer at once wait for the first.
build_once() {
  local name=$1 build=$2
  built=$peers_root/$name-$(inputs_hash "${@:3}")
  [ ! -e "$built/done" ] || return 0
  mkdir -p "$peers_root"
  exec {peer_lock}>"$peers_root/$name.lock"
  flock "$peer_lock"
  if [ ! -e "$built/done" ]; then
    local partial=$built.partial
    rm -rf "$partial" "$built"
    mkdir "$partial"
    "$build" "$partial" || fail "$name did not build; the messages above say why"
    touch "$partial/done"
    mv "$partial" "$built"
  fi
  exec {peer_lock}>&-
}

# publish PROGRAM FILE: makes peers/bin/PROGRAM a link to FILE, without a moment in which it is missing.
publish() {
  mkdir -p "$peers_bin"
  ln -s "$2" "$peers_bin/$1.$$"
  mv -T "$peers_bin/$1.$$" "$peers_bin/$1"
}
