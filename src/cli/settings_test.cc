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
  std::string forward;
  std::string url;
  std::string name;
};

class Probe : public Action {
 public:
  FlagSet& flags() override { return flags_; }
  base::Result<void> prepare(const Invocation&) override { return {}; }
  base::Result<int> run(const Invocation&) override { return 0; }

 protected:
  FlagSet flags_;
};

class Dialing : public Probe {
 public:
  explicit Dialing(Seen& seen, bool serves = false) {
    flags_.section("Flags");
    flags_.add_string("server", seen.server, "Server.");
    flags_.add_list("some-names", seen.names, "Names.");
    flags_.add_int("port", seen.port, "Port.");
    if (serves) flags_.add_string("serve", seen.serve, "Helper.");
  }
};

/// Its --server is another's, and one of its flags has the name of a command.
class Writing : public Probe {
 public:
  explicit Writing(Seen& seen) {
    flags_.section("Flags");
    flags_.reach(FlagReach::command);
    flags_.add_string("server", seen.server, "API server.");
    flags_.add_string("forward", seen.forward, "Forward.");
    flags_.add_string("url", seen.url, "Proxy.");
    flags_.set_rivals("forward", "url");
    flags_.reach(FlagReach::once);
    flags_.add_string("name", seen.name, "Name.");
  }
};

class SettingsOf : public ::testing::Test {
 protected:
  int run(std::vector<std::string> arguments, const std::string& command = "dial") {
    seen_ = {};
    error_.clear();
    const auto dialing = [this] { return std::make_unique<Dialing>(seen_); };
    const auto writing = [this] { return std::make_unique<Writing>(seen_); };
    const Command root = {
        .name = "cluster-proxy",
        .commands = {{.name = "dial", .settings = "dial", .make = dialing},
                     {.name = "forward", .settings = "forward", .make = dialing},
                     {.name = "bench",
                      .settings = "bench",
                      .make = [this] { return std::make_unique<Dialing>(seen_, true); }},
                     {.name = "write", .settings = "files", .make = writing},
                     {.name = "server", .make = dialing}}};
    arguments.insert(arguments.begin(), {"cluster-proxy", command});
    return run_command(root, arguments,
                       {.out = [this](std::string_view text) { out_ += text; },
                        .error = [this](std::string_view text) { error_ += text; },
                        .environment = [this](const std::string& name) { return names_[name]; }});
  }

  /// Runs with a file of this content.
  int run_with(std::string_view yaml, const std::string& command = "dial",
               std::vector<std::string> arguments = {}) {
    file_ = testing::file("settings.yaml", yaml);
    arguments.push_back("--config=" + file_);
    return run(std::move(arguments), command);
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
  EXPECT_EQ(run_with("server: all\ndial:\n  server: mine\nforward:\n  server: theirs\n"), 0)
      << error_;
  EXPECT_EQ(seen_.server, "mine");
  EXPECT_EQ(run_with("server: all\nforward: {server: theirs}\n"), 0) << error_;
  EXPECT_EQ(seen_.server, "all");
  names_ = {{"CLUSTER_PROXY_SERVER", "all"}, {"CLUSTER_PROXY_FORWARD_SERVER", "theirs"}};
  EXPECT_EQ(run({}), 0) << error_;
  EXPECT_EQ(seen_.server, "all");
  EXPECT_EQ(run({}, "forward"), 0) << error_;
  EXPECT_EQ(seen_.server, "theirs");
}

TEST_F(SettingsOf, all_commands_are_not_for_a_flag_that_means_something_else) {
  names_ = {{"CLUSTER_PROXY_SERVER", "all"}, {"CLUSTER_PROXY_URL", "x"}};
  constexpr std::string_view kFile = "server: all\nforward: {port: 1}\n";
  EXPECT_EQ(run_with(kFile, "write"), 0) << error_;
  EXPECT_EQ(seen_.server, "none");
  EXPECT_EQ(seen_.url, "");
  EXPECT_EQ(run_with("server: all\nfiles: {server: mine, forward: a}\n", "write"), 0) << error_;
  EXPECT_EQ(seen_.server, "mine");
  EXPECT_EQ(seen_.forward, "a");
  names_["CLUSTER_PROXY_FILES_SERVER"] = "e";
  EXPECT_EQ(run_with("files: {server: mine}\n", "write"), 0) << error_;
  EXPECT_EQ(seen_.server, "e");
  EXPECT_EQ(run_with("url: x\n"), 1);
  EXPECT_THAT(error_, HasSubstr(":1: url: this flag is not one of all commands: put it under "
                                "files:"));
}

TEST_F(SettingsOf, a_rival_give_way_to_what_is_said_nearer) {
  EXPECT_EQ(run_with("files: {url: u}\n", "write", {"--forward=f"}), 0) << error_;
  EXPECT_EQ(seen_.forward, "f");
  EXPECT_EQ(seen_.url, "");
  names_["CLUSTER_PROXY_FILES_URL"] = "e";
  EXPECT_EQ(run_with("files: {forward: f}\n", "write"), 0) << error_;
  EXPECT_EQ(seen_.forward, "");
  names_.clear();
  EXPECT_EQ(run_with("files: {url: u, forward: f}\n", "write"), 0) << error_;
  EXPECT_EQ(seen_.url + seen_.forward, "uf");
}

TEST_F(SettingsOf, one_call_stand_on_its_command_line_only) {
  names_ = {{"CLUSTER_PROXY_NAME", "x"}, {"CLUSTER_PROXY_FILES_NAME", "x"}};
  EXPECT_EQ(run({}, "write"), 0) << error_;
  EXPECT_EQ(seen_.name, "");
  EXPECT_EQ(run_with("files: {name: x}\n"), 1);
  EXPECT_THAT(error_, HasSubstr(":1: files.name: this flag is for the command line only"));
  EXPECT_EQ(run_with("name: x\n"), 1);
  EXPECT_THAT(error_, HasSubstr(":1: name: this flag is for the command line only"));
  EXPECT_EQ(run({"--help"}, "write"), 0);
  EXPECT_THAT(out_, AllOf(HasSubstr("--forward by CLUSTER_PROXY_FILES_FORWARD"),
                          HasSubstr("Only the command line has --name.")));
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
  EXPECT_EQ(run_with("forward:\n  prot: 1\n"), 1);
  EXPECT_THAT(error_,
              HasSubstr(":2: forward.prot: \"forward\" has no such flag; did you mean port?"));
  EXPECT_EQ(run_with("forward:\n  serve: 1\n"), 1);
  EXPECT_THAT(error_, HasSubstr(":2: forward.serve: \"forward\" has no such flag"));
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
  EXPECT_THAT(out_,
              AllOf(HasSubstr("--config string"), HasSubstr("--port by CLUSTER_PROXY_DIAL_PORT"),
                    HasSubstr("for all commands by CLUSTER_PROXY_PORT")));
}

}  // namespace
}  // namespace cli
