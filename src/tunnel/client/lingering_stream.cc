#include "tunnel/client/lingering_stream.h"

#include <utility>

#include "async/timeout.h"

namespace tunnel::client {
namespace {

using async::Task;
using base::Code;
using base::Result;

class LingeringStream : public net::Stream {
 public:
  LingeringStream(std::unique_ptr<net::Stream> inner, async::Clock& clock)
      : inner_(std::move(inner)), clock_(clock) {}

  Task<std::size_t> read_some(base::MutableBytes into) override {
    for (;;) {
      if (auto count = try_read(into)) co_return *std::move(count);
      CO_TRY_VOID(co_await wait_readable());
    }
  }
  std::optional<Result<std::size_t>> try_read(base::MutableBytes into) override {
    if (over_) return std::size_t{0};
    return inner_->try_read(into);
  }
  Task<void> wait_readable() override {
    if (!finished_) {
      auto waited = co_await inner_->wait_readable();
      if (waited || !finished_) co_return waited;  // else it was shutdown_write() that woke us
    }
    auto waited =
        co_await async::with_timeout(clock_, kSilenceAfterEnd, "silence", inner_->wait_readable());
    if (waited || !waited.error().is(Code::timeout)) co_return waited;
    over_ = true;
    inner_->close();
    co_return Result<void>{};
  }
  Task<void> wait_gone() override { return inner_->wait_gone(); }
  void interrupt() override { inner_->interrupt(); }
  Task<void> write_all(base::Bytes bytes) override { return inner_->write_all(bytes); }
  Task<void> write_all(base::BufferQueue& queue) override { return inner_->write_all(queue); }
  std::size_t try_write(base::Bytes bytes) override { return inner_->try_write(bytes); }
  bool unsent() const override { return inner_->unsent(); }
  // Who reads already waits without a limit: it has to look again.
  Task<void> shutdown_write() override {
    finished_ = true;
    inner_->interrupt();
    co_return Result<void>{};
  }
  void close() override { inner_->close(); }
  void abort() override { inner_->abort(); }
  int descriptor() override { return inner_->descriptor(); }
  std::string peer() const override { return inner_->peer(); }

 private:
  std::unique_ptr<net::Stream> inner_;
  async::Clock& clock_;
  bool finished_ = false;  // nothing more is written
  bool over_ = false;
};

}  // namespace

std::unique_ptr<net::Stream> make_lingering_stream(std::unique_ptr<net::Stream> inner,
                                                   async::Clock& clock) {
  return std::make_unique<LingeringStream>(std::move(inner), clock);
}

}  // namespace tunnel::client
