# Agents that show a token: who gets in, who does not and what both sides say. Sourced by tunnel.sh, never run.

check_tokens() {
  local token=$work/token
  start_tokens_server tunnel "$server"
  make_token agents agent $audience >$token
  check 'our agent gets in by token, and a request goes through' admitted good "$agent"
  check 'the Go agent gets in by token, and a request goes through' admitted go-good "$peers_bin/go-proxy-agent"
  mint "$(date -d '+1 hour' +%s)" >$token
  check 'a token that the test signed gets in' admitted minted "$agent"
  printf '%s\n\n' "$(make_token agents agent $audience)" >$token
  check 'newlines after the token do not matter' admitted newline "$agent"

  make_token agents agent elsewhere >$token
  check 'wrong audience' refused audience 'audiences'
  make_token elsewhere agent $audience >$token
  check 'wrong namespace' refused namespace 'system:serviceaccount:elsewhere:agent'
  make_token agents other $audience >$token
  check 'wrong account' refused account 'system:serviceaccount:agents:other'
  echo garbage >$token
  check 'garbage' refused garbage 'token review'
  mint "$(date -d '-1 hour' +%s)" >$token
  check 'expired token' refused expired 'expired'
  check 'no token at all' refused_without_token
  make_token agents other $audience >$token
  check 'the Go agent with the wrong account' refused go-account 'system:serviceaccount:agents:other' "$peers_bin/go-proxy-agent"
  stop_server tunnel

  start_tokens_server go-tunnel "$peers_bin/go-proxy-server"
  make_token agents agent $audience >$token
  check 'our agent gets into the Go server by token' admitted to-go "$agent"
  stop_server go-tunnel
}

start_tokens_server() { # NAME PROGRAM
  start_server "$1" 127.0.0.1 "$2" --agent-namespace=agents --agent-service-account=agent --authentication-audience=$audience
}

make_token() { # NAMESPACE ACCOUNT AUDIENCE; kept, so that the logs can be searched for it
  $kubectl create token "$2" -n "$1" --audience="$3" --duration=1h | tee -a $work/tokens
}

admitted() { # NAME AGENT
  local status=0
  start_agent "$1" "$2" --service-account-token-path=$token
  { eventually ready && eventually fetch; } || status=1
  stop_agent "$1"
  return $status
}

# refused NAME REASON [AGENT]: both sides say why, the agent tries on, and gets in once its file is right.
refused() {
  local status=0 before
  before=$(refusals)
  start_agent "$1" "${3:-$agent}" --service-account-token-path=$token
  eventually more_refusals $((before + 2)) || { echo "      it does not try again"; status=1; }
  ! ready || { echo "      it is let in"; status=1; }
  tail -n 2 "$logs/tunnel" | grep -qE "agent refused.*$2" || { echo "      the server does not say: $2"; status=1; }
  # The Go agent misses the server's headers and never tells the status that came instead of them.
  [[ ${3:-} == *go-proxy-agent ]] || eventually logged "$1" "$2" || { echo "      the agent does not say: $2"; status=1; }
  make_token agents agent $audience >$token
  { eventually ready && eventually fetch; } || { echo "      a right token does not help"; status=1; }
  stop_agent "$1"
  return $status
}

refused_without_token() {
  local status=0 before
  before=$(refusals)
  start_agent missing "$agent"
  eventually more_refusals $((before + 2)) || status=1
  ! ready || { echo "      it is let in"; status=1; }
  eventually logged missing 'authorization' || { echo "      the agent does not say why"; status=1; }
  stop_agent missing
  return $status
}

refusals() { grep -c 'agent refused' "$logs/tunnel" || true; }
more_refusals() { [ "$(refusals)" -ge "$1" ]; }

# mint EXPIRY: a token for the right agent as the API server would sign it; it hands out none that expires within minutes.
mint() {
  local uid signed
  uid=$($kubectl get serviceaccount agent -n agents -o 'jsonpath={.metadata.uid}')
  signed=$(printf '{"alg":"ES256"}' | base64url).$(base64url <<END
{"iss": "https://kubernetes.default.svc", "sub": "system:serviceaccount:agents:agent", "aud": ["$audience"],
 "iat": $(($1 - 3600)), "nbf": $(($1 - 3600)), "exp": $1,
 "kubernetes.io": {"namespace": "agents", "serviceaccount": {"name": "agent", "uid": "$uid"}}}
END
)
  printf '%s.%s\n' "$signed" "$(printf %s "$signed" | es256)" | tee -a $work/tokens
}

base64url() { base64 -w0 | tr '+/' '-_' | tr -d '='; }

# JWS wants the two integers of the signature bare, 32 bytes each, where openssl gives ASN.1.
es256() {
  openssl dgst -sha256 -sign $cluster/pki/service-account.key | openssl asn1parse -inform DER |
    sed -n 's/.*INTEGER *://p' | while read -r integer; do printf '%64s' "$integer"; done | tr ' ' 0 |
    sed 's/../\\x&/g' | { read -r bytes || true; printf '%b' "$bytes"; } | base64url
}

no_token_in_logs() {
  local part
  [ -s $work/tokens ] || return 1
  # The signature is what makes a token usable.
  while read -r part; do
    ! grep -rqF -- "$part" "$logs" || { echo "      ${part:0:8}... is in $(grep -rlF -- "$part" "$logs")"; return 1; }
  done < <(cut -d. -f3 $work/tokens)
}
