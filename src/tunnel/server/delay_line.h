#pragma once

#include <list>

#include "async/clock.h"
#include "async/event.h"

namespace tunnel {

/// Calls its entries back after one fixed delay, in the order in which they came. Thread: that of
/// the loop.
class DelayLine {
 public:
  class Entry {
   public:
    virtual ~Entry() = default;
    virtual void on_delay_over() = 0;
  };

  DelayLine(async::asio::any_io_executor executor, async::Clock& clock, async::Duration delay);

  void add(Entry& entry);
  void remove(const Entry& entry);
  /// Works until cancelled.
  async::Task<void> run();

 private:
  struct Waiting {
    Entry* entry;
    async::TimePoint until;
  };
  void call_due();

  async::Clock& clock_;
  async::Duration delay_;
  std::list<Waiting> waiting_;
  async::Event added_;
};

}  // namespace tunnel
