#include "tunnel/agent/native_link.h"

#include "base/check.h"
#include "tunnel/testing/native_fuzz.h"

namespace {

using tunnel::testing::NativeWorld;
using tunnel::testing::Wire;

// Targets speak, finish and break as the frames come.
void step(NativeWorld& world, int number) {
  if (world.targets.empty()) return;
  Wire& target = *world.targets[static_cast<std::size_t>(number) % world.targets.size()];
  switch (number % 7) {
    case 1:
      return target.say("greeting");
    case 3:
      return target.finish();
    case 5:
      return target.read(false);
    case 6:
      return target.reset();
    default:
      return target.read(true);
  }
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  tunnel::testing::prepare_native_fuzzing();
  return 0;
}

// Whatever a server says: nothing breaks, and nothing is left when the link is over.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  NativeWorld world;
  world.listen(tunnel::testing::kFuzzPort);
  NativeWorld::Link& link = world.connect_agent_only({"agent-1", "host=a", "secret"});
  world.wires.push_back(std::make_unique<Wire>(world.tasks, link.cable.first()));
  say_frames(world, *world.wires[0], {data, size}, [&](int number) { step(world, number); });
  fall_silent(world);
  // A server may ask for more patience than that.
  world.wires[0]->close();
  CHECK(world.until([&] { return link.agent.ended.has_value(); }));
  link.agent.link->stop();
  CHECK(world.until([&] { return world.agent_metrics.open_endpoint_connections.value() == 0; }));
  CHECK(world.agent_budget.used() == 0);
  CHECK(world.agent_grown.used() == 0);
  return 0;
}
