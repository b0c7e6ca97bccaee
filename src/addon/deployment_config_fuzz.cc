#include <cstdint>
#include <string_view>

#include "addon/agent_manifests.h"
#include "addon/testing/world.h"

// With any AddOnDeploymentConfig an agent is rendered, or refused with a reason.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto value = kube::parse_json({reinterpret_cast<const char*>(data), size});
  if (!value || !value->is_object()) return 0;
  auto config = addon::read_deployment_config(value->get_object());
  if (!config) return 0;
  addon::testing::AgentWorld world;
  world.configure(*std::move(config));
  const auto values = world.values();
  if (!values) return 0;
  const auto manifests = addon::agent_manifests(*values);
  if (manifests ? manifests->size() < 8 : manifests.error().message.empty()) __builtin_trap();
  return 0;
}
