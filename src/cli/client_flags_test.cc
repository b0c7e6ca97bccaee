#include "cli/client_flags.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/bench_command.h"
#include "cli/testing/files.h"

namespace cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using tunnel::client::Protocol;

base::Result<app::ClientConfig> parse(std::vector<std::string> arguments) {
  ClientFlags flags;
  FlagSet table;
  flags.add_to(table);
  TRY_VOID(table.parse(arguments));
  return flags.config();
}
std::string error(std::vector<std::string> arguments) {
  const auto config = parse(std::move(arguments));
  return config ? "" : config.error().message;
}

TEST(ClientFlagsOf, a_server_with_tls) {
  const std::string ca = testing::file("ca");
  const auto config = parse({"--server=hub:8090", "--ca-cert=" + ca, "--protocol=grpc"});
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->server, "hub:8090");
  EXPECT_TRUE(config->tls);
  EXPECT_EQ(config->files.ca, ca);
  EXPECT_EQ(config->protocol, Protocol::grpc);
}

TEST(ClientFlagsOf, a_unix_socket_need_no_certificates) {
  for (const char* server : {"--server=/run/x.sock", "--server=unix:/run/x.sock"}) {
    const auto config = parse({server});
    ASSERT_TRUE(config) << config.error().message;
    EXPECT_EQ(config->server, "/run/x.sock");
    EXPECT_FALSE(config->tls);
  }
}

TEST(ClientFlagsOf, nobody_say_what_is_missing_and_where_to_put_it) {
  EXPECT_THAT(error({}), AllOf(HasSubstr("--server=HOST:PORT"), HasSubstr("CLUSTER_PROXY_SERVER")));
  EXPECT_THAT(error({"--server=hub:8090"}),
              AllOf(HasSubstr("--ca-cert is not set"), HasSubstr("--plaintext")));
  EXPECT_EQ(error({"--server=hub:8090", "--plaintext"}), "");
  EXPECT_THAT(error({"--server=hub"}), HasSubstr("invalid --server=hub: want HOST:PORT"));
  EXPECT_THAT(error({"--server=/x", "--protocol=quic"}), HasSubstr("want auto, http1, http2"));
  EXPECT_THAT(error({"--server=/x", "--dial-timeout=0"}), HasSubstr("must be greater than 0"));
  EXPECT_THAT(error({"--server=/x", "--client-key=" + testing::file("key")}),
              HasSubstr("--client-cert"));
}

TEST(ParseBenchTarget, knows_what_can_be_measured_by_how_it_is_written) {
  using Kind = app::BenchPlan::Kind;
  EXPECT_EQ(parse_bench_target("redis:6379")->kind, Kind::any);
  const auto helper = parse_bench_target("bench://node7:5201");
  EXPECT_EQ(helper->kind, Kind::helper);
  EXPECT_EQ(helper->address, "node7:5201");
  const auto http = parse_bench_target("http://nginx/a?b");
  EXPECT_EQ(http->kind, Kind::http);
  EXPECT_EQ(http->address, "nginx:80");
  EXPECT_EQ(http->request, "GET /a?b HTTP/1.1\r\nHost: nginx\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(parse_bench_target("redis").error().message, HasSubstr("want HOST:PORT"));
}

}  // namespace
}  // namespace cli
