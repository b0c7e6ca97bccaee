#include <algorithm>

#include <fmt/format.h>

#include "base/id.h"
#include "cli/rules.h"
#include "cli/server_flags.h"
#include "cli/version.h"

namespace cli {
namespace {

constexpr PortRange kUserPorts{1024, 49151};

constexpr std::pair<std::string_view, tunnel::IdentityMode> kIdentityModes[] = {
    {"off", tunnel::IdentityMode::off},
    {"warn", tunnel::IdentityMode::warn},
    {"enforce", tunnel::IdentityMode::enforce}};

base::Result<void> check_unix_frontend(const app::TunnelServerConfig& config, std::int64_t port,
                                       bool other_tcp) {
  if (port != 0) {
    return bad_flag("--server-port", fmt::to_string(port),
                    "must be 0 with --uds-name: the frontend listens on the Unix socket only");
  }
  if (other_tcp) return {};
  constexpr std::string_view kNoTls =
      "must not be set with --uds-name: a Unix socket speaks without TLS";
  if (!config.frontend_tls.key.empty())
    return bad_flag("--server-key", config.frontend_tls.key, kNoTls);
  if (!config.frontend_tls.certificate.empty()) {
    return bad_flag("--server-cert", config.frontend_tls.certificate, kNoTls);
  }
  if (!config.frontend_tls.ca.empty())
    return bad_flag("--server-ca-cert", config.frontend_tls.ca, kNoTls);
  return {};
}

base::Result<void> check_other_frontend(const app::TunnelServerConfig& config) {
  const std::string& path = config.other_unix_socket;
  if (path.empty() || path != config.unix_socket) return {};
  return bad_flag("--other-frontend-uds-name", path, "must not be the path of --uds-name");
}

base::Result<void> check_tcp_frontend(const app::TunnelServerConfig& config) {
  if (config.frontend_tls.ca.empty()) {
    return bad_flag("--server-ca-cert", "",
                    "must be set when the frontend listens on TCP: without it every client would "
                    "be let in; set it, "
                    "or use --uds-name");
  }
  if (config.frontend_tls.certificate.empty()) {
    return bad_flag(
        "--server-cert", "",
        "must be set when the frontend listens on TCP; set it and --server-key, or use --uds-name");
  }
  return {};
}

}  // namespace

base::Result<std::vector<tunnel::Strategy>> parse_strategies(const std::string& text) {
  constexpr std::string_view kRule =
      "want a comma-separated list of default, destHost, defaultRoute";
  std::vector<tunnel::Strategy> strategies;
  for (std::string_view rest = text; !rest.empty();) {
    const std::size_t end = std::min(rest.find(','), rest.size());
    const std::string_view name = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (name.empty()) continue;
    constexpr tunnel::Strategy kAll[] = {tunnel::Strategy::any, tunnel::Strategy::dest_host,
                                         tunnel::Strategy::default_route};
    const auto known =
        std::ranges::find(kAll, name, [](tunnel::Strategy s) { return to_string(s); });
    if (known == std::end(kAll)) {
      return bad_flag("--proxy-strategies", text,
                      fmt::format("unknown strategy \"{}\"; {}", name, kRule));
    }
    strategies.push_back(*known);
  }
  if (strategies.empty()) return bad_flag("--proxy-strategies", text, kRule);
  return strategies;
}

base::Result<void> ServerFlags::check_frontend(app::TunnelServerConfig& config) const {
  if (mode_ != "grpc" && mode_ != "http-connect")
    return bad_flag("--mode", mode_, "want grpc or http-connect");
  config.mode = mode_ == "grpc" ? tunnel::FrontendMode::grpc : tunnel::FrontendMode::http_connect;
  TRY_VOID(check_pair("--server-cert", config.frontend_tls.certificate, "--server-key",
                      config.frontend_tls.key));
  TRY_VOID(check_readable("--server-ca-cert", config.frontend_tls.ca));
  const bool other_tcp = other_frontend_port_ != 0;
  if (!config.unix_socket.empty()) TRY_VOID(check_unix_frontend(config, frontend_port_, other_tcp));
  if (config.unix_socket.empty() || other_tcp) TRY_VOID(check_tcp_frontend(config));
  TRY_VOID(check_other_frontend(config));
  TRY_VOID(check_pair("--cluster-cert", config.agent_tls.certificate, "--cluster-key",
                      config.agent_tls.key));
  if (config.agent_tls.certificate.empty()) {
    return bad_flag("--cluster-cert", "",
                    "must be set: agents connect by TLS only; set it and --cluster-key");
  }
  return check_readable("--cluster-ca-cert", config.agent_tls.ca);
}

base::Result<void> ServerFlags::check_ports(app::TunnelServerConfig& config) const {
  const bool tcp = config.unix_socket.empty();
  TRY(config.frontend.port,
      check_port("--server-port", frontend_port_, tcp ? kUserPorts : PortRange{0, 0}));
  if (other_frontend_port_ != 0) {
    TRY(config.other_frontend_port,
        check_port("--other-frontend-port", other_frontend_port_, kUserPorts));
  }
  TRY(config.agents.port, check_port("--agent-port", agent_port_, kUserPorts));
  TRY(config.health.port, check_port("--health-port", health_port_, kUserPorts));
  TRY(config.admin.port, check_port("--admin-port", admin_port_, kUserPorts));
  return {};
}

base::Result<void> ServerFlags::check_authentication(app::TunnelServerConfig& config) const {
  TRY_VOID(check_readable("--kubeconfig", config.kube.kubeconfig));
  const app::TokenAuthentication& wanted = authentication_;
  if (wanted.agent_namespace.empty() && wanted.service_account.empty() && wanted.audience.empty())
    return {};
  constexpr std::string_view kAllThree =
      "must be set when agents are authenticated by token: --agent-namespace, "
      "--agent-service-account and "
      "--authentication-audience go together";
  if (!config.agent_tls.ca.empty()) {
    return bad_flag(
        "--cluster-ca-cert", config.agent_tls.ca,
        "can not be used when agents are authenticated by token; remove it, or --agent-namespace, "
        "--agent-service-account and --authentication-audience");
  }
  if (wanted.agent_namespace.empty()) return bad_flag("--agent-namespace", "", kAllThree);
  if (wanted.service_account.empty()) return bad_flag("--agent-service-account", "", kAllThree);
  if (wanted.audience.empty()) return bad_flag("--authentication-audience", "", kAllThree);
  config.authentication = wanted;
  return {};
}

// Where any agent serves any destination, it does not matter what it may register.
base::Result<void> ServerFlags::check_access(app::TunnelServerConfig& config) const {
  const auto mode = std::ranges::find(kIdentityModes, cluster_identity_,
                                      &std::pair<std::string_view, tunnel::IdentityMode>::first);
  if (mode == std::end(kIdentityModes))
    return bad_flag("--cluster-identity", cluster_identity_, "want off, warn or enforce");
  if (mode->second != tunnel::IdentityMode::off && config.agent_tls.ca.empty()) {
    return bad_flag("--cluster-identity", cluster_identity_,
                    "needs --cluster-ca-cert: only then do agents show certificates");
  }
  const bool any_agent = std::ranges::count(config.strategies, tunnel::Strategy::any) > 0;
  if (mode->second == tunnel::IdentityMode::enforce && any_agent) {
    return bad_flag("--cluster-identity", cluster_identity_,
                    "does not go with the strategy default, by which any agent gets any "
                    "connection; set --proxy-strategies=destHost");
  }
  std::vector<tunnel::IdentifierPattern> patterns;
  for (const std::string& text : cluster_identifiers_) {
    auto pattern = tunnel::IdentifierPattern::parse(text);
    if (!pattern) return bad_flag("--cluster-identifiers", text, pattern.error().message);
    patterns.push_back(*std::move(pattern));
  }
  config.identity = tunnel::IdentityPolicy(mode->second, std::move(patterns));
  std::vector<tunnel::ClientRule> rules;
  for (const std::string& text : client_rules_) {
    auto rule = tunnel::ClientRule::parse(text);
    if (!rule) return bad_flag("--allow-client", text, rule.error().message);
    rules.push_back(*std::move(rule));
  }
  config.clients = tunnel::ClientPolicy(std::move(rules));
  return {};
}

base::Result<void> ServerFlags::check_behaviour(app::TunnelServerConfig& config) const {
  TRY_VOID(check_profiling(config.profiling));
  TRY(config.strategies, parse_strategies(strategies_));
  TRY(config.receive_queue, check_positive("--xfr-channel-size", queue_));
  TRY(TlsPolicy policy, parse_tls_policy(cipher_suites_, tls_minimum_));
  config.tls_minimum = policy.minimum;
  config.cipher_suites = std::move(policy.cipher_suites);
  TRY_VOID(check_not_negative("--graceful-shutdown-timeout", config.graceful_shutdown, "no grace"));
  TRY_VOID(check_not_negative("--handover-timeout", config.handover, "no handover"));
  TRY_VOID(check_not_negative("--backend-dial-timeout", config.dial_timeout, "no limit"));
  TRY(config.leases.labels, parse_labels("--lease-label", lease_labels_));
  TRY(config.threads, check_threads(threads_));
  TRY(config.busy_poll, check_busy_poll(busy_poll_, table_.changed("busy-poll")));
  return check_memory(config.memory);
}

base::Result<app::TunnelServerConfig> ServerFlags::config(const std::string& environment_id) const {
  app::TunnelServerConfig config = config_;
  // What is there and wrong is named before what is missing.
  TRY_VOID(check_behaviour(config));
  TRY_VOID(check_frontend(config));
  TRY_VOID(check_ports(config));
  TRY_VOID(check_authentication(config));
  TRY_VOID(check_access(config));
  TRY(config.log, log_.config("proxy-server"));
  if (config.server_id.empty())
    config.server_id = environment_id.empty() ? base::random_uuid() : environment_id;
  config.server_count =
      static_cast<int>(std::clamp<std::int64_t>(server_count_, INT32_MIN, INT32_MAX));
  // What konnectivity's gRPC library makes of less.
  constexpr async::Duration kOftenest = std::chrono::seconds(1);
  config.keepalive = std::max(config.keepalive, kOftenest);
  config.frontend_keepalive = std::max(config.frontend_keepalive, kOftenest);
  config.kube.burst = static_cast<int>(std::clamp<std::int64_t>(kube_burst_, 0, INT32_MAX));
  config.version = kVersion;
  config.listing = table_.listing();
  return config;
}

}  // namespace cli
