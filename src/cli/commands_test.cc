#include "cli/commands.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/complete.h"
#include "cli/forward_command.h"
#include "cli/settings.h"

namespace cli {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

/// Calls `visit` for every command there is, with how it is called.
template <typename Visit>
void for_each(const Command& command, const std::string& name, const Visit& visit) {
  visit(command, name);
  for (const Command& each : command.commands) for_each(each, name + " " + each.name, visit);
}

TEST(Table, has_all_that_a_command_needs_to_be_found_and_understood) {
  for_each(all_commands({}), "cluster-proxy", [](const Command& command, const std::string& name) {
    EXPECT_NE(command.text, "") << name;
    EXPECT_NE(command.make == nullptr, command.commands.empty()) << name;
    if (command.hidden || name == "cluster-proxy") return;
    EXPECT_NE(command.summary, "") << name;
    EXPECT_FALSE(command.summary.ends_with('.')) << name;
  });
}

TEST(Table, names_nothing_twice) {
  for_each(all_commands({}), "cluster-proxy", [](const Command& command, const std::string& name) {
    std::vector<std::string> names;
    for (const Command& each : command.commands) {
      names.push_back(each.name);
      names.insert(names.end(), each.aliases.begin(), each.aliases.end());
    }
    std::ranges::sort(names);
    EXPECT_EQ(std::ranges::adjacent_find(names), names.end()) << name;
  });
}

TEST(Table, fits_the_screen) {
  for_each(all_commands({}), "cluster-proxy", [](const Command& command, const std::string& name) {
    const std::string text = help_text(command, name);
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t end = text.find('\n', at);
      EXPECT_LE(end - at, 120U) << name << ": " << text.substr(at, end - at);
      at = end + 1;
    }
  });
}

TEST(Table, lists_each_command_in_the_overview) {
  const Command root = all_commands({});
  const std::string text = help_text(root, root.name);
  EXPECT_THAT(text, AllOf(HasSubstr("Client Commands:\n"), HasSubstr("\n  dial "),
                          Not(HasSubstr("__complete"))));
}

// A key at the top of the settings file is a flag or a section, and a variable sets one flag.
TEST(Table, has_settings_with_one_meaning) {
  std::set<std::string> sections;
  std::map<std::string, std::string> variables;
  std::set<std::string> shared;
  for_each(all_commands({}), "cluster-proxy", [&](const Command& command, const std::string& name) {
    if (command.settings.empty()) return;
    sections.insert(command.settings);
    const auto action = command.make();
    for (const auto& [flag, row] : action->flags().flags()) {
      if (row.reach == FlagReach::once) continue;
      const std::string key = command.settings + "." + flag;
      const auto at = variables.emplace(variable_of(command.settings, flag), key).first;
      EXPECT_EQ(at->second, key) << name;
      if (row.reach == FlagReach::all) shared.insert(flag);
    }
  });
  for (const std::string& flag : shared) {
    EXPECT_FALSE(sections.contains(flag)) << flag;
    EXPECT_FALSE(variables.contains(variable_of("", flag))) << flag;
  }
}

TEST(Table, has_the_same_connection_flags_wherever_a_command_dials) {
  const Command root = all_commands({});
  const auto rows = [&](std::string_view name) {
    std::map<std::string, std::string> found;
    const auto action = root.find(name)->make();
    for (const auto& [flag, row] : action->flags().flags())
      if (row.section == "Connection flags") found[flag] = row.usage;
    return found;
  };
  EXPECT_FALSE(rows("dial").empty());
  for (const char* name : {"forward", "proxy", "bench", "doctor"})
    EXPECT_EQ(rows(name), rows("dial")) << name;
}

class Complete : public ::testing::Test {
 protected:
  std::vector<std::string> words(std::vector<std::string> line) {
    std::vector<std::string> found;
    for (const auto& candidate : complete(root, line).candidates) found.push_back(candidate.word);
    return found;
  }
  bool files(std::vector<std::string> line) { return complete(root, line).files; }

  Command root = all_commands({});
};

TEST_F(Complete, commands_and_what_they_take) {
  EXPECT_THAT(words({"di"}), ElementsAre("dial"));
  EXPECT_THAT(words({"completion", ""}), ElementsAre("bash", "zsh", "fish"));
  EXPECT_THAT(words({""}), Not(Contains("__complete")));
  EXPECT_THAT(words({"help", "dia"}), ElementsAre("dial"));
  EXPECT_THAT(words({"help", "pki", "is"}), ElementsAre("issue"));
  EXPECT_THAT(words({"nonsense", ""}), ElementsAre());
}

TEST_F(Complete, flags_and_their_values) {
  EXPECT_THAT(words({"dial", "--serv"}), ElementsAre("--server"));
  EXPECT_TRUE(files({"dial", "--ca-cert", ""}));
  EXPECT_TRUE(files({"dial", "--ca-cert="}));
  EXPECT_THAT(words({"dial", "--plaintext", "--ca-c"}), ElementsAre("--ca-cert"));
  EXPECT_TRUE(files({"dial", "-v", ""}));
  EXPECT_THAT(words({"status", "-o", ""}), ElementsAre("table", "wide", "json", "yaml"));
  EXPECT_THAT(words({"status", "--output=y"}), ElementsAre("--output=yaml"));
  EXPECT_FALSE(files({"status", "--output=y"}));
  EXPECT_THAT(words({"dial", "--conf"}), ElementsAre("--config"));
  EXPECT_TRUE(files({"kubeconfig", "--config", ""}));
  EXPECT_THAT(words({"pki", "--h"}), ElementsAre("--help"));
  EXPECT_THAT(words({"dial", "--", "--pl"}), ElementsAre());
  EXPECT_THAT(words({"server", "--mode="}), ElementsAre("--mode=grpc", "--mode=http-connect"));
}

TEST(ParseForward, reads_addresses_of_either_family) {
  const auto forward = parse_forward("8080:nginx.cluster1:80");
  ASSERT_TRUE(forward);
  EXPECT_EQ(*forward, (app::Forward{{"127.0.0.1", 8080}, "nginx.cluster1:80"}));
  EXPECT_EQ(*parse_forward("[::1]:0:[fd00::1]:80"), (app::Forward{{"::1", 0}, "[fd00::1]:80"}));
  EXPECT_EQ(*parse_forward("*:1:a:2"), (app::Forward{{"", 1}, "a:2"}));
}

TEST(ParseForward, says_what_is_wrong) {
  for (const char* text : {"", "80", "80:a", "a:b:c:d", "1:2:3:4:5", "1::80", "1:a:0", "99999:a:1"})
    EXPECT_THAT(parse_forward(text).error().message, HasSubstr("want [ADDRESS:]PORT:HOST:PORT"))
        << text;
  EXPECT_THAT(parse_forward("1:a:0").error().message, HasSubstr("the second PORT"));
  EXPECT_THAT(parse_forward("1::80").error().message, HasSubstr("HOST is missing"));
  EXPECT_THAT(parse_forward("x:a:80").error().message,
              HasSubstr("\"x\" is no port of this machine; want [ADDRESS:]PORT:HOST:PORT"));
}

}  // namespace
}  // namespace cli
