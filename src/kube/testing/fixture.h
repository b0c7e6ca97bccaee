#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "async/clock.h"
#include "async/task_group.h"
#include "async/testing/run.h"
#include "kube/client.h"
#include "kube/testing/fake_api_server.h"

namespace kube::testing {

/// A fake API server and a client of it, under a clock that runs only while nobody has anything to
/// do.
class FakeApiTest : public ::testing::Test {
 protected:
  FakeApiTest() : server_(loop_, clock_), tasks_(loop_.get_executor()) {
    connect(server_.config());
  }

  void connect(Config config) {
    // Without a limit of rate: what is under test shall not wait for it.
    auto made = Client::make(loop_, clock_, std::move(config),
                             {.qps = 0, .attempt_limit = std::chrono::hours(1)});
    ASSERT_TRUE(made) << made.error().message;
    client_ = std::move(*made);
  }

  /// Runs the loop until `condition` holds, moving the clock on when nothing else happens. False
  /// after ten seconds of real time.
  bool eventually(const std::function<bool()>& condition) {
    const auto give_up = system_.now() + std::chrono::seconds(10);
    while (!condition()) {
      if (system_.now() > give_up) return false;
      loop_.restart();
      if (loop_.run_one_for(std::chrono::milliseconds(2)) == 0) clock_.advance(step_);
    }
    return true;
  }

  /// Runs `task` to its end, and gives its result.
  template <typename T>
  Result<T> finish(Task<T> task) {
    std::optional<Result<T>> result;
    tasks_.spawn("test", keep(std::move(task), result));
    EXPECT_TRUE(eventually([&] { return result.has_value(); }));
    return result ? std::move(*result)
                  : std::unexpected(Error(base::Code::timeout, "the test gave up"));
  }

  template <typename T>
  static async::Task<void> keep(Task<T> task, std::optional<Result<T>>& into) {
    into.emplace(co_await std::move(task));
    co_return base::Result<void>{};
  }

  /// Ends something that stops by a coroutine.
  void await(async::Awaitable<void> stopping) {
    bool done = false;
    tasks_.spawn("stop", flag(std::move(stopping), done));
    EXPECT_TRUE(eventually([&] { return done; }));
  }

  static async::Task<void> flag(async::Awaitable<void> task, bool& done) {
    co_await std::move(task);
    done = true;
    co_return base::Result<void>{};
  }

  void TearDown() override {
    tasks_.cancel();
    await_end(server_.stop());
  }

  /// As await(), once all tasks were cancelled.
  void await_end(async::Awaitable<void> stopping) {
    async::TaskGroup last(loop_.get_executor());
    bool done = false;
    last.spawn("stop", flag(std::move(stopping), done));
    EXPECT_TRUE(eventually([&] { return done && tasks_.empty(); }));
    EXPECT_TRUE(eventually([&] { return last.empty(); }));
  }

  async::Loop loop_{1};
  async::SystemClock system_;
  async::ManualClock clock_{loop_.get_executor()};
  async::Duration step_ = std::chrono::milliseconds(200);
  FakeApiServer server_;
  std::unique_ptr<Client> client_;
  async::TaskGroup tasks_;
};

}  // namespace kube::testing
