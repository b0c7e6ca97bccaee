# What people have open: a database's shell and a browser. Sourced, never run.

# unprivileged COMMAND...: PostgreSQL refuses to run as root, and a browser should not.
unprivileged() { unshare --user --map-user=65534 --map-group=65534 "$@"; }

check_database() {
  start_postgres
  client_start database forward 0:db.cluster1:7432
  client_start database-proxy proxy --http=7120
  eventually says $work/database.out '-> db.cluster1:7432' || true
  eventually says $work/database-proxy.out 'HTTP proxy' || true
  forwarded=$(forwarded_port database)
  check 'psql through a forward' query_answers "$forwarded"
  check "psql verifies the far server's certificate by its name" database_is_verified "$forwarded"
  check 'psql refuses the far server under another name' wrong_database_is_refused "$forwarded"
  check 'psql copies 300,000 rows there and back' rows_are_whole "$forwarded"
  check 'psql cancels a query, by a connection of its own' query_is_cancelled "$forwarded"
  check 'pgbench: 20 connections' database_load "$forwarded"
  socat TCP-LISTEN:7433,bind=127.0.0.1,reuseaddr,fork PROXY:127.0.0.1:db.cluster1:7432,proxyport=7120 2>>"$logs/socat" &
  local relay=$!
  check 'psql through the HTTP proxy, by socat' query_answers 7433
  kill $relay
  check 'a database that has stopped is told' stopped_database_is_told
  client_stop database
  client_stop database-proxy
}

start_postgres() {
  local programs
  programs=$(find /usr/lib/postgresql -name initdb -printf '%h\n' | sort -V | tail -n 1)
  [ -n "$programs" ] || fail "no PostgreSQL under /usr/lib/postgresql; run scripts/install-deps test"
  pki_cert $work db ca /CN=db serverAuth DNS:db.cluster1
  unprivileged "$programs/initdb" -D $work/db -A trust -U tester --no-sync >"$logs/initdb"
  cp $work/db.crt $work/db.key $work/db
  chmod 600 $work/db/db.key
  process_start $work/postgres.pid "$logs/postgres" unshare --user --map-user=65534 --map-group=65534 \
    "$programs/postgres" -D $work/db -p 7432 -k '' -c listen_addresses=127.0.0.1 -c fsync=off \
    -c ssl=on -c ssl_cert_file=db.crt -c ssl_key_file=db.key
  eventually query_answers 7432 2>/dev/null || fail "PostgreSQL does not start; see $logs/postgres"
}

# sql PORT PSQL-ARGUMENT...
sql() {
  HOME=$work timeout $within psql "host=db.cluster1 hostaddr=127.0.0.1 port=$1 user=tester dbname=postgres connect_timeout=$within ${conninfo:-}" \
    --no-psqlrc -qAt -v ON_ERROR_STOP=1 "${@:2}"
}
query_answers() { [ "$(sql "$1" -c 'select 6 * 7')" = 42 ]; }
database_is_verified() {
  local conninfo="sslmode=verify-full sslrootcert=$work/ca.crt"
  [ "$(sql "$1" -c 'select ssl from pg_stat_ssl where pid = pg_backend_pid()')" = t ]
}
wrong_database_is_refused() {
  local conninfo="sslmode=verify-full sslrootcert=$work/ca.crt host=other.cluster1"
  ! sql "$1" -c 'select 1' >$work/refused.out 2>&1 && says $work/refused.out 'does not match host name "other.cluster1"'
}
rows_are_whole() {
  seq 300000 | sed 's/$/\tabcdefghijklmnopqrstuvwxyz/' >$work/rows
  sql "$1" -c 'create table rows (n int, t text)' && sql "$1" -c '\copy rows from pstdin' <$work/rows &&
    sql "$1" -c '\copy (select * from rows order by n) to pstdout' | cmp - $work/rows
}
# psql sends SIGINT's wish on a second connection, which says nothing but that and is closed at once.
query_is_cancelled() {
  local asked
  HOME=$work setsid psql "host=127.0.0.1 port=$1 user=tester dbname=postgres" -c 'select pg_sleep(60)' >$work/cancelled.out 2>&1 &
  asked=$!
  eventually query_runs || return 1
  kill -INT $asked
  wait $asked || true
  says $work/cancelled.out 'canceling statement due to user request'
}
query_runs() { [ "$(sql 7432 -c "select count(*) from pg_stat_activity where query = 'select pg_sleep(60)' and wait_event = 'PgSleep'")" = 1 ]; }
database_load() {
  local programs=("-h" 127.0.0.1 "-p" "$1" "-U" tester)
  pgbench "${programs[@]}" -i -q postgres >>"$logs/pgbench" 2>&1 &&
    pgbench "${programs[@]}" -c 20 -j 2 -C -t 10 postgres 2>>"$logs/pgbench" | grep -q 'number of failed transactions: 0'
}
stopped_database_is_told() {
  process_stop $work/postgres.pid 10
  ! sql "$forwarded" -c 'select 1' 2>/dev/null || return 1
  eventually says $work/database.out 'to db.cluster1:7432: cannot connect to db.cluster1:7432: .*connection refused'
}

