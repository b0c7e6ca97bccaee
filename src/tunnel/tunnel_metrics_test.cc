#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tunnel/agent_metrics.h"
#include "tunnel/server_metrics.h"

namespace tunnel {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

/// The lines of an exposition that are samples of konnectivity, without their common prefix.
std::vector<std::string> samples(const metrics::Registry& registry, std::string_view prefix) {
  std::vector<std::string> lines;
  const std::string text = registry.expose();
  for (std::string_view rest = text; !rest.empty();) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    if (rest.starts_with(prefix))
      lines.emplace_back(rest.substr(prefix.size(), end - prefix.size()));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return lines;
}

class ServerMetricsTest : public ::testing::Test {
 protected:
  std::vector<std::string> exposed() const {
    return samples(registry_, "konnectivity_network_proxy_server_");
  }

  metrics::Registry registry_;
  const std::vector<Strategy> strategies_ = {Strategy::dest_host, Strategy::any};
  ServerMetrics metrics_{registry_, strategies_};
};

TEST_F(ServerMetricsTest, start_with_the_reference_s_zeros_and_nothing_else) {
  EXPECT_THAT(exposed(), UnorderedElementsAre("http_connections 0", "culled_leases_count 0",
                                              "ready_backend_connections 0",
                                              "ready_backends{proxy_strategy=\"default\"} 0",
                                              "ready_backends{proxy_strategy=\"destHost\"} 0"));
}

TEST_F(ServerMetricsTest, name_failures_as_the_reference_does) {
  metrics_.dial_failed(DialFailure::no_agent);
  metrics_.dial_failed(DialFailure::frontend_close);
  metrics_.dial_failed(DialFailure::frontend_close);
  EXPECT_THAT(
      registry_.expose(),
      HasSubstr(
          "# HELP konnectivity_network_proxy_server_dial_failure_count Number of dial failures "
          "observed. "
          "Multiple failures can occur for a single dial request.\n"
          "# TYPE konnectivity_network_proxy_server_dial_failure_count counter\n"
          "konnectivity_network_proxy_server_dial_failure_count{reason=\"frontend_close\"} 2\n"
          "konnectivity_network_proxy_server_dial_failure_count{reason=\"no_agent\"} 1\n"));
}

TEST_F(ServerMetricsTest, count_packets_and_errors_by_segment_and_type) {
  metrics_.packets.count(Segment::from_client, PacketType::dial_request);
  metrics_.packets.count(Segment::to_agent, PacketType::drain);
  metrics_.packets.count(Segment::to_agent, static_cast<PacketType>(-1));
  metrics_.packets.count(Segment::to_agent, static_cast<PacketType>(7));
  metrics_.packets.error(Segment::from_agent, "Canceled", std::nullopt);
  metrics_.packets.error(Segment::to_agent, "Unavailable", PacketType::data);
  const auto lines = exposed();
  EXPECT_THAT(
      lines,
      ::testing::IsSupersetOf({
          R"(stream_packets_total{packet_type="DIAL_REQ",segment="from_client"} 1)",
          R"(stream_packets_total{packet_type="DRAIN",segment="to_agent"} 1)",
          R"(stream_packets_total{packet_type="Unknown",segment="to_agent"} 2)",
          R"(stream_errors_total{code="Canceled",packet_type="Unknown",segment="from_agent"} 1)",
          R"(stream_errors_total{code="Unavailable",packet_type="DATA",segment="to_agent"} 1)",
      }));
}

TEST_F(ServerMetricsTest, keep_the_deprecated_gauge_at_the_last_strategy_that_changed) {
  metrics_.set_ready_backends(Strategy::any, 3);
  metrics_.set_ready_backends(Strategy::dest_host, 7);
  EXPECT_THAT(exposed(),
              ::testing::IsSupersetOf({"ready_backend_connections 7",
                                       "ready_backends{proxy_strategy=\"default\"} 3",
                                       "ready_backends{proxy_strategy=\"destHost\"} 7"}));
}

TEST_F(ServerMetricsTest, have_the_reference_s_buckets) {
  metrics_.dial_duration.observe(.01);
  metrics_.connection_duration.observe(100);
  metrics_.lease_listed("200", "", .001);
  const auto lines = exposed();
  EXPECT_THAT(lines, ::testing::IsSupersetOf({
                         R"(dial_duration_seconds_bucket{le="1e-06"} 0)",
                         R"(dial_duration_seconds_bucket{le="0.025"} 1)",
                         R"(dial_duration_seconds_bucket{le="12.5"} 1)",
                         R"(connection_duration_seconds_bucket{le="60"} 0)",
                         R"(connection_duration_seconds_bucket{le="86400"} 1)",
                         R"(lease_list_total{http_status_code="200",reason=""} 1)",
                         R"(lease_list_latency_seconds_bucket{http_status_code="200",le="10"} 1)",
                     }));
}

TEST_F(ServerMetricsTest, tell_streams_and_full_queues_by_method) {
  metrics_.open_streams(ServiceMethod::proxy).add();
  metrics_.open_streams(ServiceMethod::connect).add(2);
  metrics_.full_channels(ServiceMethod::proxy).add();
  metrics_.full_channels(ServiceMethod::proxy).subtract();
  EXPECT_THAT(exposed(),
              ::testing::IsSupersetOf({R"(grpc_connections{service_method="Proxy"} 1)",
                                       R"(grpc_connections{service_method="Connect"} 2)",
                                       R"(full_receive_channels{service_method="Proxy"} 0)"}));
}

TEST_F(ServerMetricsTest, tell_traffic_by_agent) {
  AgentTraffic traffic = metrics_.traffic_of("c1");
  traffic.dials.add();
  traffic.bytes_from_agent.add(100);
  metrics_.traffic_of("c1").bytes_from_agent.add(1);
  metrics_.agent_dial_failed("c1", "refused");
  metrics_.connection_closed("client");
  EXPECT_THAT(exposed(),
              ::testing::IsSupersetOf({R"(bytes_total{agent_id="c1",direction="from_agent"} 101)",
                                       R"(dials_total{agent_id="c1"} 1)",
                                       R"(dial_errors_total{agent_id="c1",reason="refused"} 1)",
                                       R"(connections_closed_total{reason="client"} 1)"}));
}

class AgentMetricsTest : public ::testing::Test {
 protected:
  std::vector<std::string> exposed() const {
    return samples(registry_, "konnectivity_network_proxy_agent_");
  }

