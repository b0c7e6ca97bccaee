#!/bin/bash
# old_crds.sh [VERSION]: prints the folder with the custom resource definitions of open-cluster-management.io/api VERSION, the
# hubs before v1.2 that know the add-on API as v1alpha1 only; of every version that a test wants, without an argument.
# From the Go module proxy, once, and checked against its sum.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/../peers/lib/peers.sh"
declare -A sums=(
  [v0.5.0]=h1:rJOe+iX+wVwW1ln/kLEBe7X9NJbQPdZ6a9bDh82AjUA=
  [v1.1.0]=h1:fu5xst9T/Ya6o41kqdd0zbNiDU+D3nNMTvoRVeF8j+U=
)
plurals='clustermanagementaddons managedclusteraddons addondeploymentconfigs managedclusters manifestworks'

main() {
  local versions=("$@")
  [[ $# -gt 0 ]] || versions=("${!sums[@]}")
  for version in "${versions[@]}"; do
    [[ -n ${sums[$version]:-} ]] || fail "no sum is pinned for $version; there are: ${!sums[*]}"
    build_once "ocm-api-$version" collect "${BASH_SOURCE[0]}"
    printf '%s\n' "$built/crds"
  done
}

# The newest file of a kind stands last.
collect() {
  local told folder plural file
  told=$(cd "$1" && go mod download -json "open-cluster-management.io/api@$version") ||
    fail "open-cluster-management.io/api@$version cannot be had: $(field Error "$told")"
  [[ $(field Sum "$told") == "${sums[$version]}" ]] || fail "open-cluster-management.io/api@$version is not what it was"
  folder=$(field Dir "$told")
  mkdir "$1/crds"
  for plural in $plurals; do
    for file in "$folder"/*/v1*/*_"${plural}".crd.yaml "$folder"/*/v1*/*."${plural}".crd.yaml; do
      [[ ! -e $file ]] || cp --no-preserve=mode "$file" "$1/crds/$plural.yaml"
    done
  done
}

field() {
  sed -n "s/^[[:space:]]*\"$1\": \"\(.*\)\",\{0,1\}$/\1/p" <<< "$2"
}

main "$@"
