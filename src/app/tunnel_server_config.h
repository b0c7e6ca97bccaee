#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "app/common_config.h"
#include "net/tls.h"
#include "pki/tls_files.h"
#include "tunnel/server/client_rules.h"
#include "tunnel/server/cluster_identity.h"
#include "tunnel/server/frontend_mode.h"
#include "tunnel/strategy.h"

namespace app {

/// Agents prove who they are by a service account token which the API server reviews.
struct TokenAuthentication {
  std::string agent_namespace;
  std::string service_account;
  std::string audience;
};

/// The server announces itself by a Lease and removes the expired ones of its siblings.
struct ServerLeases {
  bool enabled = false;
  std::string lease_namespace = "kube-system";
  std::map<std::string, std::string> labels = {{"k8s-app", "konnectivity-server"}};
};

/// `cluster-proxy server`, every flag as a typed and validated value.
struct TunnelServerConfig {
  std::string server_id;  // never empty once parsed
  std::string version;    // of the program, for people
  int server_count = 1;   // header value only

  tunnel::FrontendMode mode = tunnel::FrontendMode::grpc;
  std::string unix_socket;  // non-empty = the frontend listens here, without TLS, and not on TCP
  bool replace_unix_socket = true;
  ListenAddress frontend{"", 8090};
  // A second frontend speaks what `mode` is not.
  std::string other_unix_socket;
  std::uint16_t other_frontend_port = 0;  // on the same address; 0 = none
  ListenAddress agents{"", 8091};
  ListenAddress health{"", 8092};
  ListenAddress admin{"127.0.0.1", 8095};

  pki::TlsFiles frontend_tls;  // all empty with a Unix socket
  pki::TlsFiles agent_tls;     // ca empty = agents are not asked for a certificate
  net::TlsVersion tls_minimum = net::TlsVersion::v1_2;
  std::vector<std::string>
      cipher_suites;  // OpenSSL names for TLS 1.2; empty = the library's default

  async::Duration keepalive = std::chrono::hours(1);  // idle time before a ping to an agent
  async::Duration frontend_keepalive =
      std::chrono::hours(1);             // idle time before a ping to a client
  async::Duration graceful_shutdown{0};  // 0 = stop at once
  async::Duration handover{0};           // see tunnel::ServerOptions
  async::Duration dial_timeout{0};       // 0 = wait for the agent's answer for ever

  bool native_link = true;      // offered to agents
  std::size_t threads = 1;      // event loops, each on a core
  async::Duration busy_poll{};  // see async/busy_poll.h

  std::vector<tunnel::Strategy> strategies = {
      tunnel::Strategy::any};  // asked in this order; at least one
  int receive_queue = 10;  // --xfr-channel-size, packets; buffers are bounded by `memory` as well
  MemoryLimits memory{.process = std::size_t{256} << 20, .connection = std::size_t{4} << 20};

  std::optional<TokenAuthentication> authentication;
  tunnel::IdentityPolicy identity{tunnel::IdentityMode::off};  // of agents
  tunnel::ClientPolicy clients;                                // who may go where
  ServerLeases leases;
  KubeAccess kube;

  ProfilingConfig profiling;
  LogConfig log;
  std::string listing;  // the flags that differ from their defaults, "--mode=http-connect ...": one
                        // line for the log
};

}  // namespace app
