# Keys, certificates and kubeconfigs of one test cluster, EC P-256, made by openssl. Sourced by kube_apiserver.sh.

pki_days=30

# make_pki DIR ADDRESS: everything that etcd, the API server and a kubelet need, into DIR.
make_pki() {
  local dir=$1 address=$2
  mkdir -p "$dir"
  pki_ca "$dir" ca kubernetes
  pki_ca "$dir" front-proxy-ca front-proxy
  pki_key "$dir/service-account.key"
  openssl pkey -in "$dir/service-account.key" -pubout -out "$dir/service-account.pub"
  pki_cert "$dir" apiserver ca /CN=kube-apiserver serverAuth \
    "IP:$address,IP:127.0.0.1,IP:::1,IP:10.0.0.1,DNS:localhost,DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc"
  pki_cert "$dir" kubelet ca /O=system:nodes/CN=system:node:kubelet serverAuth "IP:$address,IP:127.0.0.1"
  pki_cert "$dir" kubelet-client ca /O=system:masters/CN=kube-apiserver-kubelet-client clientAuth
  pki_cert "$dir" front-proxy-client front-proxy-ca /CN=front-proxy-client clientAuth
  pki_cert "$dir" admin ca /O=system:masters/CN=admin clientAuth # the last one: its presence says that all are there
}

pki_key() {
  openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1"
}

# pki_ca DIR NAME SUBJECT
pki_ca() {
  pki_key "$1/$2.key"
  openssl req -x509 -new -key "$1/$2.key" -days $pki_days -subj "/CN=$3" -out "$1/$2.crt" \
    -addext keyUsage=critical,digitalSignature,keyCertSign,cRLSign
}

# pki_cert DIR NAME CA SUBJECT USAGE [SUBJECT_ALT_NAMES]
pki_cert() {
  local names=${6:+subjectAltName=$6}
  pki_key "$1/$2.key"
  openssl req -new -key "$1/$2.key" -subj "$4" |
    openssl x509 -req -CA "$1/$3.crt" -CAkey "$1/$3.key" -set_serial "0x$(openssl rand -hex 16)" -days $pki_days -out "$1/$2.crt" \
      -extfile <(printf 'keyUsage=critical,digitalSignature\nextendedKeyUsage=%s\n%s\n' "$5" "$names") 2>/dev/null
}

# write_kubeconfig FILE SERVER PKI_DIR CERT_NAME: self-contained, so it can be copied anywhere.
write_kubeconfig() {
  umask 077
  cat >"$1" <<EOF
apiVersion: v1
kind: Config
clusters: [{name: test, cluster: {server: "$2", certificate-authority-data: $(base64 -w0 "$3/ca.crt")}}]
users: [{name: user, user: {client-certificate-data: $(base64 -w0 "$3/$4.crt"), client-key-data: $(base64 -w0 "$3/$4.key")}}]
contexts: [{name: test, context: {cluster: test, user: user}}]
current-context: test
EOF
}
