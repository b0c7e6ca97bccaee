#include "portforward/websocket_stream.h"

#include <algorithm>

#include "base/id.h"
#include "portforward/next_block.h"

namespace portforward {

namespace {

using async::Task;
using base::Bytes;
using base::Code;
using base::Result;

std::uint32_t random_mask() { return static_cast<std::uint32_t>(base::random_u64()); }

class WebSocketStream : public net::Stream {
 public:
  WebSocketStream(std::unique_ptr<net::Stream> inner, std::string first_bytes)
      : inner_(std::move(inner)), first_bytes_(std::move(first_bytes)) {}

  Task<std::size_t> read_some(base::MutableBytes into) override {
    for (;;) {
      if (auto count = try_read(into)) co_return *std::move(count);
      CO_TRY_VOID(co_await wait_readable());
    }
  }

  std::optional<Result<std::size_t>> try_read(base::MutableBytes into) override {
    if (plain_.empty() && !ended_) return std::nullopt;
    const auto front = plain_.front();
    const auto count = std::min(front.size(), into.size());
    std::copy_n(front.begin(), count, into.begin());
    plain_.consume(count);
    return count;
  }

  void interrupt() override { inner_->interrupt(); }

  Task<void> wait_readable() override {
    if (!first_bytes_.empty()) {
      const auto first = std::exchange(first_bytes_, {});
      CO_TRY_VOID(decode(base::as_bytes(first)));
    }
    while (plain_.empty() && !ended_) {
      CO_TRY(const auto block, co_await next_block(reader_));
      if (block.empty()) {
        co_return base::fail(Code::closed, "the server closed the connection without goodbye");
      }
      CO_TRY_VOID(decode(block.bytes()));
    }
    co_return Result<void>{};
  }

  Task<void> wait_gone() override { co_return co_await inner_->wait_gone(); }

  Task<void> write_all(Bytes bytes) override {
    co_return co_await send(websocket_frame(WebSocketOpcode::binary, bytes, random_mask()));
  }

  Task<void> shutdown_write() override {
    std::string normal_closure{'\x03', '\xe8'};  // 1000
    const auto frame =
        websocket_frame(WebSocketOpcode::close, base::as_bytes(normal_closure), random_mask());
    co_return co_await send(frame);
  }

  void close() override { inner_->close(); }
  void abort() override { inner_->abort(); }
  int descriptor() override { return inner_->descriptor(); }
  std::string peer() const override { return inner_->peer(); }

 private:
  Result<void> decode(Bytes bytes) {
    for (;;) {
      TRY(const auto part, decoder_.next(bytes));
      if (!part) return {};
      TRY_VOID(take(*part));
    }
  }

  Result<void> take(const WebSocketPart& part) {
    switch (part.opcode) {
      case WebSocketOpcode::binary:
        plain_.append(part.bytes);
        return {};
      case WebSocketOpcode::ping:
        pong_ = websocket_frame(WebSocketOpcode::pong, base::as_bytes(part.control), random_mask());
        return {};
      case WebSocketOpcode::close:
        return closed(part.control);
      default:
        return {};
    }
  }

  Result<void> closed(const std::string& payload) {
    const auto reason = websocket_close_reason(payload);
    ended_ = true;
    if (payload.size() < 2 || reason.starts_with("1000 ")) return {};
    return base::fail(Code::closed, "the server closed the WebSocket: " + reason);
  }

  // An answer to a ping goes out with the next write: the reader must not write beside the writer,
  // and SPDY's own pings see to it that there is one.
  Task<void> send(std::string frame) {
    frame.insert(0, std::exchange(pong_, {}));
    co_return co_await inner_->write_all(base::as_bytes(frame));
  }

  std::unique_ptr<net::Stream> inner_;
  std::string first_bytes_;
  net::BlockReader reader_{*inner_};
  WebSocketDecoder decoder_;
  base::BufferQueue plain_;  // decoded, not yet read
  std::string pong_;         // answers the last ping; waits for a write
  bool ended_ = false;
};

}  // namespace

std::unique_ptr<net::Stream> make_websocket_stream(std::unique_ptr<net::Stream> inner,
                                                   std::string first_bytes) {
  return std::make_unique<WebSocketStream>(std::move(inner), std::move(first_bytes));
}

}  // namespace portforward
