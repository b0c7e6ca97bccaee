#include <cerrno>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/commands.h"
#include "cli/testing/files.h"

namespace cli {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class Command : public ::testing::Test {
 protected:
  int run(std::vector<std::string> command_line) {
    const Programs programs = {.server =
                                   [this](const app::TunnelServerConfig& config) {
                                     ran_ = "server " + config.server_id;
                                     handover_ = config.handover;
                                     return 7;
                                   },
                               .agent =
                                   [this](const app::TunnelAgentConfig& config) {
                                     ran_ = "agent " + config.agent_id;
                                     return 8;
                                   },
                               .addon_agent =
                                   [this](const app::AddonAgentConfig& config) {
                                     ran_ = "addon-agent " + config.pod_namespace;
                                     return 9;
                                   }};
    const Console console = {.out = [this](std::string_view text) { out_ += text; },
                             .error = [this](std::string_view text) { error_ += text; },
                             .environment =
                                 [this](const std::string& name) {
                                   return name == kHandover ? handover_variable_ : "id-of-" + name;
                                 },
                             .lost = [this] { return lost_; }};
    return run_command(all_commands(programs), command_line, console);
  }

  static constexpr std::string_view kHandover = "PROXY_SERVER_HANDOVER_TIMEOUT";
  const std::vector<std::string> server_ = {"/proxy-server", "--uds-name=/x", "--server-port=0",
                                            "--cluster-cert=" + testing::file("c"),
                                            "--cluster-key=" + testing::file("k")};
  std::string handover_variable_;
  async::Duration handover_{};
  int lost_ = 0;  // errno of the output
  std::string ran_;
  std::string out_;
  std::string error_;
};

TEST_F(Command, runs_the_agent_by_subcommand_and_by_its_own_name) {
  const std::string ca = "--ca-cert=" + testing::file("ca");
  EXPECT_EQ(run({"/usr/bin/cluster-proxy", "agent", ca}), 8);
  EXPECT_EQ(ran_, "agent id-of-PROXY_AGENT_ID");
  ran_.clear();
  EXPECT_EQ(run({"/proxy-agent", ca, "--agent-id=c1"}), 8);
  EXPECT_EQ(ran_, "agent c1");
}

TEST_F(Command, runs_the_addon_agent_by_subcommand_and_by_the_name_of_its_image) {
  EXPECT_EQ(run({"cluster-proxy", "addon-agent", "-v=2"}), 9);
  EXPECT_EQ(ran_, "addon-agent id-of-POD_NAMESPACE");
  ran_.clear();
  EXPECT_EQ(run({"/agent", "--v=2", "--enable-port-forward-proxy=true"}), 9);
  EXPECT_EQ(ran_, "addon-agent id-of-POD_NAMESPACE");
}

TEST_F(Command, ends_as_go_does_on_a_flag_that_go_does_not_know) {
  EXPECT_EQ(run({"/agent", "--hub-kubeconfi=x"}), 2);
  EXPECT_THAT(error_, HasSubstr("flag provided but not defined: -hub-kubeconfi; did you mean "
                                "--hub-kubeconfig?"));
  EXPECT_EQ(ran_, "");
}

TEST_F(Command, runs_the_server_by_subcommand_and_by_its_own_name) {
  const std::vector<std::string> flags = {"--uds-name=/x", "--server-port=0",
                                          "--cluster-cert=" + testing::file("c"),
                                          "--cluster-key=" + testing::file("k")};
  std::vector<std::string> line = {"cluster-proxy", "server"};
  line.insert(line.end(), flags.begin(), flags.end());
  EXPECT_EQ(run(line), 7);
  EXPECT_EQ(ran_, "server id-of-PROXY_SERVER_ID");
  line.erase(line.begin(), line.begin() + 2);
  line.insert(line.begin(), "./proxy-server");
  EXPECT_EQ(run(line), 7);
}

TEST_F(Command, takes_the_handover_from_the_environment_unless_a_flag_says_it) {
  EXPECT_EQ(run(server_), 7);
  EXPECT_EQ(handover_, 0s);
  handover_variable_ = "4s";
  EXPECT_EQ(run(server_), 7);
  EXPECT_EQ(handover_, 4s);
  auto line = server_;
  line.emplace_back("--handover-timeout=7s");
  EXPECT_EQ(run(line), 7);
  EXPECT_EQ(handover_, 7s);
}

TEST_F(Command, names_the_variable_whose_value_is_wrong) {
  handover_variable_ = "soon";
  EXPECT_NE(run(server_), 7);
  EXPECT_THAT(error_, AllOf(HasSubstr(kHandover), HasSubstr("soon")));
  handover_variable_ = "-1s";
  error_.clear();
  EXPECT_NE(run(server_), 7);
  EXPECT_THAT(error_, HasSubstr("--handover-timeout"));
}

TEST_F(Command, asks_no_other_program_for_a_handover) {
  handover_variable_ = "soon";
  EXPECT_EQ(run({"/proxy-agent", "--ca-cert=" + testing::file("ca"), "--agent-id=c1"}), 8);
}

TEST_F(Command, explains_itself_without_arguments_and_on_request) {
  EXPECT_EQ(run({"cluster-proxy"}), 0);
  EXPECT_THAT(out_, AllOf(HasSubstr("Tunnel Commands:"), HasSubstr("COMMAND --help")));
  for (const char* wish : {"help", "--help", "-h"})
    EXPECT_EQ(run({"cluster-proxy", wish}), 0) << wish;
  EXPECT_EQ(error_, "");
}

TEST_F(Command, explains_a_program_with_exit_code_0) {
  EXPECT_EQ(run({"proxy-server", "--help"}), 0);
  EXPECT_THAT(out_, AllOf(HasSubstr("Usage:\n  proxy-server [flags]"),
                          HasSubstr("--server-port int (default 8090)")));
  out_.clear();
  EXPECT_EQ(run({"cluster-proxy", "help", "agent"}), 0);
  EXPECT_THAT(out_, HasSubstr("--agent-identifiers string"));
  EXPECT_EQ(ran_, "");
}

TEST_F(Command, prints_the_version) {
  EXPECT_EQ(run({"cluster-proxy", "version"}), 0);
  EXPECT_THAT(out_, HasSubstr("cluster-proxy 0."));
  EXPECT_THAT(out_, HasSubstr(", OpenSSL "));
  EXPECT_EQ(run({"cluster-proxy", "version", "more"}), 1);
  EXPECT_THAT(error_, HasSubstr("unexpected argument \"more\""));
}

TEST_F(Command, fails_when_its_output_is_lost) {
  lost_ = ENOSPC;
  EXPECT_EQ(run({"cluster-proxy", "version"}), 1);
  EXPECT_THAT(error_, HasSubstr("cannot write to standard output: no space left on device"));
  error_.clear();
  lost_ = EPIPE;
  EXPECT_EQ(run({"cluster-proxy", "version"}), 1);
  EXPECT_EQ(error_, "");
  for (const std::vector<std::string>& line : std::vector<std::vector<std::string>>{
           {"cluster-proxy"}, {"cluster-proxy", "pki", "-h"}, {"cluster-proxy", "dial", "--help"}})
    EXPECT_EQ(run(line), 1);
}

TEST_F(Command, suggests_what_was_meant) {
  EXPECT_EQ(run({"cluster-proxy", "help", "pki", "isue"}), 1);
  EXPECT_THAT(error_, HasSubstr("\"isue\" for \"cluster-proxy pki\"; did you mean issue?"));
  error_.clear();
  EXPECT_EQ(run({"cluster-proxy", "sevrer"}), 1);
  EXPECT_THAT(error_, AllOf(HasSubstr("unknown command \"sevrer\""),
                            HasSubstr("Did you mean this?\n  server")));
  error_.clear();
  EXPECT_EQ(run({"cluster-proxy", "quantum"}), 1);
  EXPECT_THAT(error_, Not(HasSubstr("Did you mean")));
}

TEST_F(Command, fails_with_message_usage_and_exit_code_1) {
  EXPECT_EQ(run({"proxy-agent", "--proxy-server-port=x"}), 1);
  EXPECT_THAT(error_,
              AllOf(HasSubstr("Error: invalid argument \"x\" for \"--proxy-server-port\" flag"),
                    HasSubstr("Usage:\n  proxy-agent [flags]")));
  EXPECT_EQ(run({"proxy-agent"}), 1);
  EXPECT_THAT(error_, HasSubstr("--ca-cert"));
  EXPECT_EQ(ran_, "");
}

TEST_F(Command, refuses_a_log_file_that_cannot_be_written) {
  EXPECT_EQ(run({"proxy-agent", "--ca-cert=" + testing::file("ca"), "--logtostderr=false",
                 "--log-file=/proc/nonexistent/x.log"}),
            1);
  EXPECT_THAT(error_,
              HasSubstr("cannot open the log file /proc/nonexistent/x.log for appending: no "
                        "such file or directory; make its directory, or correct the path"));
  EXPECT_EQ(ran_, "");
}

TEST_F(Command, warns_of_deprecated_flags_and_stray_arguments_and_goes_on) {
  EXPECT_EQ(run({"proxy-agent", "--ca-cert=" + testing::file("ca"), "--lease-label=a=b",
                 "--sync-forever", "false"}),
            8);
  EXPECT_THAT(error_,
              AllOf(HasSubstr("Flag --lease-label has been deprecated"), HasSubstr("\"false\"")));
}

}  // namespace
}  // namespace cli
