#include "controller/controller.h"

#include <chrono>

#include "base/log.h"

namespace controller {

void Controller::watch(Informer& informer) {
  informer.on_change([this](const ObjectPtr& before, const ObjectPtr& after) {
    queue_.add(key_of(after ? *after : *before));
  });
}

async::Task<void> Controller::run() {
  for (;;) {
    CO_TRY(const auto key, co_await queue_.next());
    const auto began = clock_.now();
    const auto result = co_await reconciler_.reconcile(key);
    if (!result && result.error().is(base::Code::cancelled)) co_return base::fail(result.error());
    settle(key, result, clock_.now() - began);
    queue_.done(key);
  }
}

void Controller::count(const kube::Result<Outcome>& result, async::Duration took) {
  if (metrics_ == nullptr) return;
  const char* word = !result ? "error" : result->again_after ? "requeue_after" : "success";
  metrics_->reconciled(name_, word, std::chrono::duration<double>(took).count());
  metrics_->queued(name_, queue_.waiting());
}

// A lost race is part of the work: the cache will show what the other wrote.
void Controller::settle(const ObjectKey& key, const kube::Result<Outcome>& result,
                        async::Duration took) {
  count(result, took);
  if (!result) {
    const auto pause = queue_.add_failed(key);
    const auto level =
        result.error().is_conflict() ? base::log::Level::debug : base::log::Level::warn;
    BASE_LOG(level, "reconcile failed", {"controller", name_}, {"key", key},
             {"error", result.error().message},
             {"retry_ms", std::chrono::duration_cast<std::chrono::milliseconds>(pause).count()});
    return;
  }
  queue_.forget(key);
  if (result->again_after) queue_.add_after(key, *result->again_after);
  LOG_DEBUG("reconciled", {"controller", name_}, {"key", key},
            {"took_ms", std::chrono::duration_cast<std::chrono::milliseconds>(took).count()});
}

}  // namespace controller
