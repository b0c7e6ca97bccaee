#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/commands.h"
#include "cli/testing/files.h"

namespace cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

/// The commands for those who run servers, as they are typed.
class OperatorCommands : public ::testing::Test {
 protected:
  OperatorCommands() {
    char name[] = "/tmp/operator-XXXXXX";
    root_ = ::mkdtemp(name);
  }
  ~OperatorCommands() override { std::filesystem::remove_all(root_); }

  int run(std::vector<std::string> line) {
    out_.clear();
    error_.clear();
    line.insert(line.begin(), "cluster-proxy");
    const Console console = {.out = [this](std::string_view text) { out_ += text; },
                             .error = [this](std::string_view text) { error_ += text; },
                             .environment = [](const std::string&) { return ""; }};
    return run_command(all_commands({}), line, console);
  }
  std::string dir() const { return "--dir=" + root_ + "/pki"; }

  std::string root_;
  std::string out_;
  std::string error_;
};

TEST_F(OperatorCommands, make_show_and_renew_certificates) {
  EXPECT_EQ(run({"pki", "init", dir()}), 0) << error_;
  EXPECT_THAT(out_, HasSubstr("Next: cluster-proxy pki issue server"));
  EXPECT_EQ(run({"pki", "issue", "server", dir(), "hub.example", "10.0.0.5"}), 0) << error_;
  EXPECT_EQ(run({"pki", "issue", "agent", "c1", dir()}), 0) << error_;
  EXPECT_THAT(out_, HasSubstr("/pki/agent-c1.key\n"));
  EXPECT_EQ(run({"pki", "issue", "client", "alice", "--organization=ops", dir()}), 0) << error_;
  EXPECT_EQ(run({"pki", "show", dir()}), 0) << error_;
  EXPECT_THAT(out_, AllOf(HasSubstr("a server known as hub.example, 10.0.0.5"),
                          HasSubstr("agents of cluster c1"), HasSubstr("the client alice")));
  EXPECT_EQ(run({"pki", "show", "server", "-o", "json", dir()}), 0);
  EXPECT_THAT(out_, AllOf(HasSubstr("\"role\":\"server\""), Not(HasSubstr("alice"))));
  EXPECT_EQ(run({"pki", "renew", "--all", dir()}), 0) << error_;
  EXPECT_THAT(out_, AllOf(HasSubstr("server.crt"), Not(HasSubstr("ca.crt"))));
}

TEST_F(OperatorCommands, say_what_is_wrong_with_certificates) {
  EXPECT_EQ(run({"pki", "issue", "agent", "c1", dir()}), 1);
  EXPECT_THAT(error_, HasSubstr("make one with: cluster-proxy pki init --dir"));
  EXPECT_EQ(run({"pki", "init", dir()}), 0);
  EXPECT_EQ(run({"pki", "init", dir()}), 1);
  EXPECT_THAT(error_, HasSubstr("not overwritten"));
  EXPECT_EQ(run({"pki", "issue", "agent", "c1", dir()}), 0);
  EXPECT_EQ(run({"pki", "issue", "agent", "c1", dir()}), 1);
  EXPECT_THAT(error_, HasSubstr("renew agent-c1"));
  EXPECT_EQ(run({"pki", "issue", "agent", dir()}), 1);
  EXPECT_EQ(run({"pki", "issue", "client", "Alice Smith", dir()}), 1);
  EXPECT_THAT(error_, HasSubstr("give another with --name"));
  EXPECT_EQ(run({"pki", "issue", "agent", "c1", "--days=0", dir()}), 1);
  EXPECT_THAT(error_, HasSubstr("want 1 to 36500"));
  EXPECT_EQ(run({"pki", "renew", dir()}), 1);
  EXPECT_THAT(error_, HasSubstr("--all"));
  EXPECT_EQ(run({"pki", "show", "none", dir()}), 1);
  EXPECT_THAT(error_, HasSubstr("lists what there is"));
}

TEST_F(OperatorCommands, write_a_kubeconfig_that_verifies_the_server) {
  const std::string from = testing::file("admin.conf", R"(
current-context: admin
clusters: [{name: k, cluster: {server: "https://x", certificate-authority-data: Q0E=}}]
users: [{name: u, user: {token: secret}}]
contexts: [{name: admin, context: {cluster: k, user: u}}]
)");
  EXPECT_EQ(run({"kubeconfig", "c1", "--proxy-url=http://127.0.0.1:8888", "--from=" + from}), 0)
      << error_;
  EXPECT_THAT(out_, AllOf(HasSubstr("server: https://c1:443"),
                          HasSubstr("tls-server-name: kubernetes.default.svc"),
                          HasSubstr("proxy-url: http://127.0.0.1:8888"),
                          HasSubstr("certificate-authority-data: Q0E="), HasSubstr("token: secret"),
                          HasSubstr("current-context: c1"), Not(HasSubstr("insecure"))));
  EXPECT_EQ(
      run({"kubeconfig", "c1", "--forward=127.0.0.1:6443", "--from=" + from, "--token-file=/t"}),
      0);
  EXPECT_THAT(out_, AllOf(HasSubstr("server: https://127.0.0.1:6443"), HasSubstr("tokenFile: /t"),
                          Not(HasSubstr("proxy-url"))));
  EXPECT_EQ(run({"kubeconfig", "c1", "--forward=h:1", "--from=" + from, "--token-file=t",
                 "--tls-server-name="}),
            0);
  EXPECT_THAT(out_, AllOf(HasSubstr((std::filesystem::current_path() / "t").string()),
                          Not(HasSubstr("tls-server-name"))));
}

