#include "controller/informer.h"

#include "kube/testing/fixture.h"

namespace controller {
namespace {

const char* const kThings = "/apis/example.io/v1/namespaces/ns/things";

json::object thing(const std::string& name, int size) {
  return {{"kind", "Thing"},
          {"metadata",
           json::object{{"name", name}, {"namespace", "ns"}, {"managedFields", json::array{1}}}},
          {"spec", json::object{{"size", size}, {"secret", "s"}}}};
}

class InformerTest : public kube::testing::FakeApiTest {
 protected:
  Informer& start(Informer::Options options = {}) {
    informer_.emplace(loop_, *client_, kube::Api({"example.io", "v1", "things"}, "ns"),
                      std::move(options));
    informer_->on_change([this](const ObjectPtr& before, const ObjectPtr& after) {
      heard_.push_back((before ? "-" : "") + std::string(after ? "+" : "") +
                       std::string(kube::name_of(after ? *after : *before)));
    });
    tasks_.spawn("informer", informer_->run());
    EXPECT_TRUE(eventually([this] { return informer_->is_synced(); }));
    return *informer_;
  }

  std::optional<Informer> informer_;
  std::vector<std::string> heard_;
};

using Heard = std::vector<std::string>;

TEST_F(InformerTest, holds_what_was_there_before_it_says_that_it_is_synced) {
  server_.put(kThings, thing("a", 1));
  auto& informer = start();
  ASSERT_NE(informer.store().get({"ns", "a"}), nullptr);
  EXPECT_EQ(heard_, Heard{"+a"});
}

TEST_F(InformerTest, tells_changes_and_ends) {
  auto& informer = start();
  ASSERT_TRUE(eventually([&] { return server_.open_watches() == 1; }));
  server_.put(kThings, thing("a", 1));
  ASSERT_TRUE(eventually([&] { return heard_.size() == 1; }));
  server_.put(kThings, thing("a", 2));
  ASSERT_TRUE(eventually([&] { return heard_.size() == 2; }));
  server_.erase(std::string(kThings) + "/a");
  ASSERT_TRUE(eventually([&] { return heard_.size() == 3; }));
  EXPECT_EQ(heard_, (Heard{"+a", "-+a", "-a"}));
  EXPECT_EQ(informer.store().size(), 0U);
}

TEST_F(InformerTest, tells_after_a_gap_what_changed_in_it_and_nothing_else) {
  server_.put(kThings, thing("same", 1));
  server_.put(kThings, thing("gone", 1));
  start();
  ASSERT_TRUE(eventually([&] { return server_.open_watches() == 1; }));
  heard_.clear();
  server_.cut_connections();
  server_.erase(std::string(kThings) + "/gone");
  server_.put(kThings, thing("new", 1));
  server_.compact();
  ASSERT_TRUE(eventually([&] { return heard_.size() == 2; }));
  ASSERT_TRUE(eventually([&] { return server_.open_watches() == 1; }));
  EXPECT_EQ(heard_, (Heard{"+new", "-gone"}));
}

TEST_F(InformerTest, keeps_of_an_object_what_it_was_told_to) {
  server_.put(kThings, thing("a", 1));
  auto& informer =
      start({.trim = [](json::object& object) { object.at("spec").get_object().erase("secret"); }});
  const auto kept = informer.store().get({"ns", "a"});
  ASSERT_NE(kept, nullptr);
  EXPECT_EQ(kept->at("spec"), (json::object{{"size", 1}}));
  EXPECT_FALSE(kept->at("metadata").get_object().contains("managedFields"));
}

TEST_F(InformerTest, believes_the_answer_to_a_write_before_the_watch_shows_it) {
  auto& informer = start();
  ASSERT_TRUE(eventually([&] { return server_.open_watches() == 1; }));
  auto newer = thing("a", 2);
  newer.at("metadata").get_object()["resourceVersion"] = "1000000";
  informer.learn(newer);
  EXPECT_EQ(heard_, Heard{"+a"});
  server_.put(kThings, thing("a", 1));  // what the watch shows is older than that
  server_.put(kThings, thing("b", 1));
  ASSERT_TRUE(eventually([&] { return heard_.size() == 2; }));
  EXPECT_EQ(heard_, (Heard{"+a", "+b"}));
  EXPECT_EQ(informer.store().get({"ns", "a"})->at("spec").at("size"), 2);
  informer.learn_removed({"ns", "a"});
  EXPECT_EQ(heard_.back(), "-a");
}

TEST_F(InformerTest, lets_others_wait_for_the_first_list) {
  Informer informer(loop_, *client_, kube::Api({"example.io", "v1", "things"}, "ns"));
  bool synced = false;
  tasks_.spawn("waiter", [](Informer& of, bool& done) -> async::Task<void> {
    CO_TRY_VOID(co_await of.synced());
    done = true;
    co_return base::Result<void>{};
  }(informer, synced));
  tasks_.spawn("informer", informer.run());
  EXPECT_TRUE(eventually([&] { return synced; }));
  tasks_.cancel();
  EXPECT_TRUE(eventually([&] { return tasks_.empty(); }));
}

}  // namespace
}  // namespace controller
