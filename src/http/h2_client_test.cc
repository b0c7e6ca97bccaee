#include "http/h2_client.h"

#include <functional>
#include <optional>

#include <gtest/gtest.h>

#include "async/task_group.h"
#include "async/testing/run.h"
#include "http/client.h"
#include "http/testing/h2_server.h"
#include "net/testing/memory_stream.h"

namespace http {
namespace {

using namespace std::chrono_literals;
using async::Task;
using base::Code;
using base::Result;

class H2ClientTest : public ::testing::Test {
 protected:
  using Answered = std::optional<Result<std::string>>;

  ~H2ClientTest() override {
    tasks_.cancel();
    async::TaskGroup last(loop_.get_executor());
    last.spawn("stop", stop());
    EXPECT_TRUE(run_until([&] { return last.empty() && tasks_.empty(); }));
  }
  Task<void> stop() {
    co_await server_.stop();
    co_return Result<void>{};
  }

  bool run_until(const std::function<bool()>& condition) {
    return async::testing::run_until(loop_, condition);
  }
  /// Sends and reads to the end, into `answer`.
  void start(ClientRequest request, Answered& answer) {
    tasks_.spawn("request", keep(exchange(std::move(request)), answer));
  }
  static Task<void> keep(Task<std::string> task, Answered& into) {
    into.emplace(co_await std::move(task));
    co_return Result<void>{};
  }
  Task<std::string> exchange(ClientRequest request) {
    CO_TRY(auto response, co_await client_.send(std::move(request)));
    heads_.push_back(response.head());
    co_return co_await response.read_all(64 << 20);
  }
  Result<std::string> get(const char* path) { return send({.target = path}); }
  Result<std::string> send(ClientRequest request) {
    Answered answer;
    start(std::move(request), answer);
    EXPECT_TRUE(run_until([&] { return answer.has_value(); }));
    return answer ? *answer : base::fail(Code::internal, "no answer");
  }
  /// A response to "/hold", its head read.
  Result<ClientResponse> hold() {
    std::optional<Result<ClientResponse>> response;
    tasks_.spawn("hold", keep_response(client_.send({.target = "/hold"}), response));
    EXPECT_TRUE(run_until([&] { return response.has_value(); }));
    return std::move(*response);
  }
  static Task<void> keep_response(Task<ClientResponse> task,
                                  std::optional<Result<ClientResponse>>& into) {
    into.emplace(co_await std::move(task));
    co_return Result<void>{};
  }
  Result<std::string> read_part(ClientResponse& response) {
    Answered part;
    tasks_.spawn("read", keep(response.read_part(), part));
    EXPECT_TRUE(run_until([&] { return part.has_value(); }));
    return *part;
  }

