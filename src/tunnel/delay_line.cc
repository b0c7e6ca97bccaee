#include "tunnel/delay_line.h"

namespace tunnel {

DelayLine::DelayLine(async::Executor executor, async::Clock& clock, async::Duration delay)
    : clock_(clock), delay_(delay), added_(executor) {}

void DelayLine::add(Entry& entry) {
  remove(entry);
  const bool first = waiting_.empty();
  entry.until_ = clock_.now() + delay_;
  waiting_.push_back(entry);
  if (first) added_.notify_all();
}

void DelayLine::call_due() {
  const async::TimePoint now = clock_.now();
  while (!waiting_.empty() && waiting_.front().until_ <= now) {
    Entry& entry = waiting_.front();
    remove(entry);
    entry.on_delay_over();
  }
}

async::Task<void> DelayLine::run() {
  for (;;) {
    while (waiting_.empty()) CO_TRY_VOID(co_await added_.wait());
    CO_TRY_VOID(co_await clock_.sleep_until(waiting_.front().until_));
    call_due();
  }
}

}  // namespace tunnel
