#include "cli/server_flags.h"

namespace cli {

ServerFlags::ServerFlags() {
  add_frontend();
  add_agents();
  add_access();
  add_operation();
  add_kubernetes();
  add_behaviour();
  log_.add_to(table_);
}

void ServerFlags::add_frontend() {
  table_.section("Frontend flags (where clients such as kube-apiserver connect)");
  table_.add_string("mode", mode_, "Protocol of the frontend: grpc or http-connect.").choices = {
      "grpc", "http-connect"};
  table_.add_int("server-port", frontend_port_,
                 "Port of the frontend, 1024..49151; 0 with --uds-name.");
  table_.add_string("server-bind-address", config_.frontend.host,
                    "Address the frontend listens on. Empty means all interfaces.");
  table_.add_string("uds-name", config_.unix_socket,
                    "Path of a Unix socket to listen on instead of TCP. It needs --server-port=0 "
                    "and no TLS flags.");
  table_.add_int("other-frontend-port", other_frontend_port_,
                 "Port of a second frontend, which speaks the protocol that --mode does not, with "
                 "the same certificates. 0 means none.");
  table_.add_string("other-frontend-uds-name", config_.other_unix_socket,
                    "Path of a Unix socket for a second frontend, which speaks the protocol that "
                    "--mode does not.");
  table_.add_switch("delete-existing-uds-file", config_.replace_unix_socket,
                    "Remove whatever is at the path of a Unix socket before listening.");
  table_.add_string("server-cert", config_.frontend_tls.certificate,
                    "PEM file with the certificate shown to clients. Re-read when it changes.");
  table_.add_string("server-key", config_.frontend_tls.key,
                    "PEM file with the key of --server-cert.");
  table_.add_string(
      "server-ca-cert", config_.frontend_tls.ca,
      "PEM file with the authorities whose clients are let in. Required without --uds-name.");
  table_.add_duration("frontend-keepalive-time", config_.frontend_keepalive,
                      "Idle time after which a client is pinged.");
}

void ServerFlags::add_agents() {
  table_.section("Agent flags (where agents connect)");
  table_.add_int("agent-port", agent_port_, "Port for agents, 1024..49151.");
  table_.add_string("agent-bind-address", config_.agents.host,
                    "Address for agents. Empty means all interfaces.");
  table_.add_string("cluster-cert", config_.agent_tls.certificate,
                    "PEM file with the certificate shown to agents. Re-read when it changes.");
  table_.add_string("cluster-key", config_.agent_tls.key,
                    "PEM file with the key of --cluster-cert.");
  table_.add_string("cluster-ca-cert", config_.agent_tls.ca,
                    "PEM file with the authorities whose agents are let in. Empty means that "
                    "agents are not asked for "
                    "a certificate. Not together with --agent-namespace.");
  table_.add_duration("keepalive-time", config_.keepalive,
                      "Idle time after which an agent is pinged.");
  table_.add_string(
      "proxy-strategies", strategies_,
      "How an agent is found for a connection, in the order they are tried: default (any agent), "
      "destHost (the agent that announced the destination), defaultRoute (an agent with "
      "default-route=true).");
  table_.add_string(
      "agent-namespace", authentication_.agent_namespace,
      "Namespace of the agents' service account. Turns on authentication by token, together with "
      "--agent-service-account and --authentication-audience.");
  table_.add_string("agent-service-account", authentication_.service_account,
                    "Name of the agents' service account.");
  table_.add_string("authentication-audience", authentication_.audience,
                    "Audience that agents' tokens are for.");
}

void ServerFlags::add_access() {
  table_.section("Access flags (who may register what, and go where)");
  table_
      .add_string(
          "cluster-identity", cluster_identity_,
          "Whether an agent may register identifiers of the cluster only that its certificate "
          "names by "
          "the URI urn:open-cluster-management:cluster:NAME: off (no matter), warn (logged and "
          "counted), enforce (refused). Those of cluster c are c, c.ANYTHING and the add-on's name "
          "of "
          "its service proxy.")
      .choices = {"off", "warn", "enforce"};
  table_.add_list(
      "cluster-identifiers", cluster_identifiers_,
      "Further identifiers that agents may register: [CLUSTER=]GLOB, where {cluster} is the "
      "agent's own: *.{cluster}.example.com; c1=10.1.*; c1=default-route. "
      "[CLUSTER=]service:NAMESPACE/NAME is the add-on's name of that service, which each cluster "
      "exports for itself. A glob of no cluster is for whoever is there first, be it another's.");
  table_.add_array(
      "allow-client", client_rules_,
      "Who may go where, as \"WHO; WHERE\": \"o=platform\", \"cn=backup; cluster=prod-*; "
      "destination=*:5432\". WHO: cn=, o=, ou=, dns=, ip=, email=, uri= of the client's "
      "certificate, unix, any. WHERE: cluster=, destination=HOST[:PORT]. May be given many times; "
      "without it every client may go everywhere, but agents' certificates, which open the "
      "frontend only where a rule names their uri=.");
}

void ServerFlags::add_operation() {
  table_.section("Health and admin flags");
  table_.add_int("health-port", health_port_,
                 "Port of /healthz, /readyz and /metrics, 1024..49151.");
  table_.add_string("health-bind-address", config_.health.host,
                    "Address of the health port. Empty means all interfaces.");
  table_.add_int("admin-port", admin_port_,
                 "Port of /metrics, /status and profiling, 1024..49151.");
  table_.add_string("admin-bind-address", config_.admin.host,
                    "Address of the admin port. Empty means all interfaces.");
  table_.add_switch("enable-profiling", config_.profiling.enabled,
                    "Serve /debug/pprof/ on the admin port.");
  table_.add_switch(
      "enable-contention-profiling", config_.profiling.contention,
      "Accepted together with --enable-profiling: there are no locks to contend for.");
}

void ServerFlags::add_kubernetes() {
  table_.section("Kubernetes flags");
  table_.add_string(
      "kubeconfig", config_.kube.kubeconfig,
      "Kubeconfig file for token reviews and leases. Empty means the pod's service account.");
  table_.add_float("kubeconfig-qps", config_.kube.qps,
                   "Requests per second to the API server. 0 means 5.");
  table_.add_int("kubeconfig-burst", kube_burst_,
                 "Burst of requests to the API server. 0 means 10.");
  table_.add_string("kube-api-content-type", config_.kube.content_type,
                    "Wanted encoding of requests to the API server.");
  table_.add_switch("enable-lease-controller", config_.leases.enabled,
                    "Announce this server by a Lease and remove expired ones.");
  table_.add_string("lease-namespace", config_.leases.lease_namespace, "Namespace of the leases.");
  table_.add_string("lease-label", lease_labels_,
                    "Labels of the leases, key=value[,key=value...].");
}

void ServerFlags::add_behaviour() {
  table_.section("General flags");
  table_.add_string(
      "server-id", config_.server_id,
      "Identity of this server, told to agents and used as the name of its lease. The environment "
      "variable PROXY_SERVER_ID sets it too. Empty means a random UUID.");
  table_.add_int("server-count", server_count_,
                 "Number of servers that agents are told to connect to.");
  table_.add_list(
      "cipher-suites", cipher_suites_,
      "TLS 1.2 cipher suites to allow, by Go's names. Empty means the library's default.");
  table_.add_string("tls-min-version", tls_minimum_,
                    "Lowest TLS version: VersionTLS10 to VersionTLS13. Empty means VersionTLS12.");
  table_.add_int("xfr-channel-size", queue_,
                 "Packets of one stream that may wait inside. Bytes are bounded by "
                 "--connection-buffer-limit.");
  table_.add_duration("graceful-shutdown-timeout", config_.graceful_shutdown,
                      "Time that open connections get to end after SIGTERM. 0 means none.");
  table_.add_duration(
      "handover-timeout", config_.handover,
      "Where servers behind one address are exchanged: a new one lets its first clients wait so "
      "long for agents, and one that was told to stop takes clients so long as before. 0 means "
      "neither. The environment variable PROXY_SERVER_HANDOVER_TIMEOUT sets it too.");
  table_.add_duration("backend-dial-timeout", config_.dial_timeout,
                      "Time for an agent to answer a dial. 0 means no limit.");
  table_.add_switch("native-link", config_.native_link,
                    "Let agents of this project use the native link, which gives each connection a "
                    "window of its own. Off: konnectivity's protocol only.");
  table_.add_bytes(
      "native-window-limit", config_.memory.window,
      "Bytes that the window of one connection may grow to on a native link, or of an HTTP/2 "
      "stream on any other.");
  table_.add_int("threads", threads_,
                 "Threads that carry connections. 0 means one for each core that the process may "
                 "use.");
  table_.add_duration("busy-poll", busy_poll_, kBusyPollUsage);
  table_.add_bytes("memory-limit", config_.memory.process,
                   "Bytes that the buffers of all connections may hold together.");
  table_.add_bytes("connection-buffer-limit", config_.memory.connection,
                   "Bytes that the buffers of one connection may hold.");
  table_.add_switch("warn-on-channel-limit", warn_on_channel_limit_, "").deprecated =
      "it has no effect: full channels are always counted in the metrics. Remove it.";
}

}  // namespace cli
