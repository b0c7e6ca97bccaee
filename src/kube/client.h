#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "async/clock.h"
#include "http/client.h"
#include "http/connector.h"
#include "kube/config.h"
#include "kube/credentials.h"
#include "kube/error.h"
#include "kube/json.h"
#include "kube/rate_limiter.h"

namespace kube {

/// Sends requests to one API server as client-go does: over one HTTP/2 connection where the server
/// has HTTP/2; at most `qps` a second after a burst; a 429 or 5xx answer that says Retry-After is
/// waited out, up to ten times; a 401 renews the credentials and repeats once.
///
/// Owned by one loop and outlives the tasks that use it. Cancelling a task abandons its request.
class Client {
 public:
  struct Options {
    double qps = 5;  // 0 or less: no limit
    unsigned burst = 10;
    std::string user_agent = "cluster-proxy";
    // For one attempt: connect, send, and the answer (of a watch: its head).
    async::Duration attempt_limit = std::chrono::seconds(30);
    std::size_t max_answer_bytes = 128 * 1024 * 1024;
  };
  /// Code::invalid when the configuration cannot work. Reads no file and makes no connection yet.
  /// Without a proxy-url, HTTPS_PROXY and NO_PROXY of the environment hold.
  static base::Result<std::unique_ptr<Client>> make(async::Loop& loop, async::Clock& clock,
                                                    Config config, Options options);

  /// The whole answer, parsed; null when it has no body.
  Task<json::value> send(http::ClientRequest request);
  /// The same for an answer that is an object.
  Task<json::object> send_for_object(http::ClientRequest request);
  /// send(), all waits and retries included, but not longer than `limit`: then Code::timeout.
  Task<json::value> send_within(http::ClientRequest request, async::Duration limit);
  /// An answer below 400 whose body is read as it comes: for watches.
  Task<http::ClientResponse> open(http::ClientRequest request);

  async::Clock& clock() { return clock_; }
  const Config& config() const { return config_; }

 private:
  Client(async::Loop& loop, async::Clock& clock, Config config, Options options, http::Url url);

  using Fields = std::vector<http::HeaderField>;
  async::Task<http::ClientResponse> attempt(http::ClientRequest request, Fields fields);
  async::Task<void> follow_tls();
  async::Task<json::value> read_json(http::ClientResponse response);
  Task<void> consider_retry(Error error, int retries, bool asked_to_wait);

  async::Clock& clock_;
  const Config config_;
  Options options_;
  std::string base_path_;
  RateLimiter limiter_;
  Credentials credentials_;
  std::shared_ptr<const net::TlsContext> tls_in_use_;
  http::NetConnector connector_;
  http::Client http_;
};

}  // namespace kube
