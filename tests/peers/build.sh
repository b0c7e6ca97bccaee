#!/bin/bash
# build.sh [PEER...]: the real peers of the tests, from pinned Go modules, built once into the cache.
#
# PEER: konnectivity, kubernetes, client_go, ocm, helm; all of them by default. Prints one line per program: its name and its
# path in ${CLUSTER_PROXY_CACHE:-$HOME/.cache/cluster-proxy}/peers/bin. Nothing is rebuilt while go.mod, go.sum and sources
# are unchanged. A first build of kubernetes takes about 8 minutes on two cores, ocm about 5, the others one or two.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/lib/peers.sh"
export CGO_ENABLED=0 # static: the programs also run in other mount namespaces and images

peers=(konnectivity kubernetes client_go ocm helm)
kubernetes_programs=(etcd kube-apiserver kube-controller-manager kube-proxy kube-scheduler kubelet kubectl)
ocm_programs=(registration work placement addon)

main() {
  [ $# -gt 0 ] || set -- "${peers[@]}"
  local peer
  for peer; do
    declare -F "peer_$peer" >/dev/null || fail "no peer called '$peer': choose from ${peers[*]}"
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

# The manifests of the same version lie beside the programs, in the folder ocm-manifests.
peer_ocm() {
  peer ocm build_ocm
  local program
  for program in "${ocm_programs[@]}"; do provide "ocm-$program" "$built/ocm-$program"; done
  provide ocm-manifests "$built/ocm-manifests"
}

peer_helm() {
  peer helm build_helm
  provide helm "$built/helm"
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

build_ocm() {
  local module=open-cluster-management.io/ocm program
  for program in "${ocm_programs[@]}"; do go_build ocm "$1/ocm-$program" $module/cmd/$program -ldflags "-s -w"; done
  cp -r "$(cd "$here/ocm" && go list -mod=readonly -m -f '{{.Dir}}' $module)/manifests" "$1/ocm-manifests"
  chmod -R u+w "$1/ocm-manifests" # as everything else in the cache; the module cache is read-only
}

build_helm() {
  go_build helm "$1/helm" helm.sh/helm/v3/cmd/helm -ldflags "-s -w"
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
