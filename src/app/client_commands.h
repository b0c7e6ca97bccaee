#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/client_config.h"
#include "app/common_config.h"
#include "base/result.h"

/// What the commands of the client do, once their command lines are understood. Each returns the
/// exit code.
namespace app {

/// Writes to standard output, at once. Fails when that is lost; the command ends then.
using Output = std::function<base::Result<void>(std::string_view)>;

/// Joins standard input and output to `target`.
base::Result<int> run_dial(const ClientConfig& config, const std::string& target);

/// A local port and where it leads.
struct Forward {
  ListenAddress listen;  // port 0: the system chooses
  std::string target;

  bool operator==(const Forward&) const = default;
};
/// Leads local ports to targets, until a signal comes; `out` says what leads where.
base::Result<int> run_forward(const ClientConfig& config, const std::vector<Forward>& forwards,
                              const Output& out);

struct LocalProxies {
  std::optional<ListenAddress> socks5;
  std::optional<ListenAddress> http;
  std::string name, password;  // that clients have to give; "" = none
};
/// Serves local proxies, until a signal comes; `out` says where.
base::Result<int> run_proxy(const ClientConfig& config, const LocalProxies& proxies,
                            const Output& out);

/// What is measured.
struct BenchPlan {
  enum class Kind {
    any,     // how long connections take, nothing else
    helper,  // `bench --serve` is at the other end
    http,    // an URL is fetched
  };
  Kind kind = Kind::any;
  std::string target;                              // as given
  std::string address;                             // "host:port" to connect to
  std::string request;                             // of HTTP
  async::Duration time = std::chrono::seconds(5);  // a test
  std::int64_t parallel = 1;                       // connections at once
};
base::Result<int> run_bench(const ClientConfig& config, const BenchPlan& plan, const Output& out);
/// The far end of a measurement, until a signal comes.
base::Result<int> run_bench_helper(const ListenAddress& listen, const Output& out);

}  // namespace app
