#include "app/admin_client.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "async/task_group.h"
#include "async/timeout.h"
#include "http/client.h"
#include "net/address.h"

namespace app {
namespace {

using async::Task;
using base::Code;
using base::fail;
using base::Result;

constexpr std::size_t kLongestPage = std::size_t{256} << 20;

Task<std::string> fetch_page(async::Clock& clock, net::HostPort where, std::string target) {
  http::NetConnector connector(
      clock, nullptr,
      {.origin = {.tls = false, .host = std::move(where.host), .port = where.port}});
  http::Client client(clock, connector);
  CO_TRY(http::ClientResponse response, co_await client.send({.target = std::move(target)}));
  CO_TRY(std::string body, co_await response.read_all(kLongestPage));
  if (response.status() == 200) co_return body;
  body.resize(std::min(body.find('\n'), std::min<std::size_t>(body.size(), 200)));
  co_return fail(Code::not_found, fmt::format("it answered {} \"{}\"", response.status(), body));
}

Task<void> keep(Task<std::string> task, std::optional<Result<std::string>>& out) {
  out = co_await std::move(task);
  co_return Result<void>{};
}

// Until nothing is left to do.
void run(async::Loop& loop) {
  loop.restart();
  loop.run();
}

}  // namespace

Result<std::string> AdminClient::fetch(const std::string& target) {
  constexpr async::Duration kLimit = std::chrono::seconds(10);
  TRY(net::HostPort where, net::parse_host_port(address_));
  std::optional<Result<std::string>> page;
  async::TaskGroup tasks(loop_.get_executor());
  auto bounded =
      async::with_timeout(clock_, kLimit, "answer", fetch_page(clock_, std::move(where), target));
  tasks.spawn("fetch", keep(std::move(bounded), page));
  run(loop_);
  if (page && *page) return *std::move(page);
  const base::Error error = page ? page->error() : base::Error{Code::internal, "no answer"};
  return fail(error.code,
              fmt::format("http://{}{}: {}; is it the admin port of a running server "
                          "(--admin-port, --admin-bind-address there), and reachable from here?",
                          address_, target, error.message));
}

void AdminClient::pause(async::Duration duration) {
  async::TaskGroup tasks(loop_.get_executor());
  tasks.spawn("pause", clock_.sleep_for(duration));
  run(loop_);
}

}  // namespace app
