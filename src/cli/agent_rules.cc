#include <algorithm>

#include <fmt/format.h>

#include "base/id.h"
#include "cli/agent_flags.h"
#include "cli/go_values.h"
#include "cli/rules.h"

namespace cli {
namespace {

/// "host", "host:port", "[ipv6]:port" or a bare IPv6 address.
base::Result<net::HostPort> parse_server(const std::string& text, std::uint16_t fallback) {
  if (text.starts_with('[') && text.ends_with(']'))
    return parse_server(text.substr(1, text.size() - 2), fallback);
  if (!text.empty() && (!text.contains(':') || net::is_ip_address(text)))
    return net::HostPort{text, fallback};
  auto parsed = net::parse_host_port(text);
  if (parsed && !parsed->host.empty() && parsed->port != 0) return parsed;
  return bad_flag("--proxy-server-addresses", text,
                  "want host, host:port or [ipv6]:port, separated by commas");
}

/// The names to offer. "[]" is how Go prints an empty list, and what scripts pass for one.
base::Result<std::vector<std::string>> parse_alpn(const std::vector<std::string>& given) {
  std::vector<std::string> names;
  for (const std::string& name : given) {
    if (name == "[]") continue;
    if (name.empty() || name.size() > 255) {
      return bad_flag("--alpn-proto", name, "the name of a protocol has 1 to 255 bytes");
    }
    if (std::ranges::count(names, name) == 0) names.push_back(name);
  }
  return names;
}

base::Result<std::vector<tunnel::DestinationPattern>> parse_destinations(
    std::string_view flag, const std::vector<std::string>& texts) {
  std::vector<tunnel::DestinationPattern> patterns;
  for (const std::string& text : texts) {
    auto pattern = tunnel::DestinationPattern::parse(text);
    if (!pattern) return bad_flag(flag, text, pattern.error().message);
    patterns.push_back(*std::move(pattern));
  }
  return patterns;
}

}  // namespace

base::Result<void> AgentFlags::check_access(app::TunnelAgentConfig& config) const {
  TRY(auto allowed, parse_destinations("--allow-destination", allowed_destinations_));
  TRY(auto denied, parse_destinations("--deny-destination", denied_destinations_));
  config.destinations = tunnel::DestinationRules(std::move(allowed), std::move(denied));
  return {};
}

base::Result<void> AgentFlags::check_files() const {
  TRY_VOID(check_pair("--agent-cert", config_.tls.certificate, "--agent-key", config_.tls.key));
  if (config_.tls.ca.empty()) {
    return bad_flag("--ca-cert", "", "must be set: the agent has to know which servers to trust");
  }
  TRY_VOID(check_readable("--ca-cert", config_.tls.ca));
  TRY_VOID(check_readable("--service-account-token-path", config_.token_file));
  return check_readable("--kubeconfig", config_.kube.kubeconfig);
}

base::Result<void> AgentFlags::check_servers(app::TunnelAgentConfig& config) const {
  if (config.server.host.empty()) {
    return bad_flag("--proxy-server-host", "", "must be the name or address of the servers");
  }
  TRY(config.server.port, check_port("--proxy-server-port", server_port_, PortRange{}));
  TRY(config.health.port, check_port("--health-server-port", health_port_, PortRange{}));
  TRY(config.admin.port, check_port("--admin-server-port", admin_port_, PortRange{}));
  for (const std::string& text : more_servers_) {
    if (text.empty() || text == "[]") continue;
    TRY(net::HostPort server, parse_server(text, config.server.port));
    config.more_servers.push_back(std::move(server));
  }
  TRY(config.alpn, parse_alpn(config_.alpn));
  return {};
}

base::Result<void> AgentFlags::check_timing(app::TunnelAgentConfig& config) const {
  TRY_VOID(check_not_negative("--sync-interval", config.sync_interval, "1ms"));
  TRY_VOID(check_not_negative("--probe-interval", config.probe_interval, "1ms"));
  if (config.sync_interval > config.sync_interval_cap) {
    return bad_flag("--sync-interval", format_go_duration(config.sync_interval),
                    fmt::format("must not be more than --sync-interval-cap={}",
                                format_go_duration(config.sync_interval_cap)));
  }
  constexpr async::Duration kShortest = std::chrono::milliseconds(1);
  config.sync_interval = std::max(config.sync_interval, kShortest);
  config.sync_interval_cap = std::max(config.sync_interval_cap, kShortest);
  config.probe_interval = std::max(config.probe_interval, kShortest);
  config.keepalive = std::max<async::Duration>(config.keepalive, std::chrono::seconds(10));
  return {};
}

base::Result<void> AgentFlags::check_behaviour(app::TunnelAgentConfig& config) const {
  TRY(config.connection_queue, check_positive("--xfr-channel-size", queue_));
  TRY_VOID(check_profiling(config.profiling));
  auto identifiers = tunnel::parse_identifiers(config.raw_identifiers, tunnel::UnknownKeys::refuse);
  if (!identifiers) {
    return bad_flag(
        "--agent-identifiers", config.raw_identifiers,
        fmt::format("{}; want for example host=n1&ipv4=10.0.0.4", identifiers.error().message));
  }
  config.identifiers = *std::move(identifiers);
  if (!count_source_.empty() && count_source_ != "default" && count_source_ != "max") {
    return bad_flag("--server-count-source", count_source_, "want default or max");
  }
  if (count_source_ == "max") config.count_source = app::ServerCountSource::maximum;
  TRY(config.threads, check_threads(threads_));
  TRY(config.busy_poll, check_busy_poll(busy_poll_, table_.changed("busy-poll")));
  return check_memory(config.memory);
}

base::Result<app::TunnelAgentConfig> AgentFlags::config(const std::string& environment_id) const {
  app::TunnelAgentConfig config = config_;
  TRY_VOID(check_files());
  TRY_VOID(check_servers(config));
  TRY_VOID(check_timing(config));
  TRY_VOID(check_access(config));
  TRY_VOID(check_behaviour(config));
  TRY(config.log, log_.config("proxy-agent"));
  if (config.agent_id.empty())
    config.agent_id = environment_id.empty() ? base::random_uuid() : environment_id;
  config.listing = table_.listing();
  return config;
}

}  // namespace cli
