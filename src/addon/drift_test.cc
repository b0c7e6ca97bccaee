#include "addon/drift.h"

#include <gtest/gtest.h>

namespace addon {
namespace {

json::object parsed(std::string_view text) { return kube::parse_json(text)->get_object(); }

TEST(Drift, does_not_mind_what_the_server_fills_in) {
  const auto wanted = parsed(R"({"spec":{"ports":[{"port":1}],"empty":{}},"metadata":{"x":1}})");
  const auto live = parsed(
      R"({"spec":{"ports":[{"port":1,"protocol":"TCP"}],"type":"ClusterIP"},"status":{"a":1}})");
  EXPECT_FALSE(lacks(live, wanted));
}

TEST(Drift, sees_a_changed_value_a_missing_member_and_another_number_of_items) {
  const auto wanted = parsed(R"({"spec":{"a":1,"list":["x","y"]}})");
  EXPECT_TRUE(lacks(parsed(R"({"spec":{"a":2,"list":["x","y"]}})"), wanted));
  EXPECT_TRUE(lacks(parsed(R"({"spec":{"list":["x","y"]}})"), wanted));
  EXPECT_TRUE(lacks(parsed(R"({"spec":{"a":1,"list":["x","y","z"]}})"), wanted));
  EXPECT_TRUE(lacks(parsed(R"({})"), wanted));
  EXPECT_FALSE(lacks(wanted, wanted));
}

TEST(Drift, lets_the_server_choose_what_is_left_open) {
  const auto wanted = parsed(
      R"({"spec":{"ports":[{"port":8090,"targetPort":0}]},"roleRef":{"apiGroup":"","name":"x"}})");
  const auto live = parsed(
      R"({"spec":{"ports":[{"port":8090,"targetPort":8090}]},
          "roleRef":{"apiGroup":"rbac.authorization.k8s.io","name":"x"}})");
  EXPECT_FALSE(lacks(live, wanted));
  EXPECT_TRUE(lacks(parsed(R"({"spec":{"replicas":3}})"), parsed(R"({"spec":{"replicas":0}})")));
}

}  // namespace
}  // namespace addon
