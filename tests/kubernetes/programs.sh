#!/bin/bash
# programs.sh: builds the peers that clusters with pods are made of, once, into the cache of the peers.
#
# Not part of tests/peers/build.sh, because that file is an input of every peer's hash: a change there builds Kubernetes again.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
peers=$here/../peers
. "$peers/lib/peers.sh"
export CGO_ENABLED=0 # static: it is all that its image holds

build_coredns() {
  require_go "$peers/coredns"
  echo "building coredns" >&2
  (cd "$peers/coredns" && nice go build -p 2 -buildvcs=false -mod=readonly -ldflags "-s -w" -o "$1/coredns" .)
}

"$peers/build.sh" konnectivity kubernetes client_go ocm helm
"$here/../../bench/programs.sh" load
build_once coredns build_coredns "$peers"/coredns/go.* "$peers"/coredns/*.go
publish coredns "$built/coredns"
printf '%-24s %s\n' coredns "$peers_bin/coredns"
