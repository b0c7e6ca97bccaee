#include "kube/client.h"

#include <utility>

#include <fmt/format.h>

#include "async/timeout.h"
#include "base/log.h"

namespace kube {

using base::Code;

namespace {

constexpr int kMaxRetries = 10;
constexpr std::size_t kMaxErrorBody = 1024 * 1024;
// How stale the view of kubeconfigs may be.
constexpr auto kLookPeriod = std::chrono::seconds(10);
// When a configuration that comes from no file is looked at.
constexpr auto kNever = std::chrono::hours(24 * 365);

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
  TRY(auto session, Session::make(loop, clock, std::move(config)));
  return std::unique_ptr<Client>(new Client(loop, clock, std::move(session), std::move(options)));
}

Client::Client(async::Loop& loop, async::Clock& clock, std::shared_ptr<Session> session,
               Options options)
    : loop_(loop),
      clock_(clock),
      options_(std::move(options)),
      limiter_(options_.qps, options_.burst),
      look_(clock.now() + kLookPeriod),
      session_(std::move(session)) {}

std::shared_ptr<Session> Client::session() {
  if (!session_->config().files.empty() && clock_.now() >= look_) look_at_files();
  return session_;
}

base::Result<std::shared_ptr<Session>> Client::fresh_session() const {
  TRY(auto config, reread(session_->config()));
  if (config == session_->config()) return session_;
  return Session::make(loop_, clock_, std::move(config));
}

// What is half written or wrong leaves what was there in use; that is told once.
void Client::look_at_files() {
  look_ = clock_.now() + kLookPeriod;
  auto fresh = fresh_session();
  const std::string trouble = fresh ? "" : fresh.error().message;
  if (std::exchange(trouble_, trouble) != trouble && !fresh) {
    LOG_WARN("the kubeconfig has changed and cannot be used; what it said before stays in use",
             {"error", trouble});
  }
  if (!fresh || *fresh == session_) return;
  session_ = std::move(*fresh);
  LOG_INFO("the kubeconfig has changed and is in use", {"file", session_->config().source});
}

async::Task<void> Client::replaced() {
  const auto before = session();
  const bool fixed = before->config().files.empty();
  const async::Duration period = fixed ? async::Duration(kNever) : kLookPeriod;
  while (session() == before) CO_TRY_VOID(co_await clock_.sleep_for(period));
  co_return base::Result<void>{};
}

async::Task<http::ClientResponse> Client::attempt(std::shared_ptr<Session> session,
                                                  http::ClientRequest request, Fields fields) {
  request.set("User-Agent", options_.user_agent);
  request.fields.insert(request.fields.end(), fields.begin(), fields.end());
  CO_TRY(auto response, co_await session->send(std::move(request)));
  response.keep(std::move(session));
  co_return response;
}

// Whether there are other credentials than those that the server did not accept.
async::Task<bool> Client::renew(std::shared_ptr<Session> refused, Fields fields) {
  refused->invalidate();
  look_ = clock_.now();
  const auto next = session();
  if (next != refused) co_return true;
  const auto fresh = co_await next->fields();
  co_return fresh && !same_fields(*fresh, fields);
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
    const auto used = session();
    auto fields = co_await used->fields();
    if (!fields) co_return std::unexpected(Error(fields.error().within(used->config().source)));
    auto response = co_await async::with_timeout(clock_, options_.attempt_limit, what,
                                                 attempt(used, request, *fields));
    if (!response)
      co_return std::unexpected(Error(response.error().within(used->config().cluster.server)));
    if (response->status() < 400) co_return std::move(*response);
    auto body = co_await async::with_timeout(clock_, options_.attempt_limit, what,
                                             response->read_all(kMaxErrorBody));
    auto error = error_of_answer(response->head(), body.value_or(""));
    if (response->status() == 401 && !std::exchange(renewed, true)) {
      const auto other = co_await renew(used, *fields);
      if (other.value_or(false)) continue;
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
