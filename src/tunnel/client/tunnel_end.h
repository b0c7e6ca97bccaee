#pragma once

#include <optional>
#include <string>

#include "async/clock.h"
#include "async/event.h"
#include "net/stream.h"

namespace tunnel::client {

/// What the ends of a connection through a frontend have in common, whatever is spoken there: the
/// bytes that have come and are not read yet, and those who wait.
///
/// The derived class tells what its link says by received(), received_end() and received_failure(),
/// and carries out the link_...() calls. Thread: that of the loop.
class TunnelEnd : public net::Stream {
 public:
  async::Task<std::size_t> read_some(base::MutableBytes into) override;
  std::optional<base::Result<std::size_t>> try_read(base::MutableBytes into) override;
  async::Task<void> wait_readable() override;
  async::Task<void> wait_gone() override;
  void interrupt() override;
  async::Task<void> write_all(base::Bytes bytes) override;
  async::Task<void> write_all(base::BufferQueue& queue) override;
  std::size_t try_write(base::Pieces pieces) override;
  async::Task<void> shutdown_write() override;
  int descriptor() override { return -1; }
  std::string peer() const override { return peer_; }

 protected:
  /// `silence_limit`: where the link knows no half of an end, the target's direction stays open
  /// after shutdown_write() until the target was silent for so long; 0 = it ends by itself.
  TunnelEnd(async::Executor executor, async::Clock& clock, std::string peer,
            async::Duration silence_limit);

  /// Bytes of the target.
  void received(base::Bytes bytes);
  void received_end();
  /// Nothing goes any more, either way; bytes that have come may still be read.
  void received_failure(base::Error error);
  /// link_full() may have changed.
  void room() { room_.notify_all(); }
  /// Nothing that is called from here on has any effect.
  void give_up() { received_failure({base::Code::closed, "the connection was closed"}); }

  std::size_t unread() const { return unread_.size(); }
  bool finished() const { return finished_; }
  bool failed() const { return failure_.has_value(); }
  async::Event& changed() { return changed_; }

 private:
  virtual bool link_full() const = 0;
  virtual void link_push(base::Buffer bytes) = 0;
  /// No more is pushed. With a silence limit: to be remembered only.
  virtual void link_finish() = 0;
  virtual void link_consumed(std::size_t count) = 0;
  /// The target was silent for long after shutdown_write().
  virtual void link_silent() {}

  bool readable() const { return !unread_.empty() || ended_ || failure_; }
  base::Result<void> may_write() const;
  async::Task<void> wait_for_news();
  async::Task<void> wait_for_room();

  async::Clock& clock_;
  std::string peer_;
  async::Duration silence_limit_;
  async::Event changed_;  // for who reads
  async::Event room_;     // for who writes
  base::BufferQueue unread_;
  std::optional<base::Error> failure_;
  async::TimePoint heard_{};
  unsigned interrupts_ = 0;
  bool ended_ = false;     // the target's direction
  bool finished_ = false;  // ours
};

}  // namespace tunnel::client
