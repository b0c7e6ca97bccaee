#include "addon/merge_patch.h"

#include "addon/testing/fixture.h"

namespace addon {
namespace {

using testing::parsed;

std::string patch(std::string_view before, std::string_view after) {
  const auto made = merge_patch(parsed(before), parsed(after));
  return made ? canonical_json(*made) : "none";
}

TEST(MergePatch, says_what_changes_and_what_goes) {
  EXPECT_EQ(patch(R"({"a":1,"b":2,"c":{"d":1,"e":2}})", R"({"a":1,"b":3,"c":{"d":1},"f":0})"),
            R"({"b":3,"c":{"e":null},"f":0})");
}

TEST(MergePatch, lists_travel_whole) {
  EXPECT_EQ(patch(R"({"a":[1,2,3]})", R"({"a":[1,3]})"), R"({"a":[1,3]})");
}

TEST(MergePatch, absent_null_and_empty_are_the_same) {
  EXPECT_EQ(patch(R"({"a":null,"b":[],"c":{}})", "{}"), "none");
  EXPECT_EQ(patch("{}", R"({"a":null,"b":[],"c":{"d":1}})"), R"({"c":{"d":1}})");
  EXPECT_EQ(patch(R"({"a":[{"b":null}]})", R"({"a":[{}]})"), "none");
  EXPECT_EQ(patch(R"({"a":""})", "{}"), R"({"a":null})");
}

TEST(MergePatch, another_kind_replaces) {
  EXPECT_EQ(patch(R"({"a":{"b":1}})", R"({"a":"x"})"), R"({"a":"x"})");
  EXPECT_EQ(patch(R"({"a":"x"})", R"({"a":{"b":1}})"), R"({"a":{"b":1}})");
}

TEST(StatusPatch, is_guarded_by_uid_and_version) {
  const auto object =
      parsed(R"({"metadata":{"uid":"u","resourceVersion":"5"},"status":{"a":1,"b":2}})");
  EXPECT_FALSE(status_patch(object, parsed(R"({"a":1,"b":2,"c":[]})")));
  EXPECT_EQ(canonical_json(*status_patch(object, parsed(R"({"a":1})"))),
            R"({"metadata":{"resourceVersion":"5","uid":"u"},"status":{"b":null}})");
}

}  // namespace
}  // namespace addon
