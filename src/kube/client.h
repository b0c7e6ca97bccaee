#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "async/clock.h"
#include "kube/config.h"
#include "kube/error.h"
#include "kube/json.h"
#include "kube/rate_limiter.h"
#include "kube/session.h"

namespace kube {

/// Sends requests to one API server as client-go does: over one HTTP/2 connection where the server
/// has HTTP/2; at most `qps` a second after a burst; a 429 or 5xx answer that says Retry-After is
/// waited out, up to ten times; a 401 renews the credentials and repeats once.
///
/// Follows the kubeconfigs that its configuration comes from: some seconds after their text has
/// changed, or at once when the server refuses the credentials, requests go by what it says now;
/// those under way end as they began. Text that cannot be used leaves what was there in use, and is
/// logged once.
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
  /// As Session::make().
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

  /// Ends once another configuration has come into use: what was read before may be another
  /// server's.
  async::Task<void> replaced();

  async::Clock& clock() { return clock_; }
  /// Until the next suspension.
  const Config& config() const { return session_->config(); }

 private:
  Client(async::Loop& loop, async::Clock& clock, std::shared_ptr<Session> session, Options options);

  using Fields = Session::Fields;
  std::shared_ptr<Session> session();
  base::Result<std::shared_ptr<Session>> fresh_session() const;
  void look_at_files();
  async::Task<bool> renew(std::shared_ptr<Session> refused, Fields fields);
  async::Task<http::ClientResponse> attempt(std::shared_ptr<Session> session,
                                            http::ClientRequest request, Fields fields);
  async::Task<json::value> read_json(http::ClientResponse response);
  Task<void> consider_retry(Error error, int retries, bool asked_to_wait);

  async::Loop& loop_;
  async::Clock& clock_;
  Options options_;
  RateLimiter limiter_;
  async::TimePoint look_;  // when the files may have changed
  std::string trouble_;    // with them, as it was told last
  std::shared_ptr<Session> session_;
};

}  // namespace kube
