#include "tunnel/client/lingering_stream.h"

#include <utility>

#include "async/timeout.h"
#include "net/wrapped_stream.h"

namespace tunnel::client {
namespace {

using async::Task;
using base::Code;
using base::Result;

class LingeringStream : public net::WrappedStream {
 public:
  LingeringStream(std::unique_ptr<net::Stream> inner, async::Clock& clock)
      : WrappedStream(std::move(inner)), clock_(clock) {}

  std::optional<Result<std::size_t>> try_read(base::MutableBytes into) override {
    if (over_) return std::size_t{0};
    return inner().try_read(into);
  }
  Task<void> wait_readable() override {
    if (!finished_) {
      auto waited = co_await inner().wait_readable();
      if (waited || !finished_) co_return waited;  // else it was shutdown_write() that woke us
    }
    auto waited =
        co_await async::with_timeout(clock_, kSilenceAfterEnd, "silence", inner().wait_readable());
    if (waited || !waited.error().is(Code::timeout)) co_return waited;
    over_ = true;
    inner().close();
    co_return Result<void>{};
  }
  // Who reads already waits without a limit: it has to look again.
  Task<void> shutdown_write() override {
    finished_ = true;
    inner().interrupt();
    co_return Result<void>{};
  }

 private:
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
