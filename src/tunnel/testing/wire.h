#pragma once

#include <memory>
#include <string>

#include "async/event.h"
#include "async/task_group.h"
#include "net/stream.h"

namespace tunnel::testing {

/// One end of a plain connection, which says what a test wants and remembers what it hears. Its
/// tasks run in a group that is cancelled before it goes. Thread: that of the loop.
class Wire {
 public:
  Wire(async::TaskGroup& tasks, std::unique_ptr<net::Stream> stream);

  void say(std::string text);
  /// No more is said after what was said.
  void finish();
  void close() { stream_->close(); }
  void reset() { stream_->abort(); }
  /// Whether it reads on; it does from the start.
  void read(bool on);

  const std::string& heard() const { return heard_; }
  bool ended() const { return ended_; }
  /// Reading or writing failed.
  bool broken() const { return broken_; }
  /// What it was to say that is not said yet, as far as can be seen.
  std::size_t unsaid() const { return unsaid_.size(); }

 private:
  async::Task<void> read_all();
  async::Task<void> write_all();

  std::unique_ptr<net::Stream> stream_;
  async::Event changed_;
  std::string unsaid_;
  std::string heard_;
  bool reading_ = true;
  bool finished_ = false;
  bool ended_ = false;
  bool broken_ = false;
};

}  // namespace tunnel::testing
