#include "kube/client.h"

#include <utility>

#include <fmt/format.h>

#include "async/timeout.h"
#include "base/log.h"
#include "net/proxy_environment.h"

namespace kube {

using base::Code;

namespace {

constexpr int kMaxRetries = 10;
constexpr std::size_t kMaxErrorBody = 1024 * 1024;

/// The kubeconfig's word on a proxy goes before that of the environment, as in client-go.
std::string proxy_of(const ClusterConfig& cluster, const http::Origin& origin) {
  if (!cluster.proxy_url.empty() || !origin.tls) return cluster.proxy_url;
  return net::ProxyEnvironment::from_process().proxy_for({origin.host, origin.port});
}

base::Result<http::NetConnector::Options> connector_options(const ClusterConfig& cluster,
                                                            const http::Url& url) {
  http::NetConnector::Options options{.origin = url.origin, .server_name = cluster.tls_server_name};
  const auto proxy = proxy_of(cluster, url.origin);
  if (proxy.empty()) return options;
  TRY(options.proxy, http::parse_url(proxy));
  if (!options.proxy->origin.tls) return options;
  return base::fail(Code::invalid, fmt::format("proxy {}: only http:// proxies are supported",
                                               options.proxy->origin.address()));
}

bool asks_to_wait(const http::ResponseHead& head) {
  return (head.status == 429 || head.status >= 500) && !head.find("Retry-After").empty();
}

bool same_fields(const std::vector<http::HeaderField>& a, const std::vector<http::HeaderField>& b) {
  return std::ranges::equal(
      a, b, [](const auto& x, const auto& y) { return x.name == y.name && x.value == y.value; });
}

}  // namespace

base::Result<std::unique_ptr<Client>> Client::make(async::Loop& loop, async::Clock& clock,
                                                   Config config, Options options) {
  TRY(auto url, http::parse_url(config.cluster.server));
  TRY_VOID(connector_options(config.cluster, url));
  return std::unique_ptr<Client>(
      new Client(loop, clock, std::move(config), std::move(options), std::move(url)));
}

Client::Client(async::Loop& loop, async::Clock& clock, Config config, Options options,
               http::Url url)
    : clock_(clock),
      config_(std::move(config)),
      options_(std::move(options)),
      base_path_(url.path.substr(0, url.path.find_last_not_of('/') + 1)),
      limiter_(options_.qps, options_.burst),
      credentials_(loop, clock, config_),
      connector_(clock, &credentials_, *connector_options(config_.cluster, url)),
      http_(clock, connector_) {}

// New credentials must not wait until the last kept-alive connection made with the old ones ends.
async::Task<void> Client::follow_tls() {
  if (!connector_.origin().tls) co_return base::Result<void>{};
  CO_TRY(auto current, co_await credentials_.tls_context());
  if (tls_in_use_ && tls_in_use_ != current) http_.renew_connections();
  tls_in_use_ = std::move(current);
  co_return base::Result<void>{};
}

async::Task<http::ClientResponse> Client::attempt(http::ClientRequest request, Fields fields) {
  CO_TRY_VOID(co_await follow_tls());
  request.target = base_path_ + request.target;
  request.set("User-Agent", options_.user_agent);
  request.fields.insert(request.fields.end(), fields.begin(), fields.end());
  co_return co_await http_.send(std::move(request));
}

// Waits as the server asked, or gives the error back when it did not or when that would be once too
// often.
Task<void> Client::consider_retry(Error error, int retries, bool asked_to_wait) {
  if (!asked_to_wait || !error.retry_after || retries >= kMaxRetries) {
    co_return std::unexpected(std::move(error));
  }
  LOG_DEBUG("API server asks to wait", {"seconds", error.retry_after->count()},
            {"error", error.message});
  CO_TRY_VOID(co_await clock_.sleep_for(*error.retry_after));
  co_return Result<void>{};
}

Task<http::ClientResponse> Client::open(http::ClientRequest request) {
  const auto what = fmt::format("{} {}", request.method, request.target);
  bool renewed = false;
  for (int retries = 0;; ++retries) {
    CO_TRY_VOID(co_await clock_.sleep_for(limiter_.reserve(clock_.now())));
    auto fields = co_await credentials_.fields();
    if (!fields) co_return std::unexpected(Error(fields.error().within(config_.source)));
    auto response = co_await async::with_timeout(clock_, options_.attempt_limit, what,
                                                 attempt(request, *fields));
    if (!response)
      co_return std::unexpected(Error(response.error().within(config_.cluster.server)));
    if (response->status() < 400) co_return std::move(*response);
    auto body = co_await async::with_timeout(clock_, options_.attempt_limit, what,
                                             response->read_all(kMaxErrorBody));
    auto error = error_of_answer(response->head(), body.value_or(""));
    if (response->status() == 401 && !std::exchange(renewed, true)) {
      credentials_.invalidate();
      const auto fresh = co_await credentials_.fields();
      if (fresh && !same_fields(*fresh, *fields)) continue;
    }
    error.message = what + ": " + error.message;
    CO_TRY_VOID(co_await consider_retry(std::move(error), retries, asks_to_wait(response->head())));
  }
}

// Parsed as it comes: the text of a large list is never held beside its values.
async::Task<json::value> Client::read_json(http::ClientResponse response) {
  JsonReader reader;
  std::size_t size = 0;
  for (;;) {
    CO_TRY(const auto part, co_await response.read_part());
    if (part.empty()) co_return reader.finish();
    size += part.size();
    if (size > options_.max_answer_bytes) {
      co_return base::fail(Code::exhausted, fmt::format("the answer is longer than {} bytes",
                                                        options_.max_answer_bytes));
    }
    CO_TRY_VOID(reader.feed(part));
  }
}

Task<json::value> Client::send(http::ClientRequest request) {
  const auto what = fmt::format("{} {}", request.method, request.target);
  CO_TRY(auto response, co_await open(std::move(request)));
  auto value = co_await async::with_timeout(clock_, options_.attempt_limit, what,
                                            read_json(std::move(response)));
  if (!value) co_return std::unexpected(Error(value.error().within(what)));
  co_return std::move(*value);
}

Task<json::object> Client::send_for_object(http::ClientRequest request) {
  const auto what = fmt::format("{} {}", request.method, request.target);
  CO_TRY(auto value, co_await send(std::move(request)));
  if (auto* object = value.if_object()) co_return std::move(*object);
  co_return std::unexpected(Error(Code::io, what + ": the answer is not an object"));
}

Task<json::value> Client::send_within(http::ClientRequest request, async::Duration limit) {
  using namespace async::asio::experimental::awaitable_operators;
  const auto what = fmt::format("{} {}", request.method, request.target);
  auto outcome = co_await (send(std::move(request)) || clock_.sleep_for(limit));
  if (outcome.index() == 0) co_return std::move(std::get<0>(outcome));
  const auto seconds = std::chrono::duration<double>(limit).count();
  co_return std::unexpected(
      Error(Code::timeout, fmt::format("{}: timed out after {}s", what, seconds)));
}

}  // namespace kube
