#include "http/h1_connections.h"

#include <poll.h>
#include <utility>

#include "base/buffer.h"

namespace http {

using async::Task;
using base::Code;
using base::Result;

namespace {

/// An idle connection with something to read has either been closed or says what nobody asked for.
bool still_quiet(net::Stream& stream) {
  const int descriptor = stream.descriptor();
  if (descriptor < 0) return true;
  pollfd state{.fd = descriptor, .events = POLLIN, .revents = 0};
  return ::poll(&state, 1, 0) == 0;
}

}  // namespace

/// One request and its response on one connection.
class H1Connections::Exchange : public ClientResponse::Exchange {
 public:
  Exchange(H1Connections& owner, std::unique_ptr<net::Stream> stream,
           ResponseParser::Options parsing)
      : owner_(owner), stream_(std::move(stream)), parser_(parsing) {}

  const ResponseHead& head() const override { return parser_.head(); }
  Task<std::string> read_part() override;
  UpgradedConnection take_upgraded() override { return {std::move(stream_), std::move(unparsed_)}; }
  Task<void> send_and_receive_head(const std::string& wire);
  bool answered() const { return !unparsed_.empty(); }

 private:
  Task<void> receive();
  void settle();

  H1Connections& owner_;
  std::unique_ptr<net::Stream> stream_;  // null once given back or ended
  ResponseParser parser_;
  std::string unparsed_;
};

Task<void> H1Connections::Exchange::receive() {
  CO_TRY_VOID(co_await stream_->wait_readable());
  base::Buffer block(base::Buffer::kBlock);
  CO_TRY(const auto count, co_await stream_->read_some(block.tail()));
  if (count == 0) {
    CO_TRY_VOID(parser_.end());
    stream_.reset();
    co_return Result<void>{};
  }
  block.commit(count);
  unparsed_ += base::as_text(block.bytes());
  CO_TRY(const auto taken, parser_.feed(base::as_bytes(unparsed_)));
  unparsed_.erase(0, taken);
  settle();
  co_return Result<void>{};
}

void H1Connections::Exchange::settle() {
  if (!stream_ || !parser_.done() || head().status == 101) return;
  auto free = std::move(stream_);
  if (unparsed_.empty() && parser_.keep_alive()) owner_.keep(std::move(free));
}

Task<std::string> H1Connections::Exchange::read_part() {
  for (;;) {
    auto part = parser_.take_body();
    if (!part.empty() || !stream_) co_return part;
    CO_TRY_VOID(co_await receive());
  }
}

Task<void> H1Connections::Exchange::send_and_receive_head(const std::string& wire) {
  // A server may refuse a request before it has read it all; its answer says more than the failed
  // write.
  const auto written = co_await stream_->write_all(base::as_bytes(wire));
  if (!written && !written.error().is(Code::closed)) co_return base::fail(written.error());
  while (!parser_.head_done()) {
    auto received = co_await receive();
    if (!received) co_return base::fail(written ? std::move(received).error() : written.error());
  }
  co_return Result<void>{};
}

std::unique_ptr<net::Stream> H1Connections::take() {
  while (!idle_.empty()) {
    auto last = std::move(idle_.back());
    idle_.pop_back();
    if (last.until > clock_.now() && still_quiet(*last.stream)) return std::move(last.stream);
  }
  return nullptr;
}

void H1Connections::keep(std::unique_ptr<net::Stream> stream) {
  std::erase_if(idle_, [&](const Idle& idle) { return idle.until <= clock_.now(); });
  if (idle_.size() >= options_.max_idle) return;
  idle_.push_back({std::move(stream), clock_.now() + options_.idle_limit});
}

Task<ClientResponse> H1Connections::exchange(std::unique_ptr<net::Stream> stream,
                                             const Request& request, bool* answered) {
  const ResponseParser::Options parsing{.max_head_bytes = options_.max_head_bytes,
                                        .without_body = request.head_only};
  auto exchange = std::make_unique<Exchange>(*this, std::move(stream), parsing);
  if (auto done = co_await exchange->send_and_receive_head(request.wire); !done) {
    *answered = exchange->answered();
    co_return base::fail(std::move(done).error());
  }
  co_return ClientResponse(std::move(exchange));
}

}  // namespace http
