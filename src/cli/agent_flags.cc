#include "cli/agent_flags.h"

namespace cli {

AgentFlags::AgentFlags() {
  add_servers();
  add_identity();
  add_access();
  add_operation();
  add_kubernetes();
  add_behaviour();
  log_.add_to(table_);
}

void AgentFlags::add_servers() {
  table_.section("Server flags (whom the agent connects to)");
  table_.add_string("proxy-server-host", config_.server.host,
                    "Name or address of the servers. Their certificate must be valid for it.");
  table_.add_int("proxy-server-port", server_port_, "Port of the servers.");
  table_.add_list(
      "proxy-server-addresses", more_servers_,
      "Further ways to the servers, host[:port] separated by commas. They are tried in turn with "
      "--proxy-server-host; the port is --proxy-server-port unless given.");
  table_.add_list(
      "alpn-proto", config_.alpn,
      "ALPN protocols to offer before our own, for a load balancer that routes by them.");
  table_.add_string("ca-cert", config_.tls.ca,
                    "PEM file with the authorities that the servers' certificates must come from. "
                    "Required. Re-read "
                    "when it changes.");
  table_.add_duration("keepalive-time", config_.keepalive,
                      "Idle time after which a server is pinged. Less than 10s counts as 10s.");
  table_.add_duration("sync-interval", config_.sync_interval,
                      "Time between two looks for servers that are not connected yet.");
  table_.add_duration("sync-interval-cap", config_.sync_interval_cap,
                      "Longest time between two attempts while servers cannot be reached.");
  table_.add_duration("probe-interval", config_.probe_interval,
                      "Time between two checks of a connection.");
  table_.add_switch("sync-forever", config_.sync_forever,
                    "Go on looking for servers when as many as expected are connected.");
  table_
      .add_string("server-count-source", count_source_,
                  "Where the number of servers comes from: default (leases if counted, else what "
                  "servers say) or max "
                  "(the larger of both).")
      .choices = {"default", "max"};
}

void AgentFlags::add_identity() {
  table_.section("Identity flags");
  table_.add_string("agent-id", config_.agent_id,
                    "Identity of this agent, usually the name of the cluster. The environment "
                    "variable PROXY_AGENT_ID "
                    "sets it too. Empty means a random UUID.");
  table_.add_string("agent-identifiers", config_.raw_identifiers,
                    "What this agent can reach, as a URL query string: "
                    "host=n1&ipv4=10.0.0.4&ipv6=fd00::4&cidr=10.0.0.0/8&default-route=true");
  table_.add_string("agent-cert", config_.tls.certificate,
                    "PEM file with the certificate shown to servers. Re-read when it changes.");
  table_.add_string("agent-key", config_.tls.key, "PEM file with the key of --agent-cert.");
  table_.add_string("service-account-token-path", config_.token_file,
                    "File with the token shown to servers. Read at every connect.");
}

void AgentFlags::add_access() {
  table_.section("Access flags (where connections may go)");
  table_.add_list(
      "allow-destination", allowed_destinations_,
      "Destinations that may be dialed, HOST[:PORT] or a range: *.svc.cluster.local:443, "
      "10.0.0.0/8, [fd00::/8]:8000-8100. Once given, all else is refused. A name is compared as "
      "asked for, an address also when it is what a name resolves to.");
  table_.add_list("deny-destination", denied_destinations_,
                  "Destinations that must not be dialed, whatever is allowed: 169.254.0.0/16, "
                  "*.internal, *:22.");
}

void AgentFlags::add_operation() {
  table_.section("Health and admin flags");
  table_.add_string("health-server-host", config_.health.host,
                    "Address of the health port. Empty means all interfaces.");
  table_.add_int("health-server-port", health_port_, "Port of /healthz, /readyz and /metrics.");
  table_.add_string("admin-bind-address", config_.admin.host,
                    "Address of the admin port. Empty means all interfaces.");
  table_.add_int("admin-server-port", admin_port_, "Port of profiling.");
  table_.add_switch("enable-profiling", config_.profiling.enabled,
                    "Serve /debug/pprof/ on the admin port.");
  table_.add_switch(
      "enable-contention-profiling", config_.profiling.contention,
      "Accepted together with --enable-profiling: there are no locks to contend for.");
}

void AgentFlags::add_kubernetes() {
  table_.section("Kubernetes flags");
  table_.add_switch("count-server-leases", config_.leases.enabled,
                    "Learn the number of servers by counting their leases.");
  table_.add_string("lease-namespace", config_.leases.lease_namespace, "Namespace of the leases.");
  table_.add_string("lease-label-selector", config_.leases.label_selector,
                    "Which leases count: a label selector. Empty means all.");
  table_.add_string("lease-label", config_.leases.label_selector, "").deprecated =
      "use --lease-label-selector instead.";
  table_.add_string("kubeconfig", config_.kube.kubeconfig,
                    "Kubeconfig file for counting leases. Empty means the pod's service account.");
  table_.add_string("kube-api-content-type", config_.kube.content_type,
                    "Wanted encoding of requests to the API server.");
}

void AgentFlags::add_behaviour() {
  table_.section("General flags");
  table_.add_int(
      "xfr-channel-size", queue_,
      "Packets of one connection that may wait. Bytes are bounded by --connection-buffer-limit.");
  table_.add_switch("warn-on-channel-limit", config_.warn_on_queue_limit,
                    "Log when a connection's buffer is full.");
  table_.add_switch("native-link", config_.native_link,
                    "Offer servers of this project the native link, which gives each connection a "
                    "window of its own. Off: konnectivity's protocol only.");
  table_.add_bytes(
      "native-window-limit", config_.memory.window,
      "Bytes that the window of one connection may grow to on a native link, or of an HTTP/2 "
      "stream on any other.");
  table_.add_int("threads", threads_,
                 "Threads that carry connections of native links. 0 means one for each core that "
                 "the process may use.");
  table_.add_duration("busy-poll", busy_poll_, kBusyPollUsage);
  table_.add_bytes("memory-limit", config_.memory.process,
                   "Bytes that the buffers of all connections may hold together.");
  table_.add_bytes("connection-buffer-limit", config_.memory.connection,
                   "Bytes that the buffers of one connection may hold.");
}

}  // namespace cli
