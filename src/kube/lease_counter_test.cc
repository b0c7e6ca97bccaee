#include "kube/lease_counter.h"

#include "kube/lease.h"
#include "kube/testing/fixture.h"

namespace kube {
namespace {

using std::chrono::seconds;

constexpr const char* kCollection = "/apis/coordination.k8s.io/v1/namespaces/ns/leases";

class LeaseCounterTest : public testing::FakeApiTest {
 protected:
  LeaseCounterTest()
      : counter_(loop_, *client_, "ns", *LabelSelector::parse("app in (server)"), nullptr) {}

  void put(const char* name, const char* app = "server") {
    server_.put(kCollection, new_lease({.name = name, .holder = name, .labels = {{"app", app}}},
                                       clock_.wall_now()));
  }
  bool counts(unsigned wanted) {
    return eventually([&] { return counter_.synced() && counter_.count() == wanted; });
  }
  void stop() { await(counter_.stop()); }

  LeaseCounter counter_;
};

TEST_F(LeaseCounterTest, is_one_before_anything_is_known) { EXPECT_EQ(counter_.count(), 1); }

TEST_F(LeaseCounterTest, counts_what_the_selector_matches_and_follows_changes) {
  put("a");
  put("b");
  put("c", "other");
  counter_.start();
  EXPECT_TRUE(counts(2));
  ASSERT_TRUE(eventually([&] { return server_.open_watches() == 1; }));
  put("d");
  EXPECT_TRUE(counts(3));
  put("d", "other");
  EXPECT_TRUE(counts(2));
  server_.erase(std::string(kCollection) + "/a");
  EXPECT_TRUE(counts(1));
  stop();
}

TEST_F(LeaseCounterTest, leases_expire_by_time_alone_and_none_counts_as_one) {
  put("a");
  put("b");
  counter_.start();
  ASSERT_TRUE(counts(2));
  clock_.advance(seconds(29));
  EXPECT_EQ(counter_.count(), 2);
  clock_.advance(seconds(1));
  EXPECT_EQ(counter_.count(), 1);
  stop();
}

TEST_F(LeaseCounterTest, lease_without_duration_is_not_counted) {
  put("a");
  put("b");
  auto crippled = *server_.find(std::string(kCollection) + "/b");
  crippled["spec"].as_object().erase("leaseDurationSeconds");
  server_.put(kCollection, crippled);
  put("c");
  counter_.start();
  EXPECT_TRUE(counts(2));
  stop();
}

TEST_F(LeaseCounterTest, keeps_the_last_count_while_the_api_server_cannot_be_asked) {
  put("a");
  put("b");
  counter_.start();
  ASSERT_TRUE(counts(2));
  ASSERT_TRUE(eventually([&] { return server_.open_watches() == 1; }));
  const auto seen = server_.requests().size();
  for (int i = 0; i < 100; ++i) server_.answer_next({.status = 500, .reason = "InternalError"});
  server_.cut_connections();
  ASSERT_TRUE(eventually([&] { return server_.requests().size() > seen + 1; }));
  clock_.advance(seconds(60));
  EXPECT_EQ(counter_.count(), 2);
  stop();
}

}  // namespace
}  // namespace kube
