// What the state of 1,000 objects costs: meaningful in a release build.
#include <fstream>

#include "async/task_group.h"
#include "check_context.h"
#include "kube/reflector.h"

namespace kube_check {
namespace {

constexpr int kObjects = 1000;

std::size_t resident_kib() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    std::size_t kib = 0;
    if (word == "VmRSS:" && status >> kib) return kib;
  }
  return 0;
}

/// Holds what it hears of, as a store would.
class Holder : public kube::WatchHandler {
 public:
  void replace(std::vector<kube::json::object> objects) override { held = std::move(objects); }
  void apply(kube::json::object) override {}
  void remove(const kube::json::object&) override {}
  std::vector<kube::json::object> held;
};

Task<void> measure(Context& context, bool stream) {
  Holder holder;
  const auto before = resident_kib();
  kube::Reflector reflector(*context.client, context.api("", "v1", "configmaps"), holder, nullptr,
                            {.stream_state = stream});
  async::TaskGroup tasks(context.loop.get_executor());
  tasks.spawn("reflector", reflector.run());
  const auto synced = co_await eventually(context, "the state", [&] { return reflector.synced(); });
  const auto held = resident_kib();
  const auto count = holder.held.size();
  holder.held = {};
  fmt::print("     by {}: {} objects; VmRSS {} KiB before, {} KiB with them, {} KiB after\n",
             stream ? "watch" : "list", count, before, held, resident_kib());
  tasks.cancel();
  co_await tasks.join();
  co_return synced;
}

}  // namespace

Task<void> measure_memory(Context& context) {
  const auto maps = context.api("", "v1", "configmaps");
  for (int i = 0; i < kObjects; ++i) {
    auto object = named(fmt::format("memory-{}", i));
    object["data"] = {{"text", std::string(2048, 'x')}};
    CO_TRY_VOID(co_await context.client->send(maps.create(object)));
  }
  for (const bool stream : {false, true, false, true}) {
    CO_TRY_VOID(co_await measure(context, stream));
  }
  co_return kube::Result<void>{};
}

}  // namespace kube_check
