# The world of tunnel.sh: keys, a cluster with accounts of few rights, and how programs are started and looked at.
# Sourced, never run.

audience=system:konnectivity-server
within=20 # seconds for anything that has to happen

make_world() {
  work=/run/work cluster=/run/work/cluster
  mkdir $work
  pki_ca $work ca tunnel
  pki_cert $work server ca /CN=server serverAuth IP:127.0.0.1,IP:127.0.0.2,DNS:localhost
  pki_cert $work client ca /CN=client clientAuth
  "$peers/kube_apiserver.sh" start $cluster
  kubectl=$cluster/kubectl
  make_accounts >/dev/null
}

# Exactly the rights that the documentation asks for: a missing one would show.
make_accounts() {
  local name
  for name in agents elsewhere; do $kubectl create namespace $name; done
  for name in agent other; do $kubectl create serviceaccount $name -n agents; done
  $kubectl create serviceaccount agent -n elsewhere
  for name in server counter; do $kubectl create serviceaccount $name -n kube-system; done
  $kubectl create clusterrolebinding server --clusterrole=system:auth-delegator --serviceaccount=kube-system:server
  $kubectl create role server -n kube-system --resource=leases --verb=get,list,create,update,delete
  $kubectl create rolebinding server -n kube-system --role=server --serviceaccount=kube-system:server
  $kubectl create role counter -n kube-system --resource=leases --verb=get,list,watch
  $kubectl create rolebinding counter -n kube-system --role=counter --serviceaccount=kube-system:counter
  for name in server counter; do account_kubeconfig $name; done
}

account_kubeconfig() { # NAME
  $kubectl create token "$1" -n kube-system >"$work/$1.token"
  cat >"$work/$1.kubeconfig" <<END
apiVersion: v1
kind: Config
clusters: [{name: test, cluster: {server: "https://$(cat $cluster/address)", certificate-authority: $cluster/pki/ca.crt}}]
users: [{name: user, user: {tokenFile: $work/$1.token}}]
contexts: [{name: test, context: {cluster: test, user: user}}]
current-context: test
END
}

# start_server NAME ADDRESS PROGRAM FLAG...
start_server() {
  process_start "$work/$1.pid" "$logs/$1" "$3" --mode=http-connect --server-id="$1" --kubeconfig=$work/server.kubeconfig \
    --server-bind-address="$2" --agent-bind-address="$2" --health-bind-address="$2" --admin-bind-address="$2" \
    --server-cert=$work/server.crt --server-key=$work/server.key --server-ca-cert=$work/ca.crt \
    --cluster-cert=$work/server.crt --cluster-key=$work/server.key "${@:4}"
  wait_until $within curl -sf -o /dev/null "http://$2:8092/healthz" || fail "server $1 does not start; see $logs/$1"
}

# start_agent NAME PROGRAM FLAG...
start_agent() {
  process_start "$work/$1.pid" "$logs/$1" "$2" --proxy-server-host=127.0.0.1 --ca-cert=$work/ca.crt --agent-id="$1" \
    --sync-interval=200ms --sync-interval-cap=1s "${@:3}"
}

# An agent drains at the first SIGTERM and serves on, so it is not asked.
stop_agent() { process_stop "$work/$1.pid" -1; }
stop_server() { process_stop "$work/$1.pid" 10; }

ready() { curl -sf -o /dev/null "http://127.0.0.1:8093/readyz"; }
logged() { grep -qsE -- "$2" "$logs/$1"; }
eventually() { wait_until $within "$@"; }

# The target is the server's own health port: an HTTP service beside the agent.
fetch() {
  [ "$(curl -s -m $within --proxytunnel --proxy https://127.0.0.1:8090 --proxy-cacert $work/ca.crt --proxy-cert $work/client.crt \
    --proxy-key $work/client.key http://127.0.0.1:8092/healthz)" = ok ]
}

# metric ADDRESS:PORT PATTERN: whether a sample matches.
metric() { curl -sf "http://$1/metrics" | grep -qE -- "$2"; }
