#include "kube/event_recorder.h"

#include "kube/testing/fixture.h"

namespace kube {
namespace {

const ObjectReference kAbout{
    .api_version = "v1", .kind = "Secret", .in_namespace = "ns", .name = "s"};

class EventRecorderTest : public testing::FakeApiTest {
 protected:
  void make(EventRecorder::Options options = {.component = "c", .host = "h"}) {
    recorder_ = std::make_unique<EventRecorder>(loop_, *client_, std::move(options));
  }
  void start() { tasks_.spawn("events", recorder_->run()); }
  void record(const std::string& message) {
    recorder_->record(kAbout, EventType::normal, "Changed", message);
  }
  bool sent(std::size_t requests) {
    return eventually([&] { return server_.requests().size() >= requests; });
  }
  std::string path_of_event() {
    const auto body = parse_json(server_.requests()[0].body);
    return "/api/v1/namespaces/ns/events/" + std::string(name_of(body->as_object()));
  }

  std::unique_ptr<EventRecorder> recorder_;
};

TEST_F(EventRecorderTest, creates_and_then_counts) {
  make();
  start();
  for (int i = 0; i < 3; ++i) record("m");
  ASSERT_TRUE(sent(3));
  EXPECT_EQ(server_.requests()[0].method, "POST");
  EXPECT_EQ(server_.requests()[2].method, "PATCH");
  ASSERT_TRUE(eventually([&] {
    const auto* event = server_.find(path_of_event());
    return event != nullptr && integer_at(*event, "count") == 3;
  }));
}

TEST_F(EventRecorderTest, event_that_expired_is_created_anew_with_its_count) {
  make();
  start();
  record("m");
  ASSERT_TRUE(eventually([&] { return server_.count() == 1; }));
  const auto path = path_of_event();
  server_.erase(path);
  record("m");
  ASSERT_TRUE(eventually([&] { return server_.count() == 1; }));
  EXPECT_EQ(integer_at(*server_.find(path), "count"), 2);
}

TEST_F(EventRecorderTest, waits_out_a_server_that_is_away) {
  make();
  start();
  server_.answer_next({.status = 503, .reason = "ServiceUnavailable"});
  server_.answer_next({.hang_up = true});
  record("m");
  ASSERT_TRUE(eventually([&] { return server_.count() == 1; }));
  EXPECT_GE(server_.requests()[2].at - server_.requests()[0].at, std::chrono::seconds(20));
}

TEST_F(EventRecorderTest, refused_event_is_dropped) {
  make();
  start();
  server_.answer_next({.status = 403, .reason = "Forbidden"});
  record("refused");
  record("taken");
  ASSERT_TRUE(eventually([&] { return server_.count() == 1; }));
  EXPECT_EQ(server_.requests().size(), 2);
}

TEST_F(EventRecorderTest, gives_up_after_so_many_tries) {
  make({.component = "c", .tries = 3});
  start();
  for (int i = 0; i < 4; ++i) server_.answer_next({.status = 500, .reason = "InternalError"});
  record("lost");
  ASSERT_TRUE(sent(3));
  record("next");
  ASSERT_TRUE(eventually([&] { return server_.count() == 1; }));
  EXPECT_EQ(server_.requests().size(), 5);
}

TEST_F(EventRecorderTest, full_queue_drops_what_comes) {
  make({.component = "c", .max_queued = 2});
  for (int i = 0; i < 5; ++i) record(fmt::format("m{}", i));
  EXPECT_EQ(recorder_->queued(), 2);
  start();
  ASSERT_TRUE(eventually([&] { return server_.count() == 2; }));
  EXPECT_EQ(recorder_->queued(), 0);
}

}  // namespace
}  // namespace kube
