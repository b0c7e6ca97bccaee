#include "cli/flag_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class FlagSetTest : public ::testing::Test {
 protected:
  FlagSetTest() {
    table_.section("Flags");
    table_.add_string("name", name_, "A name.");
    table_.add_list("list", list_, "A list.");
    table_.add_switch("on", on_, "A switch.");
    table_.add_int("server-port", port_, "A port.");
    table_.set_shorthand(table_.add_int("v", level_, "A level."), 'v');
    table_.add_switch("old", old_, "").deprecated = "use --on.";
  }

  FlagSet::Parsed parse(std::vector<std::string> arguments) {
    auto parsed = table_.parse(arguments);
    EXPECT_TRUE(parsed) << parsed.error().message;
    return parsed.value_or(FlagSet::Parsed{});
  }
  std::string refusal(std::vector<std::string> arguments) {
    auto parsed = table_.parse(arguments);
    return parsed ? "accepted" : parsed.error().message;
  }

  std::string name_ = "first";
  std::vector<std::string> list_;
  bool on_ = false;
  bool old_ = false;
  std::int64_t port_ = 8090;
  std::int64_t level_ = 4;
  FlagSet table_;
};

TEST_F(FlagSetTest, takes_a_value_after_a_space_or_an_equals_sign) {
  parse({"--name", "a", "--server-port=1"});
  EXPECT_EQ(name_, "a");
  EXPECT_EQ(port_, 1);
}

TEST_F(FlagSetTest, takes_whatever_follows_as_a_value_even_a_dash) {
  parse({"--name", "--on"});
  EXPECT_EQ(name_, "--on");
  EXPECT_FALSE(on_);
}

TEST_F(FlagSetTest, takes_an_empty_value_without_swallowing_the_next_flag) {
  parse({"--name=", "--on"});
  EXPECT_EQ(name_, "");
  EXPECT_TRUE(on_);
}

TEST_F(FlagSetTest, leaves_false_after_a_switch_as_an_argument) {
  EXPECT_THAT(parse({"--on", "false"}).arguments, ElementsAre("false"));
  EXPECT_TRUE(on_);
  parse({"--on=F"});
  EXPECT_FALSE(on_);
}

TEST_F(FlagSetTest, lets_the_last_value_win_and_lists_grow) {
  parse({"--name=a", "--name=b", "--list=a,b", "--list", "c", R"(--list="d,e")"});
  EXPECT_EQ(name_, "b");
  EXPECT_THAT(list_, ElementsAre("a", "b", "c", "d,e"));
}

TEST_F(FlagSetTest, takes_the_literal_that_go_prints_for_an_empty_list) {
  parse({"--list=[]"});
  EXPECT_THAT(list_, ElementsAre("[]"));
  parse({"--list="});
  EXPECT_THAT(list_, ElementsAre("[]"));
}

TEST_F(FlagSetTest, takes_the_level_in_every_form) {
  for (const std::vector<std::string>& form :
       {std::vector<std::string>{"-v", "7"}, {"-v=7"}, {"-v7"}, {"--v=7"}, {"--v", "7"}}) {
    level_ = 4;
    parse(form);
    EXPECT_EQ(level_, 7) << form.front();
  }
}

TEST_F(FlagSetTest, ends_at_two_dashes) {
  EXPECT_THAT(parse({"--on", "--", "--name=x"}).arguments, ElementsAre("--name=x"));
  EXPECT_EQ(name_, "first");
}

TEST_F(FlagSetTest, finds_the_wish_for_help) {
  EXPECT_TRUE(parse({"--on", "-h"}).help);
  EXPECT_TRUE(parse({"--help"}).help);
  EXPECT_FALSE(parse({"--name", "--help"}).help);
}

TEST_F(FlagSetTest, refuses_with_pflag_s_texts) {
  EXPECT_EQ(
      refusal({"--server-port=x"}),
      R"(invalid argument "x" for "--server-port" flag: strconv.ParseInt: parsing "x": invalid syntax)");
  EXPECT_EQ(
      refusal({"-v=x"}),
      R"(invalid argument "x" for "-v, --v" flag: strconv.ParseInt: parsing "x": invalid syntax)");
  EXPECT_EQ(refusal({"--name"}), "flag needs an argument: --name");
  EXPECT_EQ(refusal({"-v"}), "flag needs an argument: 'v' in -v");
  EXPECT_EQ(refusal({"-x"}), "unknown shorthand flag: 'x' in -x");
  EXPECT_EQ(refusal({"--=x"}), "bad flag syntax: --=x");
  EXPECT_EQ(refusal({"---name"}), "bad flag syntax: ---name");
  EXPECT_EQ(refusal({"--quite-unknown"}), "unknown flag: --quite-unknown");
}

TEST_F(FlagSetTest, refuses_an_underscore_and_says_what_was_meant) {
  EXPECT_EQ(refusal({"--server_port=1"}),
            "unknown flag: --server_port; did you mean --server-port?");
}

TEST_F(FlagSetTest, notes_a_deprecated_flag_once_and_hides_it) {
  EXPECT_THAT(parse({"--old", "--old=false"}).notices,
              ElementsAre("Flag --old has been deprecated, use --on."));
  EXPECT_THAT(table_.help(), Not(HasSubstr("--old")));
}

TEST_F(FlagSetTest, explains_each_flag_with_type_and_default) {
  const std::string help = table_.help();
  EXPECT_THAT(help, HasSubstr("      --name string (default \"first\")\n          A name.\n"));
  EXPECT_THAT(help, HasSubstr("      --on\n"));
  EXPECT_THAT(help, HasSubstr("  -v, --v int (default 4)\n"));
}

TEST_F(FlagSetTest, lists_only_what_differs_from_the_defaults) {
  parse({"--name=first", "--on", "--server-port", "7"});
  EXPECT_EQ(table_.listing(), "--on=true --server-port=7");
}

TEST(ParseList, reads_one_line_of_csv) {
  EXPECT_THAT(*parse_list(""), IsEmpty());
  EXPECT_THAT(*parse_list("a,,b,"), ElementsAre("a", "", "b", ""));
  EXPECT_THAT(*parse_list(R"("a ""b""",c)"), ElementsAre("a \"b\"", "c"));
  for (const char* text : {R"("a)", R"("a"b)", R"(a"b)"}) EXPECT_FALSE(parse_list(text)) << text;
}

}  // namespace
}  // namespace cli
