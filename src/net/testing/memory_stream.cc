#include "net/testing/memory_stream.h"

#include <algorithm>
#include <utility>

#include "base/buffer.h"

namespace net::testing {

using async::Task;
using base::Code;
using base::fail;
using base::Result;

struct Cable::Direction {
  Direction(async::Executor executor, std::size_t most)
      : capacity(most), changed(std::move(executor)) {}

  bool readable() const { return broken || (!frozen && (!bytes.empty() || ended)); }
  bool gone() const { return broken; }

  base::BufferQueue bytes;
  std::size_t capacity;
  bool ended = false;   // the writer has finished
  bool broken = false;  // neither end can use it
  bool frozen = false;
  int interrupts = 0;
  async::Event changed;
};

class Cable::End : public Stream {
 public:
  End(std::shared_ptr<Direction> in, std::shared_ptr<Direction> out)
      : in_(std::move(in)), out_(std::move(out)) {}
  ~End() override { close(); }

  Task<std::size_t> read_some(base::MutableBytes into) override {
    CO_TRY_VOID(co_await wait_readable());
    co_return *try_read(into);
  }

  std::optional<Result<std::size_t>> try_read(base::MutableBytes into) override {
    if (!in_->readable()) return std::nullopt;
    if (in_->broken) return fail(Code::closed, "read: connection reset by peer");
    std::size_t count = 0;
    while (count < into.size() && !in_->bytes.empty()) {
      const base::Bytes front = in_->bytes.front();
      const std::size_t part = std::min(front.size(), into.size() - count);
      std::ranges::copy(front.first(part), into.begin() + static_cast<std::ptrdiff_t>(count));
      in_->bytes.consume(part);
      count += part;
    }
    in_->changed.notify_all();
    return count;
  }

  Task<void> wait_readable() override {
    const auto in = in_;
    return wait_until(in, in->interrupts, &Direction::readable);
  }

  Task<void> wait_gone() override {
    const auto in = in_;
    return wait_until(in, in->interrupts, &Direction::gone);
  }

  void interrupt() override {
    ++in_->interrupts;
    in_->changed.notify_all();
  }

  using Stream::write_all;
  Task<void> write_all(base::Bytes bytes) override {
    const auto out = out_;
    while (!bytes.empty()) {
      while (!out->broken && out->bytes.size() >= out->capacity)
        CO_TRY_VOID(co_await out->changed.wait());
      if (out->broken || out->ended) co_return fail(Code::closed, "write: broken pipe");
      const std::size_t part = std::min(bytes.size(), out->capacity - out->bytes.size());
      out->bytes.append(bytes.first(part));
      bytes = bytes.subspan(part);
      out->changed.notify_all();
    }
    co_return Result<void>{};
  }

  Task<void> shutdown_write() override {
    out_->ended = true;
    out_->changed.notify_all();
    co_return Result<void>{};
  }

  void close() override {
    out_->ended = true;
    in_->broken = true;
    in_->changed.notify_all();
    out_->changed.notify_all();
  }

  void abort() override {
    out_->broken = true;
    close();
  }

  int descriptor() override { return -1; }
  std::string peer() const override { return "memory"; }

 private:
  static Task<void> wait_until(std::shared_ptr<Direction> in, int interrupts,
                               bool (Direction::*happened)() const) {
    while (!((*in).*happened)()) {
      CO_TRY_VOID(co_await in->changed.wait());
      if (in->interrupts != interrupts) co_return fail(Code::cancelled, "interrupted");
    }
    co_return Result<void>{};
  }

  std::shared_ptr<Direction> in_, out_;
};

Cable::Cable(async::Executor executor, std::size_t capacity)
    : there_(std::make_shared<Direction>(executor, capacity)),
      back_(std::make_shared<Direction>(executor, capacity)),
      first_(std::make_unique<End>(back_, there_)),
      second_(std::make_unique<End>(there_, back_)) {}

void Cable::cut() {
  for (const auto& direction : {there_, back_}) {
    direction->broken = true;
    direction->changed.notify_all();
  }
}

void Cable::set_frozen(bool frozen) {
  for (const auto& direction : {there_, back_}) {
    direction->frozen = frozen;
    direction->changed.notify_all();
  }
}

}  // namespace net::testing
