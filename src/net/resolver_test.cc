#include "net/resolver.h"

#include <boost/asio/detached.hpp>
#include <gtest/gtest.h>

#include "async/task_group.h"
#include "async/testing/run.h"

namespace net {
namespace {

using async::Task;
using base::Code;
using base::Result;

class Resolver : public ::testing::Test {
 protected:
  static Task<void> count(HostPort target, int& answered) {
    if (co_await resolve(std::move(target))) ++answered;
    co_return Result<void>{};
  }
  static Task<bool> join(async::TaskGroup& tasks) {
    co_await tasks.join();
    co_return true;
  }

  async::Loop loop_;
};

TEST_F(Resolver, takes_an_address_as_it_is) {
  const auto found = async::testing::run(loop_, resolve({"::1", 80}));
  ASSERT_TRUE(found);
  ASSERT_EQ(found->size(), 1u);
  EXPECT_EQ(found->front().address().to_string(), "::1");
  EXPECT_EQ(found->front().port(), 80);
}

TEST_F(Resolver, leaves_out_the_other_family) {
  const auto found = async::testing::run(loop_, resolve({"::1", 80}, Family::v4));
  EXPECT_EQ(found.error().message, "lookup ::1: no suitable address");
  const auto name = async::testing::run(loop_, resolve({"localhost", 80}, Family::v4));
  ASSERT_TRUE(name) << name.error().message;
  for (const auto& endpoint : *name) EXPECT_TRUE(endpoint.address().is_v4());
}

TEST_F(Resolver, asks_the_system_for_a_name) {
  const auto found = async::testing::run(loop_, resolve({"localhost", 8091}));
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_TRUE(found->front().address().is_loopback());
  EXPECT_EQ(found->front().port(), 8091);
}

TEST_F(Resolver, says_as_go_does_that_a_name_does_not_exist) {
  // Not a legal name: answered without asking anybody.
  const auto found = async::testing::run(loop_, resolve({"no..such..name", 80}));
  ASSERT_FALSE(found);
  EXPECT_TRUE(found.error().message.starts_with("lookup no..such..name: "))
      << found.error().message;
}

TEST_F(Resolver, answers_many_at_once) {
  int answered = 0;
  async::TaskGroup tasks(loop_.get_executor());
  for (int i = 0; i < 100; ++i) tasks.spawn("lookup", count({"localhost", 80}, answered));
  ASSERT_TRUE(async::testing::run(loop_, join(tasks)));
  EXPECT_EQ(answered, 100);
}

TEST_F(Resolver, forgets_lookups_that_are_cancelled) {
  int answered = 0;
  async::TaskGroup tasks(loop_.get_executor());
  for (int i = 0; i < 100; ++i) tasks.spawn("lookup", count({"localhost", 80}, answered));
  loop_.poll_one();
  tasks.cancel();
  ASSERT_TRUE(async::testing::run(loop_, join(tasks)));
  EXPECT_LE(answered, 100);
}

TEST_F(Resolver, survives_a_loop_that_goes_first) {
  int answered = 0;
  auto loop = std::make_unique<async::Loop>();
  auto tasks = std::make_unique<async::TaskGroup>(loop->get_executor());
  for (int i = 0; i < 20; ++i) tasks->spawn("lookup", count({"localhost", 80}, answered));
  for (int i = 0; i < 20; ++i) loop->poll_one();
  tasks.reset();
  loop.reset();
  EXPECT_LE(answered, 20);
}

}  // namespace
}  // namespace net
