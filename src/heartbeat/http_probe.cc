#include <memory>

#include <fmt/format.h>

#include "async/timeout.h"
#include "heartbeat/heartbeat.h"
#include "http/client.h"

namespace heartbeat {

using async::Task;
using base::Code;
using base::Result;

namespace {

constexpr std::size_t kLargestAnswer = 64 * 1024;

/// One URL, and the connections to it.
class HttpProbe {
 public:
  HttpProbe(async::Clock& clock, std::string url, async::Duration limit)
      : clock_(clock), url_(std::move(url)), limit_(limit) {}

  Task<void> ask() {
    CO_TRY(auto parsed, http::parse_url(url_));
    http::NetConnector connector(clock_, nullptr, {.origin = parsed.origin});
    http::Client client(clock_, connector);
    auto status =
        co_await async::with_timeout(clock_, limit_, "GET " + url_, status_of(client, parsed));
    if (!status) co_return base::fail(status.error().within(url_));
    if (*status == 200) co_return Result<void>{};
    co_return base::fail(Code::unavailable, fmt::format("{} answers {}", url_, *status));
  }

 private:
  static Task<unsigned> status_of(http::Client& client, http::Url url) {
    const auto target = url.path + (url.query.empty() ? "" : "?" + url.query);
    CO_TRY(auto response, co_await client.send({.target = target.empty() ? "/" : target}));
    CO_TRY_VOID(co_await response.read_all(kLargestAnswer));
    co_return response.status();
  }

  async::Clock& clock_;
  std::string url_;
  async::Duration limit_;
};

}  // namespace

Probe http_probe(async::Clock& clock, const std::string& url, async::Duration limit) {
  return [probe = std::make_shared<HttpProbe>(clock, url, limit)] { return probe->ask(); };
}

}  // namespace heartbeat
