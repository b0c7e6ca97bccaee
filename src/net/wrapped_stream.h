#pragma once

#include <memory>
#include <utility>

#include "net/stream.h"

namespace net {

/// A Stream that is another one but for what its class overrides. Reads go through try_read() and
/// wait_readable(). Cannot be moved to another loop. Owns the inner stream; thread: that of it.
class WrappedStream : public Stream {
 public:
  async::Task<std::size_t> read_some(base::MutableBytes into) override {
    for (;;) {
      if (auto count = try_read(into)) co_return *std::move(count);
      CO_TRY_VOID(co_await wait_readable());
    }
  }
  std::optional<base::Result<std::size_t>> try_read(base::MutableBytes into) override {
    return inner_->try_read(into);
  }
  async::Task<void> wait_readable() override { return inner_->wait_readable(); }
  async::Task<void> wait_gone() override { return inner_->wait_gone(); }
  void interrupt() override { inner_->interrupt(); }
  async::Task<void> write_all(base::Bytes bytes) override { return inner_->write_all(bytes); }
  async::Task<void> write_all(base::BufferQueue& queue) override {
    return inner_->write_all(queue);
  }
  std::size_t try_write(base::Pieces pieces) override { return inner_->try_write(pieces); }
  bool unsent() const override { return inner_->unsent(); }
  async::Task<void> shutdown_write() override { return inner_->shutdown_write(); }
  void close() override { inner_->close(); }
  void abort() override { inner_->abort(); }
  int descriptor() override { return inner_->descriptor(); }
  std::string peer() const override { return inner_->peer(); }

 protected:
  explicit WrappedStream(std::unique_ptr<Stream> inner) : inner_(std::move(inner)) {}
  Stream& inner() { return *inner_; }

 private:
  std::unique_ptr<Stream> inner_;
};

}  // namespace net
