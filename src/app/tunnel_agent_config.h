#pragma once

#include <string>
#include <vector>

#include "app/common_config.h"
#include "net/address.h"
#include "pki/tls_files.h"
#include "tunnel/destination.h"
#include "tunnel/identifiers.h"

namespace app {

/// Where the number of servers to connect to comes from.
enum class ServerCountSource {
  preferred,  // "default": leases when they are counted, else what servers say
  maximum,    // "max": the larger of both
};

/// The agent counts the servers' Leases in its own cluster.
struct LeaseCounting {
  bool enabled = false;
  std::string lease_namespace = "kube-system";
  std::string label_selector =
      "k8s-app=konnectivity-server";  // Kubernetes' syntax; empty = everything
};

/// `cluster-proxy agent`, every flag as a typed and validated value.
struct TunnelAgentConfig {
  std::string agent_id;         // never empty once parsed
  std::string raw_identifiers;  // as given: what goes to the server
  tunnel::Identifiers identifiers;

  net::HostPort server{"127.0.0.1",
                       8091};  // the host is also the name that the certificate must carry
  std::vector<net::HostPort> more_servers;  // --proxy-server-addresses: further ways to the servers
  std::vector<std::string> alpn;            // offered before our own
  bool native_link = true;                  // wanted of servers
  std::size_t threads = 1;                  // event loops, each on a core
  async::Duration busy_poll{};              // see async/busy_poll.h
  pki::TlsFiles tls;                        // certificate and key empty = token only
  std::string token_file;                   // read at every connect; empty = none

  tunnel::DestinationRules destinations{{}, {}};  // what may be dialed

  ListenAddress health{"", 8093};
  ListenAddress admin{"127.0.0.1", 8094};

  async::Duration sync_interval = std::chrono::seconds(1);
  async::Duration sync_interval_cap = std::chrono::seconds(10);
  async::Duration probe_interval = std::chrono::seconds(1);
  async::Duration keepalive = std::chrono::hours(1);
  bool sync_forever = false;
  bool warn_on_queue_limit = false;  // --warn-on-channel-limit
  int connection_queue =
      150;  // --xfr-channel-size, packets; buffers are bounded by `memory` as well
  MemoryLimits memory{.process = std::size_t{16} << 20, .connection = std::size_t{2} << 20};

  LeaseCounting leases;
  ServerCountSource count_source = ServerCountSource::preferred;
  KubeAccess kube;

  ProfilingConfig profiling;
  LogConfig log;
  std::string listing;  // the flags that differ from their defaults, "--sync-forever=true ...": one
                        // line for the log
};

}  // namespace app
