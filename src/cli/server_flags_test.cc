#include "cli/server_flags.h"

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

base::Result<app::TunnelServerConfig> configure(const Arguments& arguments,
                                                const std::string& environment = "") {
  ServerFlags flags;
  auto parsed = flags.table().parse(arguments);
  if (!parsed) return base::fail(parsed.error());
  return flags.config(environment);
}

/// The least that makes a server with a TCP frontend, and `more`.
Arguments with_tls(const Arguments& more = {}) {
  Arguments arguments = {
      "--server-cert=" + testing::file("s.crt"), "--server-key=" + testing::file("s.key"),
      "--server-ca-cert=" + testing::file("s.ca"), "--cluster-cert=" + testing::file("c.crt"),
      "--cluster-key=" + testing::file("c.key")};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

app::TunnelServerConfig accepted(const Arguments& more = {}, const std::string& environment = "") {
  auto config = configure(with_tls(more), environment);
  EXPECT_TRUE(config) << config.error().message;
  return config.value_or(app::TunnelServerConfig{});
}

std::string refused(const Arguments& more) {
  auto config = configure(with_tls(more));
  return config ? "accepted" : config.error().message;
}

TEST(ServerFlags, have_the_reference_s_defaults) {
  const auto config = accepted();
  EXPECT_EQ(config.mode, tunnel::FrontendMode::grpc);
  EXPECT_EQ(config.frontend, (app::ListenAddress{"", 8090}));
  EXPECT_EQ(config.agents, (app::ListenAddress{"", 8091}));
  EXPECT_EQ(config.health, (app::ListenAddress{"", 8092}));
  EXPECT_EQ(config.admin, (app::ListenAddress{"127.0.0.1", 8095}));
  EXPECT_EQ(config.keepalive, 1h);
  EXPECT_EQ(config.dial_timeout, 0s);
  EXPECT_TRUE(config.replace_unix_socket);
  EXPECT_THAT(config.strategies, ElementsAre(tunnel::Strategy::any));
  EXPECT_EQ(config.receive_queue, 10);
  EXPECT_EQ(config.tls_minimum, net::TlsVersion::v1_2);
  EXPECT_FALSE(config.authentication);
  EXPECT_THAT(config.server_id, SizeIs(36));
}

TEST(ServerFlags, take_the_identity_from_the_flag_then_the_environment) {
  EXPECT_EQ(accepted({}, "env").server_id, "env");
  EXPECT_EQ(accepted({"--server-id=flag"}, "env").server_id, "flag");
  EXPECT_EQ(accepted({"--server-id="}, "env").server_id, "env");
  EXPECT_NE(accepted().server_id, accepted().server_id);
}

TEST(ServerFlags, make_a_frontend_on_a_unix_socket) {
  const auto config = configure({"--uds-name=/run/x.sock", "--server-port=0",
                                 "--cluster-cert=" + testing::file("c.crt"),
                                 "--cluster-key=" + testing::file("c.key"), "--mode=http-connect"});
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->unix_socket, "/run/x.sock");
  EXPECT_EQ(config->frontend.port, 0);
  EXPECT_EQ(config->mode, tunnel::FrontendMode::http_connect);
}

TEST(ServerFlags, refuse_tls_and_ports_beside_a_unix_socket) {
  EXPECT_THAT(refused({"--uds-name=/x"}),
              AllOf(HasSubstr("--server-port=8090"), HasSubstr("must be 0")));
  EXPECT_THAT(refused({"--uds-name=/x", "--server-port=0"}),
              HasSubstr("must not be set with --uds-name"));
}

TEST(ServerFlags, name_the_flag_the_value_and_the_rule) {
  EXPECT_EQ(refused({"--mode=foo"}), "invalid --mode=foo: want grpc or http-connect");
  EXPECT_THAT(refused({"--server-port=50000"}),
              AllOf(HasSubstr("--server-port=50000"), HasSubstr("ephemeral")));
  EXPECT_THAT(refused({"--agent-port=80"}),
              AllOf(HasSubstr("--agent-port=80"), HasSubstr("reserved")));
  EXPECT_THAT(refused({"--admin-port=-1"}), HasSubstr("--admin-port=-1"));
  EXPECT_THAT(refused({"--health-port=0"}), HasSubstr("1024..49151"));
  EXPECT_THAT(refused({"--xfr-channel-size=0"}),
              HasSubstr("--xfr-channel-size=0: must be greater than 0"));
  EXPECT_THAT(refused({"--backend-dial-timeout=-1s"}),
              HasSubstr("--backend-dial-timeout=-1s: must be >= 0"));
  EXPECT_THAT(refused({"--graceful-shutdown-timeout=-1s"}), HasSubstr("must be >= 0"));
  EXPECT_THAT(refused({"--enable-contention-profiling"}),
              HasSubstr("--enable-profiling must also be set"));
  EXPECT_THAT(refused({"--proxy-strategies=default,foo"}), HasSubstr("unknown strategy \"foo\""));
  EXPECT_THAT(refused({"--proxy-strategies=,"}), HasSubstr("--proxy-strategies"));
  EXPECT_THAT(refused({"--tls-min-version=1.2"}), HasSubstr("VersionTLS12"));
  EXPECT_THAT(refused({"--cipher-suites=TLS_RSA_WITH_RC4_128_SHA"}), HasSubstr("insecure"));
  EXPECT_THAT(refused({"--lease-label="}), HasSubstr("--lease-label"));
  EXPECT_THAT(refused({"--log-format=xml"}), HasSubstr("want text or json"));
}

