#include "kube/reflector.h"

#include <set>

#include "kube/testing/fixture.h"
#include "kube/testing/kubeconfig_file.h"

namespace kube {
namespace {

constexpr const char* kCollection = "/apis/coordination.k8s.io/v1/namespaces/ns/leases";

json::object named(const std::string& name, const char* label = "x") {
  return {{"metadata", {{"name", name}, {"labels", {{"l", label}}}}}};
}

/// Remembers the names it was told of.
class Names : public WatchHandler {
 public:
  void replace(std::vector<json::object> objects) override {
    ++replaced;
    names.clear();
    for (const auto& object : objects) {
      names.emplace(name_of(object));
      kinds.emplace(text_at(object, "kind"));
    }
  }
  void apply(json::object object) override { names.emplace(name_of(object)); }
  void remove(const json::object& object) override { names.erase(std::string(name_of(object))); }

  std::set<std::string> names;
  std::set<std::string> kinds;
  int replaced = 0;
};

class Counts : public WatchObserver {
 public:
  void listed(const Error* error, async::Duration) override {
    ++(error != nullptr ? failed_lists : lists);
  }
  void watched(const Error* error, async::Duration) override {
    ++(error != nullptr ? failed_watches : watches);
  }
  int lists = 0, failed_lists = 0, watches = 0, failed_watches = 0;
};

class ReflectorTest : public testing::FakeApiTest {
 protected:
  void start(Reflector::Options options = {}) {
    options.stream_state = streams_;
    options.small = small_;
    reflector_ =
        std::make_unique<Reflector>(*client_, Api({"coordination.k8s.io", "v1", "leases"}, "ns"),
                                    handler_, &counts_, std::move(options));
    tasks_.spawn("reflector", reflector_->run());
  }
  bool watching() {
    return eventually([&] { return server_.open_watches() == 1; });
  }
  bool has(std::set<std::string> names) {
    return eventually([&] { return handler_.names == names; });
  }
  /// The targets of the lists so far.
  std::vector<std::string> versions_listed() const {
    std::vector<std::string> found;
    for (const auto& each : server_.requests()) {
      const auto at = each.target.find("resourceVersion=");
      if (each.target.contains("watch=true")) continue;
      found.push_back(at == std::string::npos
                          ? ""
                          : each.target.substr(at + 16, each.target.find('&', at) - at - 16));
    }
    return found;
  }

