#include "tunnel/server/native_backend.h"

#include <array>

#include "base/check.h"
#include "tunnel/testing/native_fuzz.h"
#include "tunnel/testing/test_client.h"

namespace {

using tunnel::testing::NativeWorld;
using tunnel::testing::TestClient;
using tunnel::testing::Wire;

// Clients that dial as soon as the agent is admitted, and then read, stall, finish and go.
class Clients {
 public:
  explicit Clients(NativeWorld& world) : world_(world) {
    for (auto& client : clients_) client = std::make_unique<TestClient>(world.server.context);
  }

  void step(int number) {
    if (dialed_ == 0) return dial(number);
    if (number == dialed_ + 2) clients_[0]->takes = false;
    if (number == dialed_ + 4 && clients_[1]->dialed && clients_[1]->leg)
      clients_[1]->leg->finish();
    if (number == dialed_ + 6) clients_[2]->leave();
    if (number == dialed_ + 8) clients_[0]->take();
  }

 private:
  void dial(int number) {
    if (world_.server.context.router.size() == 0) return;
    dialed_ = number;
    for (auto& client : clients_) {
      if (client->dial("target:80")) client->say("question");
    }
  }

  NativeWorld& world_;
  int dialed_ = 0;  // at which frame
  std::array<std::unique_ptr<TestClient>, 3> clients_;
};

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  tunnel::testing::prepare_native_fuzzing();
  return 0;
}

// Whatever an agent says: nothing breaks, and nothing is left when the link is over.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  NativeWorld world;
  {
    NativeWorld::Link& link = world.connect_server_only();
    world.wires.push_back(std::make_unique<Wire>(world.tasks, link.cable.second()));
    Clients clients(world);
    say_frames(world, *world.wires[0], {data, size}, [&](int number) { clients.step(number); });
    fall_silent(world);
    CHECK(link.server.ended.has_value());
  }
  CHECK(world.server.context.router.size() == 0);
  CHECK(world.server.budget.used() == 0);
  CHECK(world.server.context.windows.grown.used() == 0);
  return 0;
}
