#include "kube/json.h"

#include <gtest/gtest.h>

namespace kube {
namespace {

TEST(KubeJson, parts_make_the_same_value_as_the_whole) {
  const std::string text = R"({"a":[1,"t\u00e4",{"b":null}],"c":-2.5})";
  for (std::size_t cut = 1; cut < text.size(); ++cut) {
    JsonReader reader;
    ASSERT_TRUE(reader.feed(text.substr(0, cut))) << cut;
    ASSERT_TRUE(reader.feed(text.substr(cut))) << cut;
    EXPECT_EQ(reader.finish().value(), parse_json(text).value()) << cut;
  }
}

TEST(KubeJson, nothing_is_null_and_half_a_text_is_an_error) {
  EXPECT_EQ(JsonReader().finish().value(), json::value());
  JsonReader half;
  ASSERT_TRUE(half.feed(R"({"a":)"));
  EXPECT_TRUE(half.finish().error().is(base::Code::invalid));
  EXPECT_FALSE(parse_json(""));
  EXPECT_FALSE(JsonReader().feed("{]"));
  EXPECT_FALSE(parse_json(std::string(100, '[') + std::string(100, ']')));  // too deep
}

TEST(KubeJson, members_of_another_kind_read_as_empty) {
  const json::object object{{"text", "t"},
                            {"number", 7},
                            {"unsigned", std::uint64_t{7}},
                            {"huge", std::uint64_t{1} << 63},
                            {"list", {1, 2}},
                            {"yes", true}};
  EXPECT_EQ(text_at(object, "text"), "t");
  EXPECT_EQ(text_at(object, "number"), "");
  EXPECT_EQ(integer_at(object, "number"), 7);
  EXPECT_EQ(integer_at(object, "unsigned"), 7);
  EXPECT_EQ(integer_at(object, "huge"), std::nullopt);
  EXPECT_EQ(integer_at(object, "text"), std::nullopt);
  EXPECT_EQ(array_at(object, "list").size(), 2);
  EXPECT_TRUE(array_at(object, "text").empty());
  EXPECT_TRUE(object_at(object, "list").empty());
  EXPECT_TRUE(true_at(object, "yes"));
  EXPECT_FALSE(true_at(object, "missing"));
}

}  // namespace
}  // namespace kube