  bool streams_ = false;
  unsigned small_ = 0;
  Names handler_;
  Counts counts_;
  std::unique_ptr<Reflector> reflector_;
};

class TwoServersTest : public ReflectorTest {
 protected:
  void TearDown() override {
    ReflectorTest::TearDown();
    await_end(other_.stop());
  }
  testing::FakeApiServer other_{loop_, clock_};
};

TEST_F(TwoServersTest, begins_anew_where_the_kubeconfig_leads_to_another) {
  const testing::KubeconfigFile file;
  file.lead_to(server_.config().cluster.server, "t");
  connect(*load_kubeconfig(file.path()));
  server_.put(kCollection, named("here"));
  start();
  ASSERT_TRUE(has({"here"}) && watching());
  other_.put(kCollection, named("there"));
  file.lead_to(other_.config().cluster.server, "t");
  EXPECT_TRUE(has({"there"}));
  EXPECT_TRUE(eventually([&] { return other_.open_watches() == 1; }));
}

TEST_F(ReflectorTest, lists_then_follows_changes) {
  server_.put(kCollection, named("a"));
  start();
  ASSERT_TRUE(has({"a"}));
  EXPECT_TRUE(reflector_->synced());
  ASSERT_TRUE(watching());
  server_.put(kCollection, named("b"));
  EXPECT_TRUE(has({"a", "b"}));
  server_.erase(std::string(kCollection) + "/a");
  EXPECT_TRUE(has({"b"}));
  EXPECT_EQ(handler_.replaced, 1);
  EXPECT_EQ(counts_.lists, 1);
  EXPECT_EQ(counts_.watches, 1);
}

TEST_F(ReflectorTest, misses_nothing_between_list_and_watch) {
  start();
  ASSERT_TRUE(eventually([&] { return server_.requests().size() == 1; }));
  server_.put(kCollection, named("a"));
  EXPECT_TRUE(has({"a"}));
  EXPECT_EQ(handler_.replaced, 1);
}

TEST_F(ReflectorTest, resumes_after_an_orderly_end_without_a_list) {
  start();
  ASSERT_TRUE(watching());
  server_.put(kCollection, named("a"));
  ASSERT_TRUE(has({"a"}));
  server_.end_watches();
  ASSERT_TRUE(eventually([&] { return counts_.watches == 2; }));
  server_.put(kCollection, named("b"));
  EXPECT_TRUE(has({"a", "b"}));
  EXPECT_EQ(counts_.lists, 1);
}

TEST_F(ReflectorTest, resumes_after_a_broken_connection) {
  start();
  ASSERT_TRUE(watching());
  server_.cut_connections();
  server_.put(kCollection, named("a"));
  EXPECT_TRUE(has({"a"}));
  EXPECT_EQ(counts_.lists, 1);
}

TEST_F(ReflectorTest, bookmark_moves_the_version_so_that_compaction_does_no_harm) {
  start();
  ASSERT_TRUE(watching());
  server_.compact();
  server_.send_bookmarks();
  server_.end_watches();
  ASSERT_TRUE(eventually([&] { return counts_.watches == 2; }));
  EXPECT_EQ(counts_.lists, 1);
  EXPECT_EQ(counts_.failed_watches, 0);
}

TEST_F(ReflectorTest, error_event_410_lists_again) {
  start();
  ASSERT_TRUE(watching());
  server_.put(kCollection, named("a"));
  ASSERT_TRUE(has({"a"}));
  server_.expire_watches();
  ASSERT_TRUE(eventually([&] { return handler_.replaced == 2; }));
  EXPECT_TRUE(has({"a"}));
  EXPECT_EQ(versions_listed().back(), "101");
}

TEST_F(ReflectorTest, http_410_lists_again_and_notices_what_went_meanwhile) {
  server_.put(kCollection, named("a"));
  start();
  ASSERT_TRUE(watching());
  server_.end_watches();
  server_.cut_connections();
  server_.erase(std::string(kCollection) + "/a");
  server_.compact();
  EXPECT_TRUE(has({}));
  EXPECT_EQ(handler_.replaced, 2);
  EXPECT_EQ(counts_.failed_watches, 1);
}

TEST_F(ReflectorTest, list_refused_as_gone_asks_for_the_newest) {
  server_.answer_next({.status = 410, .reason = "Expired"});
  start();
  ASSERT_TRUE(watching());
  EXPECT_EQ(versions_listed(), (std::vector<std::string>{"0", ""}));
}

TEST_F(ReflectorTest, waits_longer_after_each_failure) {
  for (int i = 0; i < 3; ++i) server_.answer_next({.status = 500, .reason = "InternalError"});
  start({.backoff = {.initial = std::chrono::seconds(1),
                     .cap = std::chrono::seconds(30),
                     .factor = 2,
                     .jitter = 0}});
  ASSERT_TRUE(watching());
  EXPECT_EQ(counts_.failed_lists, 3);
  const auto& seen = server_.requests();
  EXPECT_GE(seen[1].at - seen[0].at, std::chrono::seconds(1));
  EXPECT_GE(seen[2].at - seen[1].at, std::chrono::seconds(2));
  EXPECT_GE(seen[3].at - seen[2].at, std::chrono::seconds(4));
}

TEST_F(ReflectorTest, half_dead_watch_is_given_up) {
  start({.min_watch = std::chrono::seconds(300), .max_watch = std::chrono::seconds(300)});
  ASSERT_TRUE(watching());
  step_ = std::chrono::seconds(10);
  const auto began = clock_.now();
  ASSERT_TRUE(eventually([&] { return counts_.watches == 2; }));
  EXPECT_GE(clock_.now() - began, std::chrono::seconds(330));
  EXPECT_TRUE(server_.requests()[1].target.contains("timeoutSeconds=300"));
}

TEST_F(ReflectorTest, pages_make_one_state) {
  for (int i = 0; i < 5; ++i) server_.put(kCollection, named(fmt::format("n{}", i)));
  server_.answer_next(
      {.status = 410, .reason = "Expired"});  // so that the list does not come from a cache
  start({.page = 2});
  EXPECT_TRUE(has({"n0", "n1", "n2", "n3", "n4"}));
  EXPECT_EQ(handler_.replaced, 1);
  EXPECT_EQ(counts_.lists, 3);
}

TEST_F(ReflectorTest, page_that_the_server_forgot_begins_one_list_without_pages) {
  for (int i = 0; i < 5; ++i) server_.put(kCollection, named(fmt::format("n{}", i)));
  server_.answer_next({.status = 410, .reason = "Expired"});  // so that pages follow
  start({.page = 2});
  ASSERT_TRUE(eventually([&] { return counts_.lists == 1; }));
  server_.answer_next({.status = 410, .reason = "Expired"});
  EXPECT_TRUE(has({"n0", "n1", "n2", "n3", "n4"}));
  EXPECT_EQ(handler_.replaced, 1);
  EXPECT_EQ(counts_.lists, 2);
  EXPECT_FALSE(server_.requests()[3].target.contains("limit="));
}

TEST_F(ReflectorTest, items_get_the_kind_that_only_their_list_has) {
  server_.put(kCollection, named("a"));
  start();
  ASSERT_TRUE(has({"a"}));
  EXPECT_EQ(handler_.kinds, (std::set<std::string>{"Lease"}));
}

TEST_F(ReflectorTest, selector_travels_with_list_and_watch) {
  server_.put(kCollection, named("a", "x"));
  server_.put(kCollection, named("b", "y"));
  start({.label_selector = "l=x"});
  ASSERT_TRUE(has({"a"}));
  ASSERT_TRUE(watching());
  server_.put(kCollection, named("c", "y"));
  server_.put(kCollection, named("d", "x"));
  EXPECT_TRUE(has({"a", "d"}));
}

class ReflectorStream : public ReflectorTest {
 protected:
  ReflectorStream() { streams_ = true; }
};

TEST_F(ReflectorStream, gets_the_state_and_then_changes_by_one_watch) {
  server_.put(kCollection, named("a"));
  server_.put(kCollection, named("b"));
  start();
  ASSERT_TRUE(has({"a", "b"}));
  EXPECT_TRUE(reflector_->synced());
  server_.erase(std::string(kCollection) + "/a");
  server_.put(kCollection, named("c"));
  EXPECT_TRUE(has({"b", "c"}));
  EXPECT_EQ(handler_.replaced, 1);
  ASSERT_EQ(server_.requests().size(), 1);
  const auto& target = server_.requests()[0].target;
  EXPECT_TRUE(target.contains("sendInitialEvents=true")) << target;
  EXPECT_TRUE(target.contains("resourceVersionMatch=NotOlderThan")) << target;
  EXPECT_FALSE(target.contains("resourceVersion=0")) << target;
  EXPECT_EQ(counts_.lists, 1);
  EXPECT_EQ(counts_.watches, 1);
}

TEST_F(ReflectorStream, lists_a_small_state_since_its_end_is_told_late) {
  small_ = 2;
  server_.put(kCollection, named("a"));
  server_.put(kCollection, named("b"));
  start();
  ASSERT_TRUE(has({"a", "b"}));
  EXPECT_TRUE(reflector_->synced());
  ASSERT_TRUE(watching());
  server_.put(kCollection, named("c"));
  EXPECT_TRUE(has({"a", "b", "c"}));
  ASSERT_EQ(server_.requests().size(), 2);
  EXPECT_FALSE(server_.requests()[0].target.contains("watch")) << server_.requests()[0].target;
  EXPECT_FALSE(server_.requests()[1].target.contains("sendInitialEvents"));
  EXPECT_EQ(counts_.lists, 1);
}

TEST_F(ReflectorStream, streams_a_state_that_is_larger_than_a_page) {
  small_ = 2;
  for (const auto* name : {"a", "b", "c"}) server_.put(kCollection, named(name));
  start();
  ASSERT_TRUE(has({"a", "b", "c"}));
  ASSERT_EQ(server_.requests().size(), 2);
  EXPECT_TRUE(server_.requests()[1].target.contains("sendInitialEvents"));
  EXPECT_EQ(handler_.replaced, 1);
}

TEST_F(ReflectorStream, resumes_without_the_state) {
  start();
  ASSERT_TRUE(watching());
  server_.put(kCollection, named("a"));
  ASSERT_TRUE(has({"a"}));
  server_.end_watches();
  ASSERT_TRUE(eventually([&] { return counts_.watches == 2; }));
  EXPECT_FALSE(server_.requests()[1].target.contains("sendInitialEvents"));
  EXPECT_TRUE(server_.requests()[1].target.contains("resourceVersion=101"));
  EXPECT_EQ(handler_.replaced, 1);
}

TEST_F(ReflectorStream, lost_history_streams_the_state_anew) {
  start();
  ASSERT_TRUE(watching());
  server_.put(kCollection, named("a"));
  ASSERT_TRUE(has({"a"}));
  server_.expire_watches();
  ASSERT_TRUE(eventually([&] { return handler_.replaced == 2; }));
  EXPECT_TRUE(has({"a"}));
  EXPECT_EQ(server_.count_requests(std::string("GET ") + kCollection + "?watch=true"), 2);
}

TEST_F(ReflectorStream, server_that_refuses_is_listed_from_then_on) {
  server_.state_by_watch(testing::FakeApiServer::StateByWatch::refused);
  server_.put(kCollection, named("a"));
  start();
  ASSERT_TRUE(has({"a"}));
  ASSERT_TRUE(watching());
  server_.expire_watches();
  ASSERT_TRUE(eventually([&] { return handler_.replaced == 2; }));
  int streams = 0;
  for (const auto& each : server_.requests()) streams += each.target.contains("sendInitialEvents");
  EXPECT_EQ(streams, 1);
  EXPECT_EQ(counts_.lists, 2);
}

TEST_F(ReflectorStream, server_that_never_ends_the_state_is_listed) {
  server_.state_by_watch(testing::FakeApiServer::StateByWatch::unknown);
  server_.put(kCollection, named("a"));
  start();
  EXPECT_TRUE(has({"a"}));
  EXPECT_EQ(handler_.replaced, 1);
  EXPECT_EQ(counts_.lists, 1);
  EXPECT_GE(server_.requests()[1].at - server_.requests()[0].at, std::chrono::seconds(30));
}

TEST_F(ReflectorStream, failure_is_waited_out_and_does_not_lead_to_a_list) {
  server_.answer_next({.status = 500, .reason = "InternalError"});
  server_.put(kCollection, named("a"));
  start();
  EXPECT_TRUE(has({"a"}));
  EXPECT_TRUE(server_.requests()[1].target.contains("sendInitialEvents"));
}

}  // namespace
}  // namespace kube
