#include "cli/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/testing/files.h"

namespace cli {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// What the command under test was set to.
struct Seen {
  std::string server = "none";
  std::vector<std::string> names;
  std::int64_t port = 0;
  std::string serve;
};

class Probe : public Action {
 public:
  explicit Probe(Seen& seen, bool serves = false) {
    flags_.section("Flags");
    flags_.add_string("server", seen.server, "Server.");
    flags_.add_list("some-names", seen.names, "Names.");
    flags_.add_int("port", seen.port, "Port.");
    if (serves) flags_.add_string("serve", seen.serve, "Helper.");
  }
  FlagSet& flags() override { return flags_; }
  base::Result<void> prepare(const Invocation&) override { return {}; }
  base::Result<int> run(const Invocation&) override { return 0; }

 private:
  FlagSet flags_;
};

class SettingsOf : public ::testing::Test {
 protected:
  int run(std::vector<std::string> arguments) {
    seen_ = {};
    error_.clear();
    Seen others;
    const auto probe = [](Seen& seen) { return [&seen] { return std::make_unique<Probe>(seen); }; };
    const Command root = {
        .name = "cluster-proxy",
        .commands = {{.name = "dial", .settings = true, .make = probe(seen_)},
                     {.name = "proxy", .settings = true, .make = probe(others)},
                     {.name = "bench",
                      .settings = true,
                      .make = [&] { return std::make_unique<Probe>(others, true); }},
                     {.name = "server", .make = probe(others)}}};
    arguments.insert(arguments.begin(), {"cluster-proxy", "dial"});
    return run_command(root, arguments,
                       {.out = [this](std::string_view text) { out_ += text; },
                        .error = [this](std::string_view text) { error_ += text; },
                        .environment = [this](const std::string& name) { return names_[name]; }});
  }

  /// Runs with a file of this content.
  int run_with(std::string_view yaml) {
    file_ = testing::file("settings.yaml", yaml);
    return run({"--config", file_});
  }

  Seen seen_;
  std::map<std::string, std::string> names_;
  std::string file_;
  std::string out_;
  std::string error_;
};

TEST_F(SettingsOf, come_from_the_command_line_then_the_environment_then_the_file) {
  names_ = {
      {"CLUSTER_PROXY_CONFIG", testing::file("all", "server: f\nport: 1\nsome-names: [a, 'b,c']")},
      {"CLUSTER_PROXY_SERVER", "e"},
      {"CLUSTER_PROXY_PORT", "2"}};
  EXPECT_EQ(run({"--port=3"}), 0) << error_;
  EXPECT_EQ(seen_.port, 3);
  EXPECT_EQ(seen_.server, "e");
  EXPECT_THAT(seen_.names, ElementsAre("a", "b,c"));
}

TEST_F(SettingsOf, a_command_of_its_own_win_over_those_of_all) {
  EXPECT_EQ(run_with("server: all\ndial:\n  server: mine\nproxy:\n  server: theirs\n"), 0)
      << error_;
  EXPECT_EQ(seen_.server, "mine");
  EXPECT_EQ(run_with("server: all\nproxy: {server: theirs}\n"), 0) << error_;
  EXPECT_EQ(seen_.server, "all");
}

TEST_F(SettingsOf, are_read_from_the_users_folder_when_a_file_is_there) {
  EXPECT_EQ(run({}), 0) << error_;
  const std::string file = testing::file("cluster-proxy/config.yaml", "port: 7");
  names_["XDG_CONFIG_HOME"] = file.substr(0, file.rfind("/cluster-proxy/"));
  EXPECT_EQ(run({}), 0) << error_;
  EXPECT_EQ(seen_.port, 7);
}

TEST_F(SettingsOf, fail_with_file_line_and_key) {
  EXPECT_EQ(run_with("port: 1\ndial:\n  port: many\n"), 1);
  EXPECT_THAT(error_, AllOf(HasSubstr(file_ + ":3: dial.port: "), HasSubstr("many")));
  EXPECT_EQ(run_with("prot: 1\n"), 1);
  EXPECT_THAT(error_,
              HasSubstr(file_ + ":1: prot: no flag or command has this name; did you mean port?"));
  EXPECT_EQ(run_with("proxy:\n  prot: 1\n"), 1);
  EXPECT_THAT(error_, HasSubstr(":2: proxy.prot: no flag or command has this name"));
  EXPECT_EQ(run_with("servr: x\n"), 1);
  EXPECT_THAT(error_, HasSubstr("did you mean server?"));
  EXPECT_EQ(run_with("dail:\n  port: 1\n"), 1);
  EXPECT_THAT(error_, HasSubstr("dail: no flag or command has this name; did you mean dial?"));
  EXPECT_EQ(run_with("server: {a: b}\n"), 1);
  EXPECT_THAT(error_, HasSubstr(":1: server: must have a value"));
  EXPECT_EQ(run_with("- x\n"), 1);
  EXPECT_THAT(error_, HasSubstr(":1: must be a map"));
  EXPECT_EQ(run_with("a: [1\n"), 1);
  EXPECT_THAT(error_, HasSubstr("settings.yaml:2: "));
}

TEST_F(SettingsOf, fail_when_the_file_asked_for_is_not_there) {
  EXPECT_EQ(run({"--config=/nonexistent.yaml"}), 1);
  EXPECT_THAT(error_, HasSubstr("/nonexistent.yaml"));
}

TEST_F(SettingsOf, fail_with_the_variable) {
  names_["CLUSTER_PROXY_PORT"] = "x";
  EXPECT_EQ(run({}), 1);
  EXPECT_THAT(error_, HasSubstr("the environment variable CLUSTER_PROXY_PORT"));
}

TEST_F(SettingsOf, stand_in_the_help) {
  EXPECT_EQ(run({"--help"}), 0);
  EXPECT_THAT(out_, AllOf(HasSubstr("--config string"), HasSubstr("CLUSTER_PROXY_SERVER")));
}

}  // namespace
}  // namespace cli
