#!/bin/bash
# build.sh [PEER...]: the real peers of the tests, from pinned Go modules, built once into the cache.
#
# PEER: konnectivity, kubernetes, client_go; all of them by default. Prints one line per program: its name and its path
# in ${CLUSTER_PROXY_CACHE:-$HOME/.cache/cluster-proxy}/peers/bin. Nothing is rebuilt while go.mod, go.sum and sources
# are unchanged. A first build of kubernetes takes about 8 minutes on two cores, the others about one.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/lib/peers.sh"
export CGO_ENABLED=0 # static: the programs also run in other mount namespaces and images

kubernetes_programs=(etcd kube-apiserver kube-controller-manager kube-proxy kube-scheduler kubelet kubectl)

main() {
  [ $# -gt 0 ] || set -- konnectivity kubernetes client_go
  local peer
  for peer; do
    declare -F "peer_$peer" >/dev/null || fail "no peer called '$peer': choose from konnectivity, kubernetes, client_go"
    "peer_$peer"
  done
}

peer_konnectivity() {
  peer konnectivity build_konnectivity
  provide go-proxy-server "$built/go-proxy-server"
  provide go-proxy-agent "$built/go-proxy-agent"
}

peer_kubernetes() {
  peer kubernetes build_kubernetes
  local program
  for program in kube "${kubernetes_programs[@]}"; do provide "$program" "$built/$program"; done
}

peer_client_go() {
  peer client_go build_client_go
  provide client-go "$built/client-go"
}

# peer NAME BUILD
peer() {
  local dir=$here/$1
  local inputs=("$dir"/go.mod "$dir"/go.sum "$here/build.sh")
  shopt -s nullglob
  inputs+=("$dir"/*.go)
  build_once "$1" "$2" "${inputs[@]}"
}

provide() {
  publish "$1" "$2"
  printf '%-24s %s\n' "$1" "$peers_bin/$1"
}

build_konnectivity() {
  local cmd=sigs.k8s.io/apiserver-network-proxy/cmd
  go_build konnectivity "$1/go-proxy-server" $cmd/server
  go_build konnectivity "$1/go-proxy-agent" $cmd/agent
}

build_kubernetes() {
  go_build kubernetes "$1/kube" . -ldflags "$(kubernetes_version_flags)"
  local program
  for program in "${kubernetes_programs[@]}"; do ln -s kube "$1/$program"; done
}

build_client_go() {
  go_build client_go "$1/client-go" .
}

# go_build PEER OUTPUT PACKAGE [FLAG...]
go_build() {
  require_go "$here/$1"
  echo "building ${2##*/}" >&2
  (cd "$here/$1" && nice go build -p 2 -buildvcs=false -mod=readonly "${@:4}" -o "$2" "$3")
}

# Without these a module build calls itself v0.0.0-master+$Format:%H$, which shows in the status of a ManagedCluster and
# fails the version checks of kubectl and Helm. The version is read from go.mod, which pins it.
kubernetes_version_flags() {
  local version package flags="-s -w"
  version=$(awk '$1 == "k8s.io/kubernetes" { print $2; exit }' "$here/kubernetes/go.mod")
  local parts=(${version//[v.]/ })
  for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
    flags+=" -X $package.gitVersion=$version -X $package.gitMajor=${parts[0]} -X $package.gitMinor=${parts[1]}"
    flags+=" -X $package.gitTreeState=clean -X $package.gitCommit=none -X $package.buildDate=2025-12-09T00:00:00Z"
  done
  echo "$flags"
}

main "$@"
