#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/flag_set.h"
#include "cli/log_flags.h"

namespace cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class GoFlags : public ::testing::Test {
 protected:
  GoFlags() {
    table_.add_string("name", name_, "");
    table_.add_switch("on", on_, "");
    table_.add_int("count", count_, "");
    log_.add_to(table_);
  }
  std::string parse(const std::vector<std::string>& arguments) {
    auto parsed = table_.parse(arguments);
    if (!parsed) return parsed.error().message;
    rest_ = parsed->arguments;
    return parsed->help ? "help" : "ok";
  }

  std::string name_ = "unset";
  bool on_ = false;
  std::int64_t count_ = 0;
  LogFlags log_{0};
  FlagSet table_{FlagSyntax::go};
  std::vector<std::string> rest_;
};

TEST_F(GoFlags, have_one_dash_or_two) {
  EXPECT_EQ(parse({"-name", "a", "--count=2"}), "ok");
  EXPECT_EQ(name_, "a");
  EXPECT_EQ(count_, 2);
  EXPECT_EQ(parse({"--name", "-b", "-count", "-3"}), "ok");
  EXPECT_EQ(name_, "-b");
  EXPECT_EQ(count_, -3);
  EXPECT_EQ(parse({"-name="}), "ok");
  EXPECT_EQ(name_, "");
}

TEST_F(GoFlags, give_switches_a_value_by_the_equals_sign_only) {
  EXPECT_EQ(parse({"-on"}), "ok");
  EXPECT_TRUE(on_);
  EXPECT_EQ(parse({"--on=F"}), "ok");
  EXPECT_FALSE(on_);
  EXPECT_EQ(parse({"--on", "false", "--count=7"}), "ok");
  EXPECT_TRUE(on_);
  EXPECT_EQ(count_, 0);
  EXPECT_THAT(rest_, ElementsAre("false", "--count=7"));
}

TEST_F(GoFlags, end_at_two_dashes_or_at_the_first_argument) {
  EXPECT_EQ(parse({"--count=1", "--", "--count=2"}), "ok");
  EXPECT_EQ(count_, 1);
  EXPECT_THAT(rest_, ElementsAre("--count=2"));
  EXPECT_EQ(parse({"-", "--count=3"}), "ok");
  EXPECT_EQ(count_, 1);
}

TEST_F(GoFlags, know_klog_in_both_spellings) {
  EXPECT_EQ(parse({"-v=2", "--log_file=/x", "-log-file-max-size=5", "--logtostderr=false",
                   "-vmodule=a=1", "--stderrthreshold", "INFO", "-add_dir_header"}),
            "ok");
  const auto config = log_.config("program");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->verbosity, 2);
  EXPECT_EQ(config->sink.file, "/x");
  EXPECT_THAT(rest_, IsEmpty());
}

TEST_F(GoFlags, log_decisions_only_by_default) {
  EXPECT_EQ(parse({}), "ok");
  EXPECT_EQ(log_.config("program")->verbosity, 0);
}

TEST_F(GoFlags, refuse_with_the_texts_of_go) {
  EXPECT_EQ(parse({"--no"}), "flag provided but not defined: -no; did you mean --on?");
  EXPECT_THAT(parse({"-v2"}), HasSubstr("flag provided but not defined: -v2"));
  EXPECT_EQ(parse({"--name"}), "flag needs an argument: -name");
  EXPECT_EQ(parse({"---name"}), "bad flag syntax: ---name");
  EXPECT_EQ(parse({"--=x"}), "bad flag syntax: --=x");
  EXPECT_THAT(parse({"-count=x"}), HasSubstr("invalid value \"x\" for flag -count: "));
  EXPECT_THAT(parse({"-on=x"}), HasSubstr("invalid boolean value \"x\" for flag -on: "));
}

TEST_F(GoFlags, ask_for_help_in_every_way) {
  for (const auto* flag : {"-h", "--h", "-help", "--help"}) EXPECT_EQ(parse({flag}), "help");
}

}  // namespace
}  // namespace cli
