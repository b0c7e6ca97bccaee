# Certificates by openssl alone. Three authorities, since being a server, an agent or a client are different rights.

pki_create() {
  pki_authority hub-ca
  pki_authority agents-ca
  pki_authority clients-ca
  pki_certificate hub hub-ca serverAuth 'DNS:hub,DNS:localhost,IP:127.0.0.1,IP:198.51.100.1'
  pki_certificate client clients-ca clientAuth 'DNS:client'
  local cluster
  for cluster in "${clusters[@]}"; do
    pki_certificate "$cluster" agents-ca clientAuth "DNS:$cluster"
  done
}

pki_authority() {
  openssl req -x509 -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 \
    -subj "/CN=demo $1" -keyout "$1.key" -out "$1.crt" 2>> logs/openssl.log
}

# pki_certificate NAME AUTHORITY USAGE ALTERNATIVE_NAMES
pki_certificate() {
  openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=$1" \
    -keyout "$1.key" -out "$1.csr" 2>> logs/openssl.log
  openssl x509 -req -in "$1.csr" -CA "$2.crt" -CAkey "$2.key" -CAcreateserial -days 2 -out "$1.crt" \
    -extfile <(printf 'extendedKeyUsage=%s\nsubjectAltName=%s\n' "$3" "$4") 2>> logs/openssl.log
}