TEST(ServerFlags, want_certificates_in_pairs_and_readable) {
  EXPECT_THAT(refused({"--server-cert="}),
              AllOf(HasSubstr("--server-key="), HasSubstr("set --server-cert as well")));
  EXPECT_THAT(refused({"--cluster-key="}), HasSubstr("set --cluster-key as well"));
  EXPECT_THAT(refused({"--server-ca-cert="}),
              AllOf(HasSubstr("--server-ca-cert"), HasSubstr("--uds-name")));
  EXPECT_THAT(refused({"--cluster-ca-cert=/nonexistent/ca"}),
              AllOf(HasSubstr("--cluster-ca-cert=/nonexistent/ca"), HasSubstr("No such file")));
  EXPECT_THAT(refused({"--kubeconfig=/nonexistent/k"}), HasSubstr("--kubeconfig=/nonexistent/k"));
}

TEST(ServerFlags, want_all_three_for_authentication_by_token) {
  EXPECT_THAT(refused({"--agent-namespace=ns"}), HasSubstr("--agent-service-account"));
  EXPECT_THAT(refused({"--authentication-audience=a", "--agent-service-account=b"}),
              HasSubstr("--agent-namespace"));
  const Arguments all = {"--agent-namespace=ns", "--agent-service-account=sa",
                         "--authentication-audience=aud"};
  const auto config = accepted(all);
  ASSERT_TRUE(config.authentication);
  EXPECT_EQ(config.authentication->service_account, "sa");
  Arguments with_ca = all;
  with_ca.push_back("--cluster-ca-cert=" + testing::file("c.ca"));
  EXPECT_THAT(refused(with_ca), HasSubstr("--cluster-ca-cert"));
}

TEST(ServerFlags, map_cipher_suites_to_openssl) {
  const auto config =
      accepted({"--cipher-suites=TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,TLS_AES_128_GCM_SHA256",
                "--cipher-suites=TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"});
  EXPECT_THAT(config.cipher_suites,
              ElementsAre("ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-ECDSA-CHACHA20-POLY1305"));
  EXPECT_EQ(config.tls_minimum, net::TlsVersion::v1_2);
}

TEST(ServerFlags, leave_only_tls13_when_no_suite_of_tls12_is_named) {
  const auto config = accepted({"--cipher-suites=TLS_AES_128_GCM_SHA256"});
  EXPECT_THAT(config.cipher_suites, IsEmpty());
  EXPECT_EQ(config.tls_minimum, net::TlsVersion::v1_3);
}

TEST(ServerFlags, read_strategies_and_labels) {
  const auto config =
      accepted({"--proxy-strategies=destHost,,default", "--lease-label= a = b ,c=d"});
  EXPECT_THAT(config.strategies, ElementsAre(tunnel::Strategy::dest_host, tunnel::Strategy::any));
  EXPECT_EQ(config.leases.labels, (std::map<std::string, std::string>{{"a", "b"}, {"c", "d"}}));
}

TEST(ServerFlags, bound_memory_sensibly) {
  EXPECT_EQ(accepted({"--memory-limit=64Mi"}).memory.process, std::size_t{64} << 20);
  EXPECT_THAT(refused({"--memory-limit=1Mi"}), HasSubstr("--connection-buffer-limit=4Mi"));
  EXPECT_THAT(refused({"--connection-buffer-limit=1"}), HasSubstr("at least 64Ki"));
}

TEST(ServerFlags, map_verbosity_to_levels) {
  const auto quiet = accepted({"-v=0"}).log;
  EXPECT_EQ(quiet.sink.level, base::log::Level::info);
  EXPECT_FALSE(quiet.access_log);
  EXPECT_TRUE(accepted().log.access_log);
  EXPECT_FALSE(accepted({"--access-log=false"}).log.access_log);
  EXPECT_EQ(accepted({"-v", "5"}).log.sink.level, base::log::Level::debug);
}

