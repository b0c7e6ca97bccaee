#include "kube/lease_controller.h"

#include "kube/testing/fixture.h"

namespace kube {
namespace {

using std::chrono::seconds;

constexpr const char* kCollection = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases";
const std::string kOwn = std::string(kCollection) + "/konnectivity-proxy-server-s1";

class Deletes : public LeaseObserver {
 public:
  void lease_listed(int status, std::string_view reason, async::Duration) override {
    lists.emplace_back(status, reason);
  }
  void lease_deleted(int status, std::string_view reason, async::Duration) override {
    deletes.emplace_back(status, reason);
  }
  void lease_culled() override { ++culled; }

  std::vector<std::pair<int, std::string>> lists;
  std::vector<std::pair<int, std::string>> deletes;
  int culled = 0;
};

class LeaseControllerTest : public testing::FakeApiTest {
 protected:
  LeaseControllerTest()
      : controller_(loop_, *client_,
                    {.claim = {.name = "konnectivity-proxy-server-s1",
                               .in_namespace = "kube-system",
                               .holder = "s1",
                               .labels = {{"k8s-app", "konnectivity-server"}}}},
                    &observer_) {}

  json::object other(const char* name, seconds age) {
    return new_lease({.name = name,
                      .in_namespace = "kube-system",
                      .holder = name,
                      .labels = {{"k8s-app", "konnectivity-server"}}},
                     clock_.wall_now() - age);
  }
  std::string own_renewal() const {
    const auto* lease = server_.find(kOwn);
    return lease != nullptr ? std::string(text_at(object_at(*lease, "spec"), "renewTime")) : "";
  }

  Deletes observer_;
  LeaseController controller_;
};

TEST_F(LeaseControllerTest, creates_its_lease_and_renews_it_on_time) {
  controller_.start();
  ASSERT_TRUE(eventually([&] { return server_.find(kOwn) != nullptr; }));
  const auto& spec = object_at(*server_.find(kOwn), "spec");
  EXPECT_EQ(text_at(spec, "holderIdentity"), "s1");
  EXPECT_EQ(integer_at(spec, "leaseDurationSeconds"), 30);
  EXPECT_FALSE(spec.contains("acquireTime"));
  const auto first = own_renewal();
  const auto began = clock_.now();
  ASSERT_TRUE(eventually([&] { return own_renewal() != first; }));
  EXPECT_GE(clock_.now() - began, seconds(14));
  EXPECT_LE(clock_.now() - began, seconds(17));
  await(controller_.stop());
}

TEST_F(LeaseControllerTest, takes_over_the_lease_it_left_behind) {
  auto old = other("konnectivity-proxy-server-s1", seconds(300));
  old["metadata"].as_object()["labels"] = {{"gone", "x"}};
  server_.put(kCollection, old);
  ASSERT_TRUE(finish(controller_.renew()));
  EXPECT_EQ(own_renewal(), format_micro_time(clock_.wall_now()));
  EXPECT_EQ(labels_of(*server_.find(kOwn)), (Labels{{"k8s-app", "konnectivity-server"}}));
}

TEST_F(LeaseControllerTest, update_conflict_reads_the_lease_again) {
  ASSERT_TRUE(finish(controller_.renew()));
  server_.put(kCollection, *server_.find(kOwn));  // somebody else writes
  clock_.advance(seconds(15));
  ASSERT_TRUE(finish(controller_.renew()));
  EXPECT_EQ(own_renewal(), format_micro_time(clock_.wall_now()));
}

TEST_F(LeaseControllerTest, lease_that_was_deleted_is_created_again) {
  ASSERT_TRUE(finish(controller_.renew()));
  server_.erase(kOwn);
  ASSERT_TRUE(finish(controller_.renew()));
  EXPECT_NE(server_.find(kOwn), nullptr);
}

TEST_F(LeaseControllerTest, waits_out_an_api_server_in_trouble) {
  for (int i = 0; i < 4; ++i) server_.answer_next({.status = 500, .reason = "InternalError"});
  const auto began = clock_.now();
  ASSERT_TRUE(finish(controller_.renew()));
  EXPECT_NE(server_.find(kOwn), nullptr);
  EXPECT_GE(clock_.now() - began, std::chrono::milliseconds(200 + 400 + 800 + 1600));
}

TEST_F(LeaseControllerTest, collects_expired_leases_of_its_label_only) {
  server_.put(kCollection, other("dead", seconds(31)));
  server_.put(kCollection, other("alive", seconds(29)));
  server_.put(
      kCollection,
      {{"metadata", {{"name", "timeless"}, {"labels", {{"k8s-app", "konnectivity-server"}}}}}});
  auto foreign = other("foreign", seconds(1000));
  foreign["metadata"].as_object()["labels"] = {{"k8s-app", "other"}};
  server_.put(kCollection, foreign);
  ASSERT_TRUE(finish(controller_.collect()));
  EXPECT_EQ(server_.count(), 2);
  EXPECT_NE(server_.find(std::string(kCollection) + "/alive"), nullptr);
  EXPECT_NE(server_.find(std::string(kCollection) + "/foreign"), nullptr);
  EXPECT_EQ(observer_.culled, 2);
  EXPECT_EQ(observer_.deletes, (std::vector<std::pair<int, std::string>>{{200, ""}, {200, ""}}));
  EXPECT_EQ(observer_.lists, (std::vector<std::pair<int, std::string>>{{200, ""}}));
}

TEST_F(LeaseControllerTest, delete_names_the_version_it_saw) {
  server_.put(kCollection, other("dead", seconds(31)));
  const std::string version(resource_version_of(*server_.find(std::string(kCollection) + "/dead")));
  ASSERT_TRUE(finish(controller_.collect()));
  EXPECT_TRUE(server_.requests().back().body.contains("\"resourceVersion\":\"" + version + "\""));
}

TEST_F(LeaseControllerTest, failures_are_reported_with_status_and_reason) {
  server_.answer_next({.status = 403, .reason = "Forbidden"});
  EXPECT_FALSE(finish(controller_.collect()));
  EXPECT_EQ(observer_.lists, (std::vector<std::pair<int, std::string>>{{403, "Forbidden"}}));
}

TEST_F(LeaseControllerTest, stop_deletes_the_own_lease) {
  controller_.start();
  ASSERT_TRUE(eventually([&] { return server_.find(kOwn) != nullptr; }));
  await(controller_.stop());
  EXPECT_EQ(server_.find(kOwn), nullptr);
}

TEST_F(LeaseControllerTest, stop_does_not_hang_on_a_dead_api_server) {
  controller_.start();
  ASSERT_TRUE(eventually([&] { return server_.find(kOwn) != nullptr; }));
  await(server_.stop());
  await(controller_.stop());
}

}  // namespace
}  // namespace kube
