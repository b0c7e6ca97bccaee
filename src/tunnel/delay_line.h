#pragma once

#include <boost/intrusive/list.hpp>

#include "async/clock.h"
#include "async/event.h"

namespace tunnel {

/// Calls its entries back after one fixed delay, in the order in which they came: a deadline for
/// many that costs each of them neither a timer nor an allocation. Thread: that of the loop.
class DelayLine {
 public:
  /// Removes itself when it goes.
  class Entry : public boost::intrusive::list_base_hook<
                    boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
   public:
    virtual ~Entry() = default;
    virtual void on_delay_over() = 0;

   private:
    friend class DelayLine;
    async::TimePoint until_;
  };

  DelayLine(async::Executor executor, async::Clock& clock, async::Duration delay);

  /// An entry that waits already begins anew.
  void add(Entry& entry);
  void remove(Entry& entry) { entry.unlink(); }
  /// Works until cancelled.
  async::Task<void> run();

 private:
  void call_due();

  async::Clock& clock_;
  async::Duration delay_;
  boost::intrusive::list<Entry, boost::intrusive::constant_time_size<false>> waiting_;
  async::Event added_;
};

}  // namespace tunnel
