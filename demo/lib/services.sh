# Real services inside each cluster: nginx with a page that names the cluster, Redis, iperf3.

services_start() {
  local cluster
  for cluster in "${clusters[@]}"; do
    nginx_start "$cluster"
    redis_start "$cluster"
    iperf3_start "$cluster"
  done
  for cluster in "${clusters[@]}"; do
    services_await "$cluster"
  done
}

services_await() {
  await "$1-nginx" "nginx answers" in_cluster_answers "$1" "$(service_address "$1" nginx)" "$nginx_port"
  await "$1-redis" "Redis answers" in_cluster_answers "$1" "$(service_address "$1" redis)" 6379
}

in_cluster_answers() { (in_place "$1" bash -c "exec 3<> /dev/tcp/$2/$3"); }

nginx_start() {
  local cluster=$1 folder=$1-nginx
  mkdir -p "$folder"
  printf 'Hello from nginx in %s.\n' "$cluster" > "$folder/index.html"
  truncate -s 256M "$folder/big"
  {
    ((EUID != 0)) || printf 'user root;\n'
    cat << CONF
worker_processes 1;
pid $state/$folder/nginx.pid;
error_log stderr;
events {}
http {
  access_log off;
  sendfile on;
  client_body_temp_path $state/$folder;
  proxy_temp_path $state/$folder;
  fastcgi_temp_path $state/$folder;
  uwsgi_temp_path $state/$folder;
  scgi_temp_path $state/$folder;
  server {
    listen $(service_address "$cluster" nginx):$nginx_port;
    root $state/$folder;
  }
}
CONF
  } > "$folder/nginx.conf"
  start "$cluster-nginx" "$cluster" nginx -p "$state/$folder" -e stderr -c nginx.conf -g 'daemon off;'
}

redis_start() {
  start "$1-redis" "$1" redis-server --bind "$(service_address "$1" redis)" --port 6379 \
    --protected-mode no --save '' --appendonly no --daemonize no
}

iperf3_start() {
  start "$1-iperf3" "$1" iperf3 --server --bind "$(service_address "$1" iperf3)" --port 5201
}
