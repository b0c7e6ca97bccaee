// Compares what src/addon computes with what the reference wrote on a real hub, case by case. What
// differs must stand in docs/addon-differences.yaml, and what stands there must differ.
#include <cstdio>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "checks.h"

namespace golden {

void Comparison::same(const Stage& stage, const std::string& object, const json::value& reference,
                      const json::value& ours) {
  auto& count = counts_[object.substr(0, object.find('/'))];
  const auto places = compare(reference, ours);
  ++count.compared;
  count.equal += places.empty() ? 1 : 0;
  for (const auto& [path, theirs, mine] : places) {
    EXPECT_TRUE(listed_.allows(stage.name(), object, path))
        << stage.name() << ": " << object << ": " << path << "\n  reference: " << theirs
        << "\n  ours:      " << mine;
  }
}

void Comparison::same_text(const Stage& stage, const std::string& object,
                           std::string_view reference, std::string_view ours) {
  same(stage, object, json::value(reference), json::value(ours));
}

namespace {

Comparison& comparison() {
  static Comparison all;
  return all;
}

class Golden : public testing::TestWithParam<Stage> {};

TEST_P(Golden, stage_is_as_recorded_but_for_what_is_listed) {
  for (const auto check :
       {check_proxy_server, check_certificates, check_hub_rbac, check_load_balancer, check_profiles,
        check_agents, check_requests, check_addon_status, check_management_addon}) {
    check(GetParam(), comparison());
  }
}

INSTANTIATE_TEST_SUITE_P(Stages, Golden, testing::ValuesIn(read_stages()), [](const auto& each) {
  std::string name = each.param.name();
  for (char& c : name) c = c == '-' || c == '.' ? '_' : c;
  return name;
});

/// Runs after all stages, and speaks for them together.
class Summary : public testing::Environment {
 public:
  void TearDown() override {
    for (const auto& [object, count] : comparison().counts()) {
      std::puts(
          fmt::format("{:4} compared {:4} equal  {}", count.compared, count.equal, object).c_str());
    }
    for (const auto& [id, uses] : comparison().listed().uses()) {
      std::puts(fmt::format("{:4} times difference {}", uses, id).c_str());
    }
    for (const auto& id : comparison().listed().unused()) {
      ADD_FAILURE() << "docs/addon-differences.yaml: " << id
                    << " was not met; remove it, or mend it";
    }
  }
};

}  // namespace
}  // namespace golden

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  if (!testing::GTEST_FLAG(filter).contains("Golden")) {
    testing::AddGlobalTestEnvironment(new golden::Summary);  // NOLINT: GoogleTest deletes it
  }
  return RUN_ALL_TESTS();
}