TEST_F(OperatorCommands, keep_the_names_of_files_good_in_a_kubeconfig) {
  const std::string from = testing::file("files.conf", R"(
current-context: a
clusters: [{name: k, cluster: {server: "https://x", certificate-authority: pki/ca.crt}}]
users: [{name: u, user: {client-certificate: /abs/c.crt, client-key: ../c.key}}]
contexts: [{name: a, context: {cluster: k, user: u}}]
)");
  const auto folder = std::filesystem::path(from).parent_path();
  EXPECT_EQ(run({"kubeconfig", "c1", "--proxy-url=http://h:1", "--from=" + from}), 0) << error_;
  EXPECT_THAT(out_, AllOf(HasSubstr("certificate-authority: " + (folder / "pki/ca.crt").string()),
                          HasSubstr("client-certificate: /abs/c.crt"),
                          HasSubstr("client-key: " + (folder.parent_path() / "c.key").string())));
}

TEST_F(OperatorCommands, refuse_a_kubeconfig_that_verifies_nothing) {
  EXPECT_EQ(run({"kubeconfig", "c1", "--proxy-url=http://h:1"}), 1);
  EXPECT_THAT(error_, HasSubstr("the API server has to be verified"));
  EXPECT_EQ(run({"kubeconfig", "c1", "--from=/x"}), 1);
  EXPECT_THAT(error_, HasSubstr("give --proxy-url=URL"));
  EXPECT_EQ(run({"kubeconfig", "c1", "--from=/x", "--proxy-url=http://h:1", "--forward=h:2"}), 1);
  EXPECT_THAT(error_, HasSubstr("not both"));
  EXPECT_EQ(run({"kubeconfig", "c 1", "--from=/x", "--forward=h:2"}), 1);
  EXPECT_THAT(error_, HasSubstr("\"c 1\" cannot be the name of a cluster"));
  EXPECT_EQ(run({"kubeconfig", "c1", "--from=/nonexistent.conf", "--forward=h:2"}), 1);
  EXPECT_THAT(error_, HasSubstr("/nonexistent.conf: "));
  EXPECT_EQ(run({"kubeconfig", "c1", "--proxy-url=ftp://h", "--from=/x"}), 1);
  EXPECT_THAT(error_, HasSubstr("socks5://HOST:PORT"));
  const std::string none = testing::file("none.conf", R"(
current-context: a
clusters: [{name: k, cluster: {server: "https://x"}}]
users: []
contexts: [{name: a, context: {cluster: k, user: u}}]
)");
  EXPECT_EQ(run({"kubeconfig", "c1", "--proxy-url=http://h:1", "--from=" + none}), 1);
  EXPECT_THAT(error_, HasSubstr("names no authority"));
}

TEST_F(OperatorCommands, explain_their_flags_under_a_heading) {
  const std::vector<std::vector<std::string>> all = {
      {"status"},      {"top"},         {"kubeconfig"}, {"pki", "init"}, {"pki", "issue", "agent"},
      {"pki", "show"}, {"pki", "renew"}};
  for (std::vector<std::string> line : all) {
    line.emplace_back("--help");
    EXPECT_EQ(run(line), 0);
    EXPECT_THAT(out_, HasSubstr("\nFlags:\n")) << line.front();
  }
}

TEST_F(OperatorCommands, say_where_the_admin_port_should_be) {
  EXPECT_EQ(run({"status", "--admin=127.0.0.1:1"}), 1);
  EXPECT_THAT(error_, AllOf(HasSubstr("http://127.0.0.1:1/status"), HasSubstr("--admin-port")));
  EXPECT_EQ(run({"status", "-o", "xml"}), 1);
  EXPECT_THAT(error_, HasSubstr("want table, wide, json or yaml"));
}

TEST_F(OperatorCommands, examine_and_count_failures) {
  EXPECT_EQ(run({"doctor", "--server=127.0.0.1:1", "--plaintext"}), 1);
  EXPECT_THAT(out_, AllOf(HasSubstr("FAIL  port"), Not(HasSubstr("files"))));
  EXPECT_EQ(run({"doctor", "--server=127.0.0.1:1"}), 1);
  EXPECT_THAT(out_, AllOf(HasSubstr("FAIL  port"), HasSubstr("-> nothing listens there")));
  EXPECT_EQ(run({"doctor"}), 1);
  EXPECT_THAT(error_, HasSubstr("--server"));
  EXPECT_EQ(run({"doctor", "--agent", "--server=/x.sock"}), 1);
}

TEST_F(OperatorCommands, say_whom_status_asks) {
  EXPECT_EQ(run({"status", "--admin=hub"}), 1);
  EXPECT_THAT(error_, HasSubstr("invalid --admin=hub: want the admin port of a server"));
  EXPECT_EQ(run({"top", "--interval=1ms"}), 1);
  EXPECT_THAT(error_, HasSubstr("invalid --interval=1ms: want 100ms or more"));
}

}  // namespace
}  // namespace cli
