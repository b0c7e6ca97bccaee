#!/bin/bash
# run.sh [--check PROGRAM] [--keep]
#
# Proves the Kubernetes client library against a real etcd and kube-apiserver, started here and ended here: credentials,
# conflicts, lists and watches, one HTTP/2 connection for all, patches, discovery, events, leader election, TokenReview,
# leases, a restart of the API server under a running watch, and an API server that ends connections (GOAWAY).
#
# PROGRAM is kube_check, by default that in build/debug/bin. --keep leaves the state folder for a look at its logs. Exits
# with 0 when every check passed.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
peers=$here/../peers
. "$peers/lib/process.sh"

check=$root/build/debug/bin/kube_check
watcher=''
keep=''

main() {
  while [ $# -gt 0 ]; do
    case $1 in
      --check) check=${2:?--check needs a program}; shift ;;
      --keep) keep=yes ;;
      -h | --help) sed -n '2,9s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 0 ;;
      *) echo "run.sh: unknown option '$1'; see --help" >&2; exit 2 ;;
    esac
    shift
  done
  [ -x "$check" ] || { echo "run.sh: no $check: build it with scripts/build debug, or name it with --check" >&2; exit 2; }
  "$peers/build.sh" kubernetes >/dev/null
  state=$(mktemp -d "${TMPDIR:-/tmp}/cluster-proxy-kube.XXXXXX")
  trap clean_up EXIT
  "$peers/kube_apiserver.sh" start "$state"
  local failed=0
  "$check" "$state/admin.kubeconfig" "$(etcd_url)" || failed=1
  restart_check || failed=1
  "$check" "$state/admin.kubeconfig" "$(etcd_url)" goaway || failed=1
  return $failed
}

clean_up() {
  [ -z "$watcher" ] || kill "$watcher" 2>/dev/null || true
  "$peers/kube_apiserver.sh" stop "$state"
  if [ -n "$keep" ]; then echo "state and logs: $state"; else rm -rf "$state"; fi
}

# etcd_url: where the etcd of this run listens, from its command line.
etcd_url() {
  local pid rest
  read -r pid rest <"$state/pid/etcd"
  tr '\0' '\n' <"/proc/$pid/cmdline" | sed -n 's/^--listen-client-urls=//p'
}

# restart_check: while kube_check watches, the API server goes away and comes back, having forgotten its history.
restart_check() {
  local log=$state/log/kube-check status=0
  "$check" "$state/admin.kubeconfig" "$(etcd_url)" restart >"$log" 2>&1 &
  watcher=$!
  wait_until 60 ready_or_ended "$log" || true
  if grep -qs '^ready' "$log"; then restart_apiserver; fi
  wait "$watcher" || status=$?
  watcher=''
  cat "$log"
  return $status
}

ready_or_ended() {
  grep -qs '^ready' "$1" || ! kill -0 "$watcher" 2>/dev/null
}

restart_apiserver() {
  local port namespace
  port=$(sed 's/.*://' "$state/address")
  "$peers/kube_apiserver.sh" stop "$state"
  "$peers/kube_apiserver.sh" start "$state" --port "$port" --goaway-chance 0.02
  namespace=$("$state/kubectl" get leases -A --field-selector metadata.name=before -o 'jsonpath={.items[0].metadata.namespace}')
  printf '{"apiVersion":"coordination.k8s.io/v1","kind":"Lease","metadata":{"name":"after"}}' |
    "$state/kubectl" create -n "$namespace" -f - >/dev/null
}

main "$@"