  async::Loop loop_{1};
  async::ManualClock clock_{loop_.get_executor()};
  testing::H2Server server_{loop_, clock_};
  testing::ClientTls tls_{server_};
  NetConnector connector_{clock_, &tls_, {.origin = server_.origin()}};
  Client client_{clock_, connector_};
  std::vector<ResponseHead> heads_;
  async::TaskGroup tasks_{loop_.get_executor()};
};

TEST_F(H2ClientTest, sends_head_and_body_and_gives_both_back) {
  const auto answer =
      send({.method = "POST", .target = "/echo", .fields = {{"X-Test", "v"}}, .body = "data"});
  EXPECT_EQ(answer, "POST v data");
  EXPECT_EQ(heads_[0].status, 200);
  EXPECT_EQ(heads_[0].find("X-Answer"), "yes");
  EXPECT_EQ(get("/missing"), "GET ");
  EXPECT_EQ(heads_[1].status, 404);
}

TEST_F(H2ClientTest, one_connection_carries_requests_that_begin_at_once) {
  std::vector<Answered> answers(30);
  for (auto& answer : answers) start({.target = "/echo"}, answer);
  for (auto& answer : answers) EXPECT_TRUE(run_until([&] { return answer.has_value(); }));
  for (auto& answer : answers) EXPECT_EQ(*answer, "GET ");
  EXPECT_EQ(server_.links.size(), 1);
}

TEST_F(H2ClientTest, server_without_http2_is_spoken_to_in_http1) {
  server_.protocols = {"http/1.1"};
  EXPECT_EQ(get("/x"), "h1");
  EXPECT_EQ(get("/x"), "h1");
  EXPECT_EQ(client_.idle(), 1);
  client_.renew_connections();
  server_.protocols = {"h2"};  // it has learned
  EXPECT_EQ(get("/echo"), "GET ");
  EXPECT_EQ(server_.links.size(), 1);
}

TEST_F(H2ClientTest, response_that_nobody_reads_holds_up_no_other) {
  auto held = hold();
  ASSERT_TRUE(held);
  const std::string filling(5 << 20, 'x');  // more than its window
  server_.say(filling);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(get("/big")->size(), 1 << 20);
  std::size_t seen = 0;
  while (seen < filling.size()) seen += read_part(*held)->size();
  EXPECT_EQ(seen, filling.size());
}

TEST_F(H2ClientTest, abandoned_response_resets_its_stream_only) {
  auto kept = hold();
  {
    auto dropped = hold();
    ASSERT_EQ(server_.held.size(), 2);
  }
  EXPECT_TRUE(run_until([&] { return server_.held.size() == 1; }));
  server_.say("news", true);
  EXPECT_EQ(read_part(*kept), "news");
  EXPECT_EQ(read_part(*kept), "");
  EXPECT_EQ(server_.links.size(), 1);
}

TEST_F(H2ClientTest, cancelled_request_resets_its_stream) {
  async::TaskGroup doomed(loop_.get_executor());
  Answered answer;
  (void)get("/echo");
  doomed.spawn("request", keep(exchange({.target = "/silent"}), answer));
  ASSERT_TRUE(run_until([&] { return server_.asked.size() == 2; }));
  doomed.cancel();
  EXPECT_TRUE(run_until(
      [&] { return doomed.empty() && server_.links[0]->connection.session().streams() == 0; }));
}

TEST_F(H2ClientTest, waits_while_the_server_allows_no_more_streams) {
  server_.max_streams = 2;
  (void)get("/echo");
  auto first = hold();
  auto second = hold();
  Answered third;
  start({.target = "/echo"}, third);
  loop_.restart();
  loop_.poll();
  EXPECT_FALSE(third);
  server_.say("", true);
  EXPECT_EQ(read_part(*first), "");
  EXPECT_TRUE(run_until([&] { return third.has_value(); }));
  EXPECT_EQ(*third, "GET ");
  EXPECT_EQ(server_.links.size(), 1);
}

TEST_F(H2ClientTest, goaway_moves_new_requests_and_lets_running_ones_end) {
  auto held = hold();
  server_.links[0]->connection.session().goaway();
  EXPECT_EQ(get("/echo"), "GET ");
  EXPECT_EQ(get("/echo"), "GET ");
  EXPECT_EQ(server_.links.size(), 2);
  server_.say("the end", true);
  EXPECT_EQ(read_part(*held), "the end");
  EXPECT_EQ(read_part(*held), "");
}

TEST_F(H2ClientTest, what_crosses_a_goaway_is_sent_again_whatever_it_is) {
  (void)get("/echo");
  server_.links[0]->connection.session().goaway();
  EXPECT_EQ(send({.method = "POST", .target = "/echo", .body = "once"}), "POST once");
  EXPECT_EQ(server_.links.size(), 2);
}

TEST_F(H2ClientTest, refused_stream_is_sent_again_whatever_it_is) {
  server_.refusals = 1;
  EXPECT_EQ(send({.method = "POST", .target = "/echo", .body = "x"}), "POST x");
  EXPECT_EQ(server_.asked.size(), 2);
}

TEST_F(H2ClientTest, server_that_refuses_for_good_is_given_up) {
  server_.refusals = 100;
  Answered answer;
  start({.target = "/echo"}, answer);
  EXPECT_TRUE(run_until([&] {
    clock_.advance(100ms);
    return answer.has_value();
  }));
  EXPECT_EQ(answer->error().message, "the server refused the stream");
  EXPECT_EQ(server_.asked.size(), 7);
}

TEST_F(H2ClientTest, lost_connection_repeats_reads_only) {
  (void)get("/echo");
  Answered read, write;
  start({.target = "/silent"}, read);
  start({.method = "POST", .target = "/silent", .body = "x"}, write);
  ASSERT_TRUE(run_until([&] { return server_.asked.size() == 3; }));
  server_.links[0]->connection.close();
  ASSERT_TRUE(run_until([&] { return write.has_value() && server_.asked.size() == 4; }));
  EXPECT_TRUE(write->error().is(Code::closed)) << write->error().message;
  EXPECT_EQ(server_.asked[3], "/silent");
  EXPECT_FALSE(read);
}

TEST_F(H2ClientTest, response_cut_by_a_lost_connection_is_an_error) {
  auto held = hold();
  server_.say("part");
  EXPECT_EQ(read_part(*held), "part");
  server_.links[0]->connection.close();
  const auto rest = read_part(*held);
  ASSERT_FALSE(rest);
  EXPECT_TRUE(rest.error().is(Code::closed)) << rest.error().message;
}

TEST_F(H2ClientTest, stream_that_the_server_resets_is_an_error_of_its_own) {
  EXPECT_EQ(get("/reset").error().message, "the server ended the response early (HTTP/2 error 2)");
  EXPECT_EQ(get("/bad").error().message, "malformed HTTP/2 response, or request (PROTOCOL_ERROR)");
  EXPECT_EQ(get("/echo"), "GET ");
  EXPECT_EQ(server_.links.size(), 1);
}

TEST_F(H2ClientTest, silent_peer_is_pinged_and_then_given_up) {
  net::testing::Cable cable(loop_.get_executor());
  const auto client = H2Client::start(loop_.get_executor(), clock_, cable.first(), {});
  testing::H2Link peer(loop_, server_, cable.second());
  tasks_.spawn("peer", peer.connection.run());
  const auto pass = [&](async::Duration time) {
    clock_.advance(time);
    loop_.restart();
    loop_.poll();
  };
  loop_.poll();
  pass(30s);  // the ping is answered
  pass(15s);
  pass(30s);
  pass(15s);
  EXPECT_TRUE(client->accepting());
  cable.freeze();
  pass(30s);
  EXPECT_TRUE(client->accepting());
  pass(15s);
  EXPECT_FALSE(client->accepting());
  cable.thaw();
  EXPECT_TRUE(run_until([&] { return tasks_.empty(); }));
}

TEST_F(H2ClientTest, renewed_connections_leave_running_responses_alone) {
  auto held = hold();
  client_.renew_connections();
  EXPECT_EQ(get("/echo"), "GET ");
  EXPECT_EQ(server_.links.size(), 2);
  server_.say("still here", true);
  EXPECT_EQ(read_part(*held), "still here");
  EXPECT_TRUE(run_until([&] { return server_.links[0]->connection.session().finished(); }));
}

TEST_F(H2ClientTest, all_that_wait_for_the_first_connection_hear_that_it_failed) {
  tls_.options.trusted_ca_pem = net::testing::Authority().certificate_pem();
  std::vector<Answered> answers(5);
  for (auto& answer : answers) start({.target = "/echo"}, answer);
  for (auto& answer : answers) EXPECT_TRUE(run_until([&] { return answer.has_value(); }));
  for (auto& answer : answers) EXPECT_TRUE(answer->error().is(Code::unauthenticated));
}

TEST_F(H2ClientTest, who_waits_dials_when_the_first_one_gave_up) {
  async::TaskGroup doomed(loop_.get_executor());
  Answered first, second;
  doomed.spawn("request", keep(exchange({.target = "/echo"}), first));
  loop_.restart();
  loop_.poll();
  start({.target = "/echo"}, second);
  doomed.cancel();
  EXPECT_TRUE(run_until([&] { return second.has_value() && doomed.empty(); }));
  EXPECT_EQ(*second, "GET ");
}

}  // namespace
}  // namespace http
