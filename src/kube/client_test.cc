#include "kube/client.h"

#include "kube/request.h"
#include "kube/testing/fixture.h"
#include "kube/testing/kubeconfig_file.h"

namespace kube {
namespace {

using std::chrono::seconds;

const Api kLeases({"coordination.k8s.io", "v1", "leases"}, "ns");
constexpr const char* kCollection = "/apis/coordination.k8s.io/v1/namespaces/ns/leases";

json::object named(const char* name) { return {{"metadata", {{"name", name}}}}; }

class KubeClient : public testing::FakeApiTest {};

TEST_F(KubeClient, creates_reads_updates_and_deletes) {
  ASSERT_TRUE(finish(client_->send(kLeases.create(named("a")))));
  const auto read = finish(client_->send(kLeases.get("a")));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(name_of(read->as_object()), "a");
  EXPECT_TRUE(finish(client_->send(kLeases.update(read->as_object()))));
  EXPECT_TRUE(finish(client_->send(kLeases.remove("a"))));
  EXPECT_TRUE(finish(client_->send(kLeases.get("a"))).error().is_not_found());
}

TEST_F(KubeClient, stale_update_is_a_conflict_and_second_create_exists_already) {
  const auto first = finish(client_->send(kLeases.create(named("a"))));
  EXPECT_TRUE(finish(client_->send(kLeases.create(named("a")))).error().is_already_exists());
  ASSERT_TRUE(finish(client_->send(kLeases.update(first->as_object()))));
  const auto stale = finish(client_->send(kLeases.update(first->as_object())));
  EXPECT_TRUE(stale.error().is_conflict());
  EXPECT_EQ(stale.error().http_status, 409);
  EXPECT_EQ(stale.error().reason, "Conflict");
}

TEST_F(KubeClient, delete_with_another_version_is_a_conflict) {
  server_.put(kCollection, named("a"));
  EXPECT_TRUE(
      finish(client_->send(kLeases.remove("a", {.resource_version = "1"}))).error().is_conflict());
}

TEST_F(KubeClient, keeps_one_connection_alive) {
  for (int i = 0; i < 5; ++i) (void)finish(client_->send(kLeases.list()));
  EXPECT_EQ(server_.accepted(), 1);
}

TEST_F(KubeClient, read_survives_a_connection_that_died_idle) {
  (void)finish(client_->send(kLeases.list()));
  server_.cut_connections();
  EXPECT_TRUE(finish(client_->send(kLeases.list())));
  EXPECT_EQ(server_.accepted(), 2);
}

TEST_F(KubeClient, read_is_repeated_when_the_server_hangs_up_on_a_kept_connection) {
  (void)finish(client_->send(kLeases.list()));
  server_.answer_next({.hang_up = true});
  EXPECT_TRUE(finish(client_->send(kLeases.list())));
  EXPECT_EQ(server_.requests().size(), 3);
}

TEST_F(KubeClient, write_is_not_repeated_when_the_server_hangs_up) {
  (void)finish(client_->send(kLeases.list()));
  server_.answer_next({.hang_up = true});
  const auto created = finish(client_->send(kLeases.create(named("a"))));
  ASSERT_FALSE(created);
  EXPECT_TRUE(created.error().is(base::Code::closed)) << created.error().message;
  EXPECT_EQ(server_.requests().size(), 2);
}

TEST_F(KubeClient, waits_as_long_as_retry_after_says) {
  server_.answer_next(
      {.status = 429, .reason = "TooManyRequests", .extra_fields = "Retry-After: 7\r\n"});
  ASSERT_TRUE(finish(client_->send(kLeases.create(named("a")))));
  ASSERT_EQ(server_.requests().size(), 2);
  EXPECT_GE(server_.requests()[1].at - server_.requests()[0].at, seconds(7));
}

TEST_F(KubeClient, gives_up_after_ten_retries) {
  for (int i = 0; i < 20; ++i) {
    server_.answer_next(
        {.status = 503, .reason = "ServiceUnavailable", .extra_fields = "Retry-After: 1\r\n"});
  }
  EXPECT_TRUE(finish(client_->send(kLeases.list())).error().is(base::Code::unavailable));
  EXPECT_EQ(server_.requests().size(), 11);
}

TEST_F(KubeClient, does_not_repeat_without_retry_after) {
  server_.answer_next({.status = 500, .reason = "InternalError"});
  EXPECT_FALSE(finish(client_->send(kLeases.list())));
  EXPECT_EQ(server_.requests().size(), 1);
}

TEST_F(KubeClient, error_names_the_request_and_what_the_server_said) {
  const auto missing = finish(client_->send(kLeases.get("a")));
  EXPECT_EQ(missing.error().message,
            "GET /apis/coordination.k8s.io/v1/namespaces/ns/leases/a: the fake says NotFound (404 "
            "NotFound)");
}

TEST_F(KubeClient, refused_connection_names_the_server) {
  auto config = server_.config();
  config.cluster.server = "http://127.0.0.1:1";
  connect(config);
  const auto refused = finish(client_->send(kLeases.list()));
  EXPECT_TRUE(refused.error().is(base::Code::refused));
  EXPECT_FALSE(refused.error().answered());
  EXPECT_TRUE(refused.error().message.starts_with("http://127.0.0.1:1: "))
      << refused.error().message;
}

TEST_F(KubeClient, silent_server_is_given_up_after_the_limit) {
  auto made =
      Client::make(loop_, clock_, server_.config(), {.qps = 0, .attempt_limit = seconds(5)});
  ASSERT_TRUE(made);
  auto response = finish((*made)->open(kLeases.watch({.resource_version = "100"})));
  ASSERT_TRUE(response);  // the head of a watch comes at once, its body is not limited
  auto listener = net::listen_tcp(loop_, clock_, "127.0.0.1", 0);
  auto config = server_.config();
  config.cluster.server = fmt::format("http://127.0.0.1:{}", (*listener)->port());
  made = Client::make(loop_, clock_, config, {.qps = 0, .attempt_limit = seconds(5)});
  EXPECT_TRUE(finish((*made)->send(kLeases.list())).error().is(base::Code::timeout));
}

TEST_F(KubeClient, sends_its_token_and_reads_it_anew_after_401) {
  const auto path = ::testing::TempDir() + "kube_client_token";
  const auto write = [&](const char* text) {
    std::FILE* file = std::fopen(path.c_str(), "w");
    std::fputs(text, file);
    std::fclose(file);
  };
  write("old\n");
  auto config = server_.config();
  config.user.token.file = path;
  connect(config);
  (void)finish(client_->send(kLeases.list()));
  EXPECT_EQ(server_.requests().back().authorization, "Bearer old");
  server_.answer_next({.status = 401, .reason = "Unauthorized"});
  EXPECT_TRUE(finish(client_->send(kLeases.list())).error().is_unauthenticated());
  write("new\n");
  (void)finish(client_->send(kLeases.list()));
  EXPECT_EQ(server_.requests().back().authorization, "Bearer new");
  std::remove(path.c_str());
  EXPECT_TRUE(finish(client_->send(kLeases.list())));  // the last good token stays in force
  EXPECT_EQ(server_.requests().back().authorization, "Bearer new");
}

TEST_F(KubeClient, exec_plugin_is_asked_again_after_401) {
  const auto path = ::testing::TempDir() + "kube_client_counter";
  auto config = server_.config();
  config.user.exec = ExecPlugin{
      .api_version = "client.authentication.k8s.io/v1",
      .command = "sh",
      .args = {
          "-c",
          "echo x >>" + path + "; n=$(wc -l <" + path +
              "); echo "
              "'{\"kind\":\"ExecCredential\",\"apiVersion\":\"client.authentication.k8s.io/v1\","
              "\"status\":{\"token\":\"t'$n'\"}}'"}};
  connect(config);
  (void)finish(client_->send(kLeases.list()));
  (void)finish(client_->send(kLeases.list()));
  EXPECT_EQ(server_.requests().back().authorization, "Bearer t1");
  server_.answer_next({.status = 401, .reason = "Unauthorized"});
  EXPECT_TRUE(finish(client_->send(kLeases.list())));
  EXPECT_EQ(server_.requests().back().authorization, "Bearer t2");
  std::remove(path.c_str());
}

class FollowedKubeconfig : public testing::FakeApiTest {
 protected:
  FollowedKubeconfig() {
    say("old");
    connect(*load_kubeconfig(file_.path()));
    EXPECT_EQ(token_of_request(), "Bearer old");
  }
  void say(const char* token) { file_.lead_to(server_.config().cluster.server, token); }
  static Task<std::string> part_of(http::ClientResponse& response) {
    auto part = co_await response.read_part();
    if (!part) co_return std::unexpected(Error(part.error()));
    co_return std::move(*part);
  }
  void let_it_look() { clock_.advance(seconds(11)); }
  std::string token_of_request() {
    EXPECT_TRUE(finish(client_->send(kLeases.list())));
    return server_.requests().back().authorization;
  }

