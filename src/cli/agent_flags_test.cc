#include "cli/agent_flags.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/testing/files.h"

namespace cli {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

using Arguments = std::vector<std::string>;

base::Result<app::TunnelAgentConfig> configure(const Arguments& more,
                                               const std::string& environment = "") {
  Arguments arguments = {"--ca-cert=" + testing::file("a.ca")};
  arguments.insert(arguments.end(), more.begin(), more.end());
  AgentFlags flags;
  auto parsed = flags.table().parse(arguments);
  if (!parsed) return base::fail(parsed.error());
  return flags.config(environment);
}

app::TunnelAgentConfig accepted(const Arguments& more = {}, const std::string& environment = "") {
  auto config = configure(more, environment);
  EXPECT_TRUE(config) << config.error().message;
  return config.value_or(app::TunnelAgentConfig{});
}

std::string refused(const Arguments& more) {
  auto config = configure(more);
  return config ? "accepted" : config.error().message;
}

TEST(AgentFlags, have_the_reference_s_defaults) {
  const auto config = accepted();
  EXPECT_EQ(config.server, (net::HostPort{"127.0.0.1", 8091}));
  EXPECT_EQ(config.health, (app::ListenAddress{"", 8093}));
  EXPECT_EQ(config.admin, (app::ListenAddress{"127.0.0.1", 8094}));
  EXPECT_EQ(config.sync_interval, 1s);
  EXPECT_EQ(config.sync_interval_cap, 10s);
  EXPECT_EQ(config.probe_interval, 1s);
  EXPECT_EQ(config.keepalive, 1h);
  EXPECT_EQ(config.connection_queue, 150);
  EXPECT_EQ(config.count_source, app::ServerCountSource::preferred);
  EXPECT_FALSE(config.leases.enabled);
  EXPECT_THAT(config.agent_id, SizeIs(36));
}

TEST(AgentFlags, take_the_identity_from_the_flag_then_the_environment) {
  EXPECT_EQ(accepted({}, "env").agent_id, "env");
  EXPECT_EQ(accepted({"--agent-id=flag"}, "env").agent_id, "flag");
}

TEST(AgentFlags, read_identifiers_and_keep_them_as_given) {
  const auto config = accepted({"--agent-identifiers=host=n1&ipv4=${HOST_IP}&default-route=true"});
  EXPECT_EQ(config.raw_identifiers, "host=n1&ipv4=${HOST_IP}&default-route=true");
  EXPECT_THAT(config.identifiers.ipv4, ElementsAre("${HOST_IP}"));
  EXPECT_TRUE(config.identifiers.default_route);
  EXPECT_THAT(refused({"--agent-identifiers=uid=1"}), HasSubstr("unknown address type"));
  EXPECT_THAT(refused({"--agent-identifiers=host=a;b"}), HasSubstr("semicolon"));
}

TEST(AgentFlags, take_protocols_in_order_once_and_the_literal_empty_list) {
  EXPECT_THAT(accepted({"--alpn-proto=[]"}).alpn, IsEmpty());
  EXPECT_THAT(accepted({"--alpn-proto=a,b", "--alpn-proto=a"}).alpn, ElementsAre("a", "b"));
  EXPECT_THAT(refused({"--alpn-proto=a,,b"}), HasSubstr("1 to 255"));
}

TEST(AgentFlags, read_further_addresses_of_servers) {
  const auto config =
      accepted({"--proxy-server-port=443", "--proxy-server-addresses=a,b:1,[::1]:2,::1,[fd00::4]"});
  EXPECT_THAT(config.more_servers,
              ElementsAre(net::HostPort{"a", 443}, net::HostPort{"b", 1}, net::HostPort{"::1", 2},
                          net::HostPort{"::1", 443}, net::HostPort{"fd00::4", 443}));
  EXPECT_THAT(refused({"--proxy-server-addresses=a:x"}), HasSubstr("--proxy-server-addresses=a:x"));
  EXPECT_THAT(refused({"--proxy-server-addresses=:1"}), HasSubstr("--proxy-server-addresses=:1"));
}

TEST(AgentFlags, name_the_flag_the_value_and_the_rule) {
  EXPECT_THAT(refused({"--ca-cert="}), HasSubstr("--ca-cert"));
  EXPECT_THAT(refused({"--agent-cert=" + testing::file("a.crt")}),
              HasSubstr("set --agent-key as well"));
  EXPECT_THAT(refused({"--proxy-server-port=0"}),
              HasSubstr("--proxy-server-port=0: want a port of 1..65535"));
  EXPECT_THAT(refused({"--health-server-port=70000"}), HasSubstr("--health-server-port=70000"));
  EXPECT_THAT(refused({"--sync-interval=11s"}),
              AllOf(HasSubstr("--sync-interval=11s"), HasSubstr("--sync-interval-cap=10s")));
  EXPECT_THAT(refused({"--service-account-token-path=/nonexistent/t"}), HasSubstr("No such file"));
  EXPECT_THAT(refused({"--server-count-source=min"}), HasSubstr("want default or max"));
  EXPECT_THAT(refused({"--xfr-channel-size=-1"}), HasSubstr("greater than 0"));
}

TEST(AgentFlags, take_the_old_name_of_the_selector) {
  EXPECT_EQ(accepted({"--lease-label=a=b"}).leases.label_selector, "a=b");
  EXPECT_EQ(
      accepted({"--lease-label=a=b", "--lease-label-selector=c in (d)"}).leases.label_selector,
      "c in (d)");
}

TEST(AgentFlags, never_ping_more_often_than_servers_allow) {
  EXPECT_EQ(accepted({"--keepalive-time=1s"}).keepalive, 10s);
}

/// Every flag of the reference at version 0.36, with its default, as its test runner passes them.
TEST(AgentFlags, accept_every_flag_of_the_reference_with_its_default) {
  accepted({"--add-dir-header=false",
            "--admin-bind-address=127.0.0.1",
            "--admin-server-port=8094",
            "--agent-cert=",
            "--agent-id=x",
            "--agent-identifiers=",
            "--agent-key=",
            "--alpn-proto=[]",
            "--alsologtostderr=false",
            "--alsologtostderrthreshold=0",
            "--count-server-leases=false",
            "--enable-contention-profiling=false",
            "--enable-profiling=false",
            "--health-server-host=",
            "--health-server-port=8093",
            "--keepalive-time=1h0m0s",
            "--kube-api-content-type=application/vnd.kubernetes.protobuf",
            "--kubeconfig=",
            "--lease-label=k8s-app=konnectivity-server",
            "--lease-label-selector=k8s-app=konnectivity-server",
            "--lease-namespace=kube-system",
            "--legacy-stderr-threshold-behavior=true",
            "--log-backtrace-at=:0",
            "--log-dir=",
            "--log-file=",
            "--log-file-max-size=1800",
            "--logtostderr=true",
            "--one-output=false",
            "--probe-interval=1s",
            "--proxy-server-host=127.0.0.1",
            "--proxy-server-port=8091",
            "--server-count-source=default",
            "--service-account-token-path=",
            "--skip-headers=false",
            "--skip-log-headers=false",
            "--stderrthreshold=2",
            "--sync-forever=false",
            "--sync-interval=1s",
            "--sync-interval-cap=10s",
            "--v=4",
            "--vmodule=",
            "--warn-on-channel-limit=false",
            "--xfr-channel-size=150"});
}

TEST(AgentFlags, say_where_connections_may_go) {
  EXPECT_TRUE(accepted().destinations.empty());
  const auto rules =
      accepted({"--allow-destination=*.svc:443,10.0.0.0/8", "--deny-destination=10.0.0.1"})
          .destinations;
  EXPECT_TRUE(rules.check_target({"a.svc", 443}));
  EXPECT_FALSE(rules.check_target({"10.0.0.1", 443}));
  EXPECT_FALSE(rules.check_target({"192.168.0.1", 443}));
  EXPECT_THAT(refused({"--allow-destination=10.0.*"}),
              AllOf(HasSubstr("invalid --allow-destination=10.0.*"), HasSubstr("10.0.0.0/8")));
  EXPECT_THAT(refused({"--deny-destination=a:b"}), HasSubstr("invalid --deny-destination=a:b"));
}

}  // namespace
}  // namespace cli
