#!/bin/sh
# Run by `helm test`, with busybox. Each line of its log is one check; the first that fails ends it.
ns=$POD_NAMESPACE
passed() { echo "ok    $1"; }
failed() { echo "FAIL  $1"; echo "      $2"; exit 1; }

answer=$(timeout 10 wget -q -O - "http://cluster-proxy-addon-manager.$ns.svc:58081/readyz") || answer=none
[ "$answer" = ok ] && passed "the manager knows the hub's objects" ||
  failed "the manager is not ready (answer: $answer)" "kubectl -n $ns logs deployment/cluster-proxy-addon-manager"

[ -s /ca/ca.crt ] && passed "the signing authority is there" ||
  failed "the Secret proxy-server-ca is missing" "kubectl describe managedproxyconfiguration cluster-proxy"
[ -s /client/tls.crt ] && [ -s /client/tls.key ] && passed "clients have a certificate" ||
  failed "the Secret proxy-client is missing" "kubectl describe managedproxyconfiguration cluster-proxy"

for port in 8090 8091; do
  timeout 10 nc -w 5 "proxy-entrypoint.$ns.svc" $port < /dev/null && passed "proxy servers take connections on port $port" ||
    failed "no proxy server answers on proxy-entrypoint.$ns.svc:$port" "kubectl -n $ns get pods -l proxy.open-cluster-management.io/component-name=proxy-server"
done
