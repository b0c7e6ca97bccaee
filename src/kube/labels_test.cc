#include "kube/labels.h"

#include <gtest/gtest.h>

namespace kube {
namespace {

bool matches(std::string_view selector, const Labels& labels) {
  const auto parsed = LabelSelector::parse(selector);
  EXPECT_TRUE(parsed) << (parsed ? "" : parsed.error().message);
  return parsed && parsed->matches(labels);
}

TEST(Labels, list_of_pairs_round_trips) {
  const auto labels = parse_labels("k8s-app=konnectivity-server,a.b/c=");
  ASSERT_TRUE(labels);
  EXPECT_EQ(*labels, (Labels{{"k8s-app", "konnectivity-server"}, {"a.b/c", ""}}));
  EXPECT_EQ(format_labels(*labels), "a.b/c=,k8s-app=konnectivity-server");
  EXPECT_TRUE(parse_labels("")->empty());
}

TEST(Labels, bad_pairs_are_named) {
  for (const auto* text :
       {"a", "a=b=c", "=b", "a=b,", ",a=b", "a=b c", "-a=b", "A/B/c=d", "a=-", "UPPER.x/a=b"}) {
    EXPECT_FALSE(parse_labels(text)) << text;
  }
  EXPECT_EQ(parse_labels("a=b,c").error().message, "label \"c\" is not of the form key=value");
}

TEST(LabelSelector, nothing_selects_everything) {
  EXPECT_TRUE(matches("", {}));
  EXPECT_TRUE(matches("  ", {{"a", "b"}}));
}

TEST(LabelSelector, equality) {
  EXPECT_TRUE(matches("a=1,b==2", {{"a", "1"}, {"b", "2"}}));
  EXPECT_FALSE(matches("a=1,b==2", {{"a", "1"}}));
  EXPECT_TRUE(matches("a!=1", {{"a", "2"}}));
  EXPECT_TRUE(matches("a!=1", {}));
  EXPECT_FALSE(matches("a != 1", {{"a", "1"}}));
  EXPECT_TRUE(matches("a=", {{"a", ""}}));
}

TEST(LabelSelector, sets) {
  EXPECT_TRUE(matches("tier in (web, db),!old", {{"tier", "db"}}));
  EXPECT_FALSE(matches("tier in (web, db)", {}));
  EXPECT_FALSE(matches("tier in (web),!old", {{"tier", "web"}, {"old", ""}}));
  EXPECT_TRUE(matches("tier notin (web)", {}));
  EXPECT_FALSE(matches("tier notin (web,)", {{"tier", ""}}));
  EXPECT_TRUE(matches("a.b/c", {{"a.b/c", "x"}}));
  EXPECT_TRUE(matches("in in (in)", {{"in", "in"}}));
}

TEST(LabelSelector, comparison_of_integers) {
  EXPECT_TRUE(matches("n>5", {{"n", "6"}}));
  EXPECT_FALSE(matches("n > 5", {{"n", "5"}}));
  EXPECT_TRUE(matches("n<5", {{"n", "-1"}}));
  EXPECT_FALSE(matches("n<5", {{"n", "few"}}));
}

TEST(LabelSelector, bad_syntax_is_named_with_its_place) {
  for (const auto* text : {",", "a,", "a in", "a in (", "a in ()x", "a in (b", "a ! b", "a=b c",
                           "a=b=c", "!", "!a=b", "a>x", "a in b", "(a)", "a===b", "a=$"}) {
    EXPECT_FALSE(LabelSelector::parse(text)) << text;
  }
  EXPECT_EQ(LabelSelector::parse("a like b").error().message,
            "label selector \"a like b\", at column 7: \"like\" is not an operator: use =, ==, !=, "
            "in, notin, >, <");
}

}  // namespace
}  // namespace kube
