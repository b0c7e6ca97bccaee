#include "controller/controller.h"

#include <deque>

#include "kube/testing/fixture.h"

namespace controller {
namespace {

using namespace std::chrono_literals;

class Recorder : public Reconciler {
 public:
  explicit Recorder(async::Clock& clock) : clock_(clock) {}
  kube::Task<Outcome> reconcile(ObjectKey key) override {
    seen.push_back(fmt::format("{}", key));
    at.push_back(clock_.now());
    if (answers.empty()) co_return Outcome{};
    auto answer = answers.front();
    answers.pop_front();
    co_return answer;
  }

  std::vector<std::string> seen;
  std::vector<async::TimePoint> at;
  std::deque<kube::Result<Outcome>> answers;

 private:
  async::Clock& clock_;
};

class ControllerTest : public kube::testing::FakeApiTest {
 protected:
  ControllerTest() { step_ = 1ms; }
  void start() { tasks_.spawn("controller", controller_.run()); }

  metrics::Registry registry_;
  ControllerMetrics metrics_{registry_};
  Recorder recorder_{clock_};
  Controller controller_{loop_, clock_, "test", recorder_, &metrics_};
};

TEST_F(ControllerTest, tries_again_after_growing_pauses_until_it_goes_well) {
  const kube::Error error(base::Code::unavailable, "not now");
  recorder_.answers = {std::unexpected(error), std::unexpected(error), Outcome{}};
  controller_.queue().add({"ns", "a"});
  start();
  ASSERT_TRUE(eventually([&] { return recorder_.seen.size() == 3; }));
  EXPECT_GE(recorder_.at[1] - recorder_.at[0], 5ms);
  EXPECT_GE(recorder_.at[2] - recorder_.at[1], 10ms);
  EXPECT_TRUE(eventually([&] { return controller_.queue().idle(); }));
  const auto text = registry_.expose();
  EXPECT_TRUE(text.contains(R"(controller_runtime_reconcile_errors_total{controller="test"} 2)"));
  EXPECT_TRUE(
      text.contains(R"(controller_runtime_reconcile_total{controller="test",result="success"} 1)"));
}

TEST_F(ControllerTest, looks_again_when_the_reconciler_wants_it) {
  recorder_.answers = {Outcome{.again_after = 60s}};
  step_ = 1s;
  controller_.queue().add({"", "a"});
  start();
  ASSERT_TRUE(eventually([&] { return recorder_.seen.size() == 2; }));
  EXPECT_GE(recorder_.at[1] - recorder_.at[0], 60s);
}

TEST_F(ControllerTest, a_failing_key_does_not_hold_up_others) {
  recorder_.answers = {std::unexpected(kube::Error(base::Code::conflict, "lost"))};
  controller_.queue().add({"", "bad"});
  controller_.queue().add({"", "good"});
  start();
  ASSERT_TRUE(eventually([&] { return recorder_.seen.size() >= 2; }));
  EXPECT_EQ(recorder_.seen[1], "good");
}

TEST_F(ControllerTest, hears_of_the_changes_of_an_informer) {
  server_.put("/apis/example.io/v1/namespaces/ns/things",
              {{"metadata", json::object{{"name", "a"}, {"namespace", "ns"}}}});
  Informer informer(loop_, *client_, kube::Api({"example.io", "v1", "things"}, "ns"));
  controller_.watch(informer);
  tasks_.spawn("informer", informer.run());
  start();
  EXPECT_TRUE(eventually([&] { return recorder_.seen == std::vector<std::string>{"ns/a"}; }));
  tasks_.cancel();
  EXPECT_TRUE(eventually([&] { return tasks_.empty(); }));
}

}  // namespace
}  // namespace controller
