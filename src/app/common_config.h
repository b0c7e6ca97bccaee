#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "async/clock.h"
#include "base/log.h"

/// What the configurations of several programs share. Plain values: whoever fills them has
/// validated them.
namespace app {

/// Where a listener binds. An empty host means all interfaces.
struct ListenAddress {
  std::string host;
  std::uint16_t port = 0;

  bool operator==(const ListenAddress&) const = default;
};

/// Bounds on the bytes that wait in buffers of connections.
struct MemoryLimits {
  std::size_t process = 0;                     // bytes, all connections together
  std::size_t connection = 0;                  // bytes, one connection
  std::size_t window = std::size_t{16} << 20;  // bytes, one connection's window on a native link
};

/// What is written to the log, and where (docs/decisions/0005-log-levels.md).
struct LogConfig {
  base::log::Options sink;
  int verbosity = 4;       // -v as given; `sink.level` follows from it
  bool access_log = true;  // one line per ended connection
};

struct ProfilingConfig {
  bool enabled = false;     // --enable-profiling
  bool contention = false;  // --enable-contention-profiling
};

/// How the Kubernetes API is reached, where it is needed at all.
struct KubeAccess {
  std::string kubeconfig;  // empty = the pod's service account
  double qps = 0;          // 0 = 5
  int burst = 0;           // 0 = 10
  std::string content_type = "application/vnd.kubernetes.protobuf";  // a wish: JSON is always legal
};

}  // namespace app
