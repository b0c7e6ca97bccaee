#include "tunnel/client/http1.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "async/timeout.h"
#include "http/response_parser.h"

namespace tunnel::client {
namespace {

using async::Task;
using base::Code;

constexpr std::size_t kMostText = 4096;  // bytes of a refusal's body that are worth keeping
constexpr async::Duration kTextWithin = std::chrono::seconds(2);

/// Reads one byte at a time: whatever follows the head belongs to the connection.
Task<http::ResponseHead> read_head(net::Stream& stream) {
  http::ResponseParser parser({.without_body = true});
  std::string head;
  while (!parser.head_done()) {
    std::uint8_t byte = 0;
    CO_TRY(const std::size_t count, co_await stream.read_some({&byte, 1}));
    if (count == 0)
      co_return base::fail(Code::closed, "it closed the connection without an answer");
    head += static_cast<char>(byte);
    CO_TRY(const std::size_t taken, parser.feed(base::as_bytes(head)));
    head.erase(0, taken);
  }
  co_return parser.head();
}

std::size_t body_size(const http::ResponseHead& head) {
  const std::string_view text = head.find("content-length");
  std::size_t size = kMostText;
  std::from_chars(text.data(), text.data() + text.size(), size);
  return std::min(size, kMostText);
}

/// As much of the reason as comes; a server that breaks off has said enough.
Task<std::string> read_text(net::Stream& stream, std::size_t size) {
  std::string text;
  std::array<std::uint8_t, 512> block;
  while (text.size() < size) {
    const auto count = co_await stream.read_some(
        base::MutableBytes(block).first(std::min(block.size(), size - text.size())));
    if (!count || *count == 0) break;
    text += base::as_text(base::Bytes(block).first(*count));
  }
  co_return text;
}

/// A server can tell from a reset that nobody waits for its answer any more.
class ResetUnlessKept {
 public:
  explicit ResetUnlessKept(std::unique_ptr<net::Stream> stream) : stream_(std::move(stream)) {}
  ResetUnlessKept(const ResetUnlessKept&) = delete;
  ResetUnlessKept& operator=(const ResetUnlessKept&) = delete;
  ~ResetUnlessKept() {
    if (stream_) stream_->abort();
  }
  net::Stream& operator*() { return *stream_; }
  std::unique_ptr<net::Stream> keep() { return std::move(stream_); }

 private:
  std::unique_ptr<net::Stream> stream_;
};

DialError server_failed(base::Error error, const Dial& dial) {
  if (error.is(Code::invalid)) {
    return {Failure::protocol,
            fmt::format("{} does not answer as HTTP/1.1 does: {}", dial.server, error.message)};
  }
  return {Failure::server_gone,
          fmt::format("the connection to {} was lost: {}", dial.server, error.message)};
}

}  // namespace

async::Awaitable<DialResult> dial_http1(std::unique_ptr<net::Stream> fresh, Dial dial) {
  ResetUnlessKept stream(std::move(fresh));
  const std::string request = fmt::format("CONNECT {0} HTTP/1.1\r\nHost: {0}\r\n\r\n", dial.target);
  if (auto sent = co_await (*stream).write_all(base::as_bytes(request)); !sent)
    co_return std::unexpected(server_failed(std::move(sent).error(), dial));
  auto head = co_await read_head(*stream);
  if (!head) co_return std::unexpected(server_failed(std::move(head).error(), dial));
  if (head->status / 100 == 2) co_return stream.keep();
  Refusal refusal{.status = head->status, .proxy_status = std::string(head->find("proxy-status"))};
  auto text = co_await async::with_timeout(dial.clock, kTextWithin, "reason",
                                           read_text(*stream, body_size(*head)));
  refusal.text = std::move(text).value_or("");
  co_return std::unexpected(explain(refusal, dial.target, dial.server));
}

}  // namespace tunnel::client
