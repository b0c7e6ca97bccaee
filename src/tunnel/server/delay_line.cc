#include "tunnel/server/delay_line.h"

namespace tunnel {

DelayLine::DelayLine(async::asio::any_io_executor executor, async::Clock& clock,
                     async::Duration delay)
    : clock_(clock), delay_(delay), added_(executor) {}

void DelayLine::add(Entry& entry) {
  waiting_.push_back({&entry, clock_.now() + delay_});
  if (waiting_.size() == 1) added_.notify_all();
}

void DelayLine::remove(const Entry& entry) {
  std::erase_if(waiting_, [&](const Waiting& waiting) { return waiting.entry == &entry; });
}

void DelayLine::call_due() {
  const async::TimePoint now = clock_.now();
  while (!waiting_.empty() && waiting_.front().until <= now) {
    Entry* entry = waiting_.front().entry;
    waiting_.pop_front();
    entry->on_delay_over();
  }
}

async::Task<void> DelayLine::run() {
  for (;;) {
    while (waiting_.empty()) CO_TRY_VOID(co_await added_.wait());
    CO_TRY_VOID(co_await clock_.sleep_until(waiting_.front().until));
    call_due();
  }
}

}  // namespace tunnel
