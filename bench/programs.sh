#!/bin/bash
# programs.sh: builds what `make bench` runs beside our own programs, once, into the cache of the peers.
#
#   programs.sh [NAME...]      NAME: load, delay, frp, rathole; all of them by default
#
# Prints one line per program: its name and its path. Not part of tests/peers/build.sh, because that file is an input of
# every peer's hash: a change there builds Kubernetes again. A first call takes about four minutes on two cores.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
peers=$here/../tests/peers
. "$peers/lib/peers.sh"
export CGO_ENABLED=0

main() {
  "$peers/build.sh" konnectivity
  [ $# -gt 0 ] || set -- load delay frp rathole
  local name
  for name; do "$name"; done
}

load() {
  go_program load "$here/load" .
}

delay() {
  go_program delay "$here/delay" .
}

# go_program NAME MODULE PACKAGE
go_program() {
  module=$2 package=$3 program=bench-$1
  build_once "$program" build_go "$2"/go.* "$2"/*.go
  provide "$program"
}

build_go() {
  require_go "$module"
  echo "building $program" >&2
  (cd "$module" && nice go build -p 2 -buildvcs=false -mod=readonly -o "$1/$program" "$package")
}

frp() {
  build_once frp build_frp "$peers"/frp/go.*
  provide frps frpc
}

build_frp() {
  module=$peers/frp
  for program in frps frpc; do
    package=github.com/fatedier/frp/cmd/$program
    build_go "$1"
  done
}

# Debian's Rust is too old for it, and installing another is not ours to do: without one it is left out.
rathole() {
  if ! command -v cargo > /dev/null; then
    echo "bench: no 'cargo' in PATH, so rathole is left out; to have it, install Rust from https://rustup.rs" >&2
    return
  fi
  build_once rathole build_rathole "$peers"/rathole/Cargo.* "$peers"/rathole/src/*.rs
  provide rathole
}

build_rathole() {
  echo "building rathole" >&2
  (cd "$peers/rathole" && CARGO_TARGET_DIR=$1/target nice cargo build --quiet --release --locked --jobs 2)
  mv "$1/target/release/rathole" "$1/rathole"
  rm -r "$1/target"
}

provide() {
  local name
  for name; do
    publish "$name" "$built/$name"
    printf '%-24s %s\n' "$name" "$peers_bin/$name"
  done
}

main "$@"
