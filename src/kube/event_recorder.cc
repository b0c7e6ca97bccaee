#include "kube/event_recorder.h"

#include <utility>

#include "base/log.h"
#include "kube/request.h"

namespace kube {

using base::Code;

EventRecorder::EventRecorder(async::Loop& loop, Client& client, Options options)
    : client_(client),
      options_(std::move(options)),
      correlator_(options_.component, options_.host),
      recorded_(loop.get_executor()) {}

void EventRecorder::record(ObjectReference about, EventType type, std::string reason,
                           std::string message) {
  auto& clock = client_.clock();
  Happening happening{std::move(about), type, std::move(reason), std::move(message)};
  auto event = correlator_.take(std::move(happening), clock.now(), clock.wall_now());
  if (!event) return;
  if (queue_.size() >= options_.max_queued) {
    LOG_DEBUG("event dropped, too many wait", {"event", event->name});
    return;
  }
  queue_.push_back(std::move(*event));
  recorded_.notify_all();
}

async::Task<void> EventRecorder::run() {
  for (;;) {
    while (queue_.empty()) CO_TRY_VOID(co_await recorded_.wait());
    auto next = std::move(queue_.front());
    queue_.pop_front();
    CO_TRY_VOID(co_await write(std::move(next)));
  }
}

// Only a server that was not reached, or had no time, may think otherwise later.
async::Task<void> EventRecorder::write(EventWrite event) {
  for (int tries = 1;; ++tries) {
    const auto done = co_await attempt(event);
    if (done) co_return base::Result<void>{};
    const auto& error = done.error();
    if (error.is(Code::cancelled)) co_return base::fail(error);
    const bool for_now = !error.answered() || error.is(Code::unavailable) ||
                         error.is(Code::timeout) || error.is_too_many_requests();
    if (!for_now || tries >= options_.tries) {
      LOG_DEBUG("event not written", {"event", event.name}, {"error", error.message});
      co_return base::Result<void>{};
    }
    CO_TRY_VOID(co_await client_.clock().sleep_for(async::jittered(options_.retry_pause, 0.5)));
  }
}

// One that is counted may have expired meanwhile.
Task<void> EventRecorder::attempt(const EventWrite& event) {
  const Api api({"", "v1", "events"}, event.in_namespace);
  if (event.count > 1) {
    const auto counted = co_await client_.send(api.patch(event.name, event.patch));
    if (counted || !counted.error().is_not_found()) {
      if (!counted) co_return std::unexpected(counted.error());
      co_return Result<void>{};
    }
  }
  const auto created = co_await client_.send(api.create(event.event));
  if (created || created.error().is_already_exists()) co_return Result<void>{};
  co_return std::unexpected(created.error());
}

}  // namespace kube