not() { ! "$@"; }

check_browser() {
  if ! command -v chromium >/dev/null; then
    echo 'left out: the browser, since no chromium is installed (apt-get install chromium)'
    return
  fi
  make_site
  client_start browser proxy --socks5=7181 --http=7121
  eventually says $work/browser.out 'HTTP proxy' || true
  check 'Chromium by itself knows none of the names' not page_is_shown direct:// http://web.cluster1:7080/page.html
  check 'Chromium by SOCKS5 shows a page of two services' page_is_shown socks5://127.0.0.1:7181 http://web.cluster1:7080/page.html
  check 'Chromium by the HTTP proxy shows it' page_is_shown http://127.0.0.1:7121 http://web.cluster1:7080/page.html
  check 'Chromium by SOCKS5 shows it over HTTPS' page_is_shown socks5://127.0.0.1:7181 https://web.cluster1:7443/page.html
  check 'Chromium by the HTTP proxy shows it over HTTPS' page_is_shown http://127.0.0.1:7121 https://web.cluster1:7443/page.html
  check 'Chromium says why a cluster is not reached' browser_tells_why
  client_stop browser
  process_stop $work/https.pid 5
}

# A page that is complete only with what another name of the cluster says.
make_site() {
  pki_cert $work site ca /CN=site serverAuth DNS:web.cluster1,DNS:redis.cluster1
  cat >$work/www/page.html <<'END'
<!DOCTYPE html><p id="own">own script did not run</p><p id="other">other did not</p>
<script>
  const secure = location.protocol === 'https:';
  document.getElementById('own').textContent = 'shown by ' + location.host;
  document.write(`<script src="${location.protocol}//redis.cluster1:${secure ? 7443 : 7080}/other.js"><\/script>`);
</script>
END
  echo "document.getElementById('other').textContent = 'and by another name';" >$work/www/other.js
  cat >$work/https.py <<END
import http.server, ssl
server = http.server.ThreadingHTTPServer(("127.0.0.1", 7443), http.server.SimpleHTTPRequestHandler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("$work/site.crt", "$work/site.key")
server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
END
  process_start $work/https.pid "$logs/https" env -C $work/www python3 $work/https.py
  eventually curl -skf -o /dev/null https://127.0.0.1:7443/page.html || fail "no HTTPS server; see $logs/https"
}

# browse PROXY URL: the page as it stands once all is loaded. The browser's own resolver knows no name at all.
browse() {
  rm -rf $work/profile
  mkdir -m 777 $work/profile
  unprivileged env HOME=$work/profile timeout 60 chromium --headless --no-sandbox --disable-gpu --no-first-run \
    --disable-background-networking --user-data-dir=$work/profile --proxy-server="$1" \
    --host-resolver-rules='MAP * ~NOTFOUND , EXCLUDE 127.0.0.1' --ignore-certificate-errors --dump-dom "$2" 2>>"$logs/chromium"
}
page_is_shown() {
  local page host=${2#*//}
  page=$(browse "$1" "$2")
  grep -qF "shown by ${host%%/*}" <<<"$page" && grep -qF 'and by another name' <<<"$page" || { echo "page: $page" >&2; return 1; }
}
browser_tells_why() { browse http://127.0.0.1:7121 http://nowhere/ | grep -qF 'no agent for "nowhere" is connected'; }
