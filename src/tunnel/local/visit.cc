#include "tunnel/local/visit.h"

#include <array>
#include <utility>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <fmt/format.h>

#include "net/peer_socket.h"
#include "tunnel/local/one_request.h"
#include "tunnel/stall_watch.h"

namespace tunnel::local {

using async::Task;
using base::Code;
using base::Result;

Visit::Visit(const Context& context, std::unique_ptr<net::Stream> stream)
    : context_(context), stream_(std::move(stream)) {
  outcome_.client = stream_->peer();
}

Visit::~Visit() {
  if (context_.tell) context_.tell(outcome_);
}

Task<std::string> Visit::read_more() {
  std::array<std::uint8_t, 4096> block;
  CO_TRY(const std::size_t count, co_await stream_->read_some(block));
  if (count == 0) co_return base::fail(Code::closed, "the client left without a request");
  co_return std::string(base::as_text(base::Bytes(block).first(count)));
}

async::Awaitable<std::expected<void, client::DialError>> Visit::dial(std::string target) {
  using namespace async::asio::experimental::awaitable_operators;
  outcome_.target = target;
  auto first = co_await (context_.dialer.dial(target) || client_gone());
  if (first.index() == 1) {
    client::DialError left(client::Failure::other,
                           fmt::format("the client left before {} was connected", target));
    outcome_.error = left;
    co_return std::unexpected(std::move(left));
  }
  auto dialed = std::get<0>(std::move(first));
  if (!dialed) {
    outcome_.error = dialed.error();
    co_return std::unexpected(std::move(dialed).error());
  }
  far_ = *std::move(dialed);
  co_return std::expected<void, client::DialError>{};
}

// Ends when the client takes no answer any more. One that has only said all it has is still there.
Task<void> Visit::client_gone() {
  using namespace async::asio::experimental::awaitable_operators;
  co_await (stream_->wait_gone() || client_closed());
  co_return Result<void>{};
}

Task<void> Visit::client_closed() {
  constexpr async::Duration kLookEvery = std::chrono::milliseconds(500);
  do {
    CO_TRY_VOID(co_await context_.clock.sleep_for(kLookEvery));
  } while (!net::peer_has_closed(stream_->descriptor()));
  co_return Result<void>{};
}

std::size_t Visit::keep_to_request(const std::string& head, std::string_view behind) {
  http::RequestBody body(head);
  const std::size_t taken = body.take(base::as_bytes(behind));
  stream_ = make_one_request(std::move(stream_), std::move(body));
  return taken;
}

// Ends when the client has gone and the target has taken nothing of its last words for long.
Task<void> Visit::forsaken(const client::Join& join) {
  using namespace async::asio::experimental::awaitable_operators;
  constexpr async::Duration kLookFor = std::chrono::seconds(1);
  for (;;) {
    const std::uint64_t before = join.bytes_to_far();
    CO_TRY_VOID(co_await context_.clock.sleep_for(StallWatch::kPatience));
    if (!join.waits_for_far() || join.bytes_to_far() != before) continue;
    const auto look = co_await (client_gone() || context_.clock.sleep_for(kLookFor));
    if (look.index() == 0) co_return Result<void>{};
  }
}

Task<void> Visit::carry(std::string first) {
  using namespace async::asio::experimental::awaitable_operators;
  if (auto sent = co_await far_->write_all(base::as_bytes(first)); !sent) {
    failed(sent.error());
    stream_->abort();
    co_return Result<void>{};
  }
  client::Join join(*stream_, *far_);
  auto joined = co_await (join.run() || forsaken(join));
  outcome_.sent = first.size() + join.bytes_to_far();
  outcome_.received = join.bytes_to_near();
  if (joined.index() == 1 && std::get<1>(joined)) {
    failed({Code::timeout, "the client left, and the target did not take its last bytes in time"});
    stream_->abort();
    far_->abort();
  } else if (joined.index() == 0 && !std::get<0>(joined)) {
    failed(std::get<0>(joined).error());
  }
  co_return Result<void>{};
}

void Visit::failed(base::Error error) { outcome_.error = std::move(error); }

Task<void> Visit::dismiss(std::string last_words) {
  CO_TRY_VOID(co_await stream_->write_all(base::as_bytes(last_words)));
  CO_TRY_VOID(co_await stream_->shutdown_write());
  stream_->close();
  co_return Result<void>{};
}

}  // namespace tunnel::local