TEST(ServerFlags, log_to_a_file_only_when_not_to_standard_error) {
  EXPECT_EQ(
      accepted({"--log-file=/x", "--logtostderr=true", "--log-file-max-size=0"}).log.sink.file, "");
  const auto to_file =
      accepted({"--log-file=/x", "--logtostderr=false", "--log-file-max-size=2"}).log.sink;
  EXPECT_EQ(to_file.file, "/x");
  EXPECT_EQ(to_file.max_file_bytes, std::size_t{2} << 20);
  EXPECT_EQ(accepted({"--logtostderr=false", "--log-dir=/d"}).log.sink.file, "/d/proxy-server.log");
}

TEST(ServerFlags, list_what_was_changed) {
  EXPECT_THAT(accepted({"--mode=http-connect", "--agent-port=8091"}).listing,
              AllOf(HasSubstr("--mode=http-connect"), ::testing::Not(HasSubstr("--agent-port"))));
}

/// Every flag of the reference at version 0.36, with its default, as its test runner passes them.
TEST(ServerFlags, accept_every_flag_of_the_reference_with_its_default) {
  accepted({"--add-dir-header=false",
            "--admin-bind-address=127.0.0.1",
            "--admin-port=8095",
            "--agent-bind-address=",
            "--agent-namespace=",
            "--agent-port=8091",
            "--agent-service-account=",
            "--alsologtostderr=false",
            "--alsologtostderrthreshold=0",
            "--authentication-audience=",
            "--backend-dial-timeout=0s",
            "--cipher-suites=",
            "--cluster-ca-cert=",
            "--delete-existing-uds-file=true",
            "--enable-contention-profiling=false",
            "--enable-lease-controller=false",
            "--enable-profiling=false",
            "--frontend-keepalive-time=1h0m0s",
            "--graceful-shutdown-timeout=0s",
            "--health-bind-address=",
            "--health-port=8092",
            "--keepalive-time=1h0m0s",
            "--kube-api-content-type=application/vnd.kubernetes.protobuf",
            "--kubeconfig=",
            "--kubeconfig-burst=0",
            "--kubeconfig-qps=0",
            "--lease-label=k8s-app=konnectivity-server",
            "--lease-namespace=kube-system",
            "--legacy-stderr-threshold-behavior=true",
            "--log-backtrace-at=:0",
            "--log-dir=",
            "--log-file=",
            "--log-file-max-size=1800",
            "--logtostderr=true",
            "--mode=grpc",
            "--one-output=false",
            "--proxy-strategies=default",
            "--server-bind-address=",
            "--server-count=1",
            "--server-id=x",
            "--server-port=8090",
            "--skip-headers=false",
            "--skip-log-headers=false",
            "--stderrthreshold=2",
            "--tls-min-version=",
            "--uds-name=",
            "--v=4",
            "--vmodule=",
            "--warn-on-channel-limit=true",
            "--xfr-channel-size=10"});
}

TEST(ServerFlags, bind_agents_to_their_cluster_when_asked) {
  EXPECT_EQ(accepted().identity.mode(), tunnel::IdentityMode::off);
  const std::string ca = "--cluster-ca-cert=" + testing::file("c.ca");
  EXPECT_EQ(accepted({ca, "--cluster-identity=warn"}).identity.mode(), tunnel::IdentityMode::warn);
  EXPECT_EQ(accepted({ca, "--cluster-identity=enforce", "--proxy-strategies=destHost",
                      "--cluster-identifiers=c1=10.1.*,{cluster}-x"})
                .identity.mode(),
            tunnel::IdentityMode::enforce);
  EXPECT_THAT(refused({ca, "--cluster-identity=on"}), HasSubstr("want off, warn or enforce"));
  EXPECT_THAT(refused({"--cluster-identity=warn"}), HasSubstr("needs --cluster-ca-cert"));
  EXPECT_THAT(refused({ca, "--cluster-identity=enforce"}),
              HasSubstr("set --proxy-strategies=destHost"));
  EXPECT_THAT(refused({"--cluster-identifiers==x"}), HasSubstr("the cluster before '='"));
}

TEST(ServerFlags, take_a_rule_a_flag_commas_and_all) {
  EXPECT_EQ(refused({"--allow-client=cn=a,b", "--allow-client=any; destination=*:443"}),
            "accepted");
  EXPECT_THAT(refused({"--allow-client=cluster=c1"}),
              AllOf(HasSubstr("invalid --allow-client=cluster=c1: it does not say who"),
                    HasSubstr("want WHO; WHERE")));
}

}  // namespace
}  // namespace cli