  testing::KubeconfigFile file_;
};

TEST_F(FollowedKubeconfig, requests_go_by_what_it_says_now) {
  say("new");
  let_it_look();
  EXPECT_EQ(token_of_request(), "Bearer new");
}

TEST_F(FollowedKubeconfig, the_same_in_other_words_keeps_the_connection) {
  file_.write("# a comment\n");
  say("old");
  let_it_look();
  EXPECT_EQ(token_of_request(), "Bearer old");
  EXPECT_EQ(server_.accepted(), 1);
}

TEST_F(FollowedKubeconfig, text_that_cannot_be_used_changes_nothing) {
  for (const auto* text : {"[", "", "clusters: []"}) {
    file_.write(text);
    let_it_look();
    EXPECT_EQ(token_of_request(), "Bearer old") << text;
  }
  std::filesystem::remove(file_.path());
  let_it_look();
  EXPECT_EQ(token_of_request(), "Bearer old");
  say("new");
  let_it_look();
  EXPECT_EQ(token_of_request(), "Bearer new");
}

TEST_F(FollowedKubeconfig, is_read_at_once_when_the_server_refuses_the_credentials) {
  say("new");
  server_.answer_next({.status = 401, .reason = "Unauthorized"});
  EXPECT_EQ(token_of_request(), "Bearer new");
}

TEST_F(FollowedKubeconfig, what_is_under_way_ends_as_it_began) {
  auto watch = finish(client_->open(kLeases.watch({.resource_version = "100"})));
  ASSERT_TRUE(watch);
  testing::FakeApiServer other(loop_, clock_);
  file_.lead_to(other.config().cluster.server, "new");
  let_it_look();
  ASSERT_TRUE(finish(client_->send(kLeases.list())));
  EXPECT_EQ(other.requests().size(), 1);
  server_.put(kCollection, named("a"));
  auto part = finish(part_of(*watch));
  ASSERT_TRUE(part) << part.error().message;
  EXPECT_TRUE(part->contains(R"("name":"a")")) << *part;
  await(other.stop());
}

TEST_F(KubeClient, limits_its_own_rate) {
  auto made = Client::make(loop_, clock_, server_.config(),
                           {.qps = 5, .burst = 3, .attempt_limit = std::chrono::hours(1)});
  const auto began = clock_.now();
  for (int i = 0; i < 13; ++i) ASSERT_TRUE(finish((*made)->send(kLeases.list())));
  EXPECT_GE(clock_.now() - began, seconds(2));
  EXPECT_EQ(server_.requests()[2].at, server_.requests()[0].at);
}

TEST(RateLimiter, gives_a_burst_then_a_steady_pace) {
  RateLimiter limiter(5, 2);
  const async::TimePoint now{std::chrono::hours(1)};
  EXPECT_EQ(limiter.reserve(now), seconds(0));
  EXPECT_EQ(limiter.reserve(now), seconds(0));
  EXPECT_EQ(limiter.reserve(now), std::chrono::milliseconds(200));
  EXPECT_EQ(limiter.reserve(now), std::chrono::milliseconds(400));
  EXPECT_EQ(limiter.reserve(now + seconds(10)), seconds(0));
  EXPECT_EQ(limiter.reserve(now + seconds(10)), seconds(0));
  EXPECT_GT(limiter.reserve(now + seconds(10)), seconds(0));
}

}  // namespace
}  // namespace kube