  metrics::Registry registry_;
  AgentMetrics metrics_{registry_};
};

TEST_F(AgentMetricsTest, start_with_the_known_servers_alone) {
  EXPECT_THAT(exposed(), UnorderedElementsAre("known_server_count 0"));
}

TEST_F(AgentMetricsTest, have_the_reference_s_names_and_texts) {
  metrics_.endpoint_dial_failed(true);
  metrics_.endpoint_dial_failed(false);
  metrics_.open_endpoint_connections.add();
  metrics_.open_server_connections.set(1);
  metrics_.server_failed(ServerDirection::from_server);
  const std::string text = registry_.expose();
  EXPECT_THAT(
      text,
      AllOf(HasSubstr(
                "endpoint_dial_failure_total Number of failures dialing the remote endpoint, by "
                "reason (example: timeout).\n"),
            HasSubstr("open_endpoint_connections Current number of open endpoint connections.\n")));
  EXPECT_THAT(exposed(), ::testing::IsSupersetOf(
                             {R"(endpoint_dial_failure_total{reason="timeout"} 1)",
                              R"(endpoint_dial_failure_total{reason="unknown"} 1)",
                              "open_endpoint_connections 1", "open_server_connections 1",
                              R"(server_connection_failure_count{direction="from_server"} 1)"}));
}

TEST_F(AgentMetricsTest, tell_lists_from_watches_and_count_bytes) {
  metrics_.lease_listed("200", "", .2);
  metrics_.lease_watched("200", "");
  metrics_.bytes_to_target.add(5);
  EXPECT_THAT(exposed(),
              ::testing::IsSupersetOf({
                  R"(lease_lists_total{http_response_code="200",reason=""} 1)",
                  R"(lease_watches_total{http_response_code="200",reason=""} 1)",
                  R"(lease_list_latency_seconds_bucket{http_response_code="200",le="0.5"} 1)",
                  R"(bytes_total{direction="to_target"} 5)",
              }));
}

}  // namespace
}  // namespace tunnel
