#include "cli/client_flags.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "cli/go_values.h"
#include "cli/rules.h"
#include "net/address.h"

namespace cli {

using tunnel::client::Protocol;

const std::string_view kAboutTargets =
    "HOST decides which cluster is reached. A server with --proxy-strategies=destHost gives the "
    "connection to an agent that has HOST among its --agent-identifiers, letter by letter; the "
    "agent "
    "looks HOST up in its own network. In Open Cluster Management HOST is the name of a managed "
    "cluster, and HOST:443 its API server. With the strategy \"default\" any agent may get the "
    "connection, whatever HOST is.";

namespace {

constexpr std::array<std::pair<std::string_view, Protocol>, 4> kProtocols = {
    {{"auto", Protocol::automatic},
     {"http1", Protocol::http1},
     {"http2", Protocol::http2},
     {"grpc", Protocol::grpc}}};

std::vector<std::string> names_of_protocols() {
  std::vector<std::string> names;
  for (const auto& [name, protocol] : kProtocols) names.emplace_back(name);
  return names;
}

}  // namespace

void ClientFlags::add_to(FlagSet& table) {
  table.section("Connection flags");
  table.add_string("server", server_,
                   "The server's port for clients, as HOST:PORT, or the path of its Unix socket.");
  table.add_choice(
      "protocol", protocol_, names_of_protocols(),
      "What is spoken there: auto finds out, http1 and http2 are CONNECT (the server's "
      "--mode=http-connect), grpc is konnectivity's (--mode=grpc). With grpc, and "
      "where auto finds HTTP/1.1, the end of what is sent reaches the target only when "
      "that has been silent for 30 s: konnectivity ends both directions at once.");
  table.add_string("ca-cert", ca_, "CA that the server's certificate has to come from, PEM.");
  table.add_string("client-cert", certificate_, "Certificate to show to the server, PEM.");
  table.add_string("client-key", key_, "Key of --client-cert, PEM.");
  table.add_string("tls-server-name", server_name_,
                   "Name that the server's certificate has to carry, if not the host of --server.");
  table.add_switch("plaintext", plaintext_,
                   "Speak without TLS. On a Unix socket that is always so.");
  table.add_duration("dial-timeout", limit_,
                     "How long a connection to a target may take to be there.");
  table.set_shorthand(
      table.add_int("v", verbosity_, "How much is told: 1 also each connection, 5 debugging."),
      'v');
}

base::Result<app::ClientConfig> ClientFlags::config() const {
  TRY(app::ClientConfig config, config_of_any_files());
  TRY_VOID(check_tls(config));
  return config;
}

base::Result<app::ClientConfig> ClientFlags::config_of_any_files() const {
  app::ClientConfig config;
  TRY_VOID(check_server(config));
  const auto chosen =
      std::ranges::find(kProtocols, protocol_, [](const auto& entry) { return entry.first; });
  config.protocol = chosen->second;
  config.files = {.certificate = certificate_, .key = key_, .ca = ca_};
  config.server_name = server_name_;
  if (limit_ <= async::Duration::zero())
    return bad_flag("--dial-timeout", format_go_duration(limit_), "must be greater than 0");
  config.dial_limit = limit_;
  config.log.level = verbosity_ >= 5   ? base::log::Level::debug
                     : verbosity_ >= 1 ? base::log::Level::info
                                       : base::log::Level::warn;
  return config;
}

base::Result<void> ClientFlags::check_server(app::ClientConfig& config) const {
  if (server_.empty()) {
    return base::fail(base::Code::invalid,
                      "no server is named: give --server=HOST:PORT (its port for clients), set "
                      "CLUSTER_PROXY_SERVER, or put \"server: HOST:PORT\" into the settings file");
  }
  config.server = server_.starts_with("unix:") ? server_.substr(5) : server_;
  const bool is_path = config.server.starts_with('/');
  config.tls = !plaintext_ && !is_path;
  if (is_path) return {};
  if (auto parsed = net::parse_host_port(server_); !parsed || parsed->host.empty()) {
    return bad_flag("--server", server_,
                    "want HOST:PORT, or the path of a Unix socket, which begins with a slash");
  }
  return {};
}

base::Result<void> ClientFlags::check_tls(const app::ClientConfig& config) const {
  TRY_VOID(check_readable("--ca-cert", ca_));
  TRY_VOID(check_pair("--client-cert", certificate_, "--client-key", key_));
  if (config.tls && ca_.empty()) {
    return base::fail(base::Code::invalid,
                      "--ca-cert is not set: name the CA of the server's certificate, or give "
                      "--plaintext when the server's port has no TLS");
  }
  return {};
}

}  // namespace cli
