#include "app/admin.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "async/testing/run.h"

namespace app {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

class Admin : public ::testing::Test {
 protected:
  static http::ServerResponse get(const http::Routes& routes, std::string path,
                                  std::string query = "", std::string host = "") {
    return routes.answer({.method = "GET",
                          .path = std::move(path),
                          .query = std::move(query),
                          .host = std::move(host)});
  }
  ReadyCheck ready() {
    return [this] { return ready_; };
  }

  static async::Task<std::string> page(std::size_t connections) {
    co_return fmt::format("{} connections", connections);
  }
  static StatusSource status() { return page; }
  std::string status_body(std::string query) {
    const auto routes = server_admin_routes(registry_, {}, status());
    auto response = async::testing::run(
        loop_, routes.serve({.method = "GET", .path = "/status", .query = std::move(query)}));
    EXPECT_EQ(response->content_type, "application/json");
    return response->body;
  }

  http::ServerResponse await(const http::Routes& routes, std::string path, std::string query = "") {
    return *async::testing::run(
        loop_, routes.serve({.method = "GET", .path = std::move(path), .query = std::move(query)}));
  }
  /// The answer to /readyz?wait, with `happening` once it waits.
  template <typename Function>
  http::ServerResponse while_waiting(Function happening, const http::Routes& routes) {
    async::asio::post(loop_, [this, happening] { async::asio::post(loop_, happening); });
    return await(routes, "/readyz", "wait");
  }

  async::Loop loop_;
  async::ManualClock clock_{loop_.get_executor()};
  metrics::Registry registry_;
  bool ready_ = false;
};

TEST_F(Admin, tells_the_status_with_as_many_connections_as_wanted) {
  EXPECT_EQ(status_body(""), "0 connections");
  EXPECT_EQ(status_body("connections=20"), "20 connections");
  EXPECT_EQ(status_body("connections=x"), "0 connections");
  EXPECT_EQ(status_body("connections=99999999"), "10000 connections");
}

TEST_F(Admin, tells_the_health_of_the_server) {
  const auto routes = server_health_routes(registry_, ready());
  EXPECT_EQ(get(routes, "/healthz").body, "ok");
  for (const char* path : {"/readyz", "/ready"}) {
    ready_ = false;
    EXPECT_EQ(get(routes, path).status, 500U);
    EXPECT_EQ(get(routes, path).body, "no connection to any proxy agent");
    ready_ = true;
    EXPECT_EQ(get(routes, path).status, 200U);
    EXPECT_EQ(get(routes, path, "verbose").body, "ok");
  }
  EXPECT_EQ(get(routes, "/livez").status, 404U);
}

TEST_F(Admin, tells_the_health_of_the_agent) {
  const auto routes = agent_health_routes(registry_, clock_, ready());
  EXPECT_EQ(get(routes, "/healthz").body, "ok");
  EXPECT_EQ(await(routes, "/readyz").status, 503U);
  EXPECT_EQ(await(routes, "/ready").body,
            "[+]ping ok\n[-]server-connected failed: no servers connected\n");
  ready_ = true;
  EXPECT_EQ(await(routes, "/readyz").body, "ok");
  EXPECT_EQ(await(routes, "/readyz", "verbose").body,
            "[+]ping ok\n[+]server-connected ok\ncheck passed\n");
  EXPECT_EQ(await(routes, "/readyz", "wait").body, "ok");
}

TEST_F(Admin, waits_until_the_agent_is_ready_where_that_is_wanted) {
  const auto routes = agent_health_routes(registry_, clock_, ready());
  const auto become_ready = [this] {
    clock_.advance(std::chrono::milliseconds(700));
    ready_ = true;
    clock_.advance(std::chrono::milliseconds(20));
  };
  EXPECT_EQ(while_waiting(become_ready, routes).body, "ok");
}

TEST_F(Admin, waits_for_the_agent_less_than_a_second) {
  const auto routes = agent_health_routes(registry_, clock_, ready());
  const auto stay = [this] { clock_.advance(std::chrono::milliseconds(900)); };
  EXPECT_EQ(while_waiting(stay, routes).status, 503U);
}

TEST_F(Admin, exposes_metrics_on_both_ports_of_the_server_and_the_health_port_of_the_agent) {
  registry_.counter("events_total", "Events.").add();
  for (const auto& routes :
       {server_health_routes(registry_, ready()), server_admin_routes(registry_, {}, status()),
        agent_health_routes(registry_, clock_, ready())}) {
    const auto response = get(routes, "/metrics");
    EXPECT_EQ(response.content_type, "text/plain; version=0.0.4; charset=utf-8");
    EXPECT_THAT(response.body, HasSubstr("\nevents_total 1\n"));
  }
}

TEST_F(Admin, sends_those_who_want_the_agent_s_metrics_to_the_health_port) {
  const auto routes = agent_admin_routes(8093, {});
  const auto location = [&](std::string host, std::string query = "") {
    const auto response = get(routes, "/metrics", std::move(query), std::move(host));
    EXPECT_EQ(response.status, 301U);
    return response.fields.at(0).second;
  };
  EXPECT_EQ(location("a.example:8094"), "//a.example:8093/metrics");
  EXPECT_EQ(location("a.example", "x=1"), "//a.example:8093/metrics?x=1");
  EXPECT_EQ(location("[::1]:8094"), "//[::1]:8093/metrics");
  EXPECT_EQ(location("[::1]"), "//[::1]:8093/metrics");
}

TEST_F(Admin, serves_profiling_only_when_asked) {
  EXPECT_EQ(get(server_admin_routes(registry_, {}, status()), "/debug/pprof/").status, 404U);
  for (const auto& routes : {server_admin_routes(registry_, {.enabled = true}, status()),
                             agent_admin_routes(8093, {.enabled = true})}) {
    EXPECT_THAT(get(routes, "/debug/pprof").fields, ElementsAre(Pair("Location", "/debug/pprof/")));
    EXPECT_THAT(get(routes, "/debug/pprof/").body, HasSubstr("perf record"));
    EXPECT_EQ(get(routes, "/debug/pprof/profile").status, 501U);
    EXPECT_EQ(get(routes, "/debug/pprof/heap").status, 404U);
  }
}

}  // namespace
}  // namespace app
