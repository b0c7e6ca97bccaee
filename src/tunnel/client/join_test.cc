#include "tunnel/client/join.h"

#include <fcntl.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "net/pipe_stream.h"
#include "net/testing/memory_stream.h"
#include "tunnel/testing/native_fixture.h"

namespace tunnel::client {
namespace {

using tunnel::testing::Wire;

/// Two wires, and a join between them.
class JoinTest : public ::testing::Test {
 protected:
  JoinTest() {
    world.tasks.spawn("join", run(*this, left_.second(), right_.second()));
    for (auto* cable : {&left_, &right_})
      world.wires.push_back(std::make_unique<Wire>(world.tasks, cable->first()));
    world.settle();
  }
  ~JoinTest() override {
    world.tasks.cancel();
    world.settle();
    world.wires.clear();
  }

  static async::Task<void> run(JoinTest& test, std::unique_ptr<net::Stream> left,
                               std::unique_ptr<net::Stream> right) {
    Join join(*left, *right);
    test.result = co_await join.run();
    test.to_far = join.bytes_to_far();
    co_return base::Result<void>{};
  }
  Wire& left() { return *world.wires[0]; }
  Wire& right() { return *world.wires[1]; }

  tunnel::testing::NativeWorld world;
  std::optional<base::Result<void>> result;
  std::uint64_t to_far = 0;

 private:
  net::testing::Cable left_{world.tasks.executor()};
  net::testing::Cable right_{world.tasks.executor()};
};

TEST_F(JoinTest, carries_both_ways_until_both_have_ended) {
  left().say("question");
  left().finish();
  ASSERT_TRUE(world.until([&] { return right().ended(); }));
  EXPECT_EQ(right().heard(), "question");
  EXPECT_FALSE(result);
  right().say("answer");
  right().finish();
  ASSERT_TRUE(world.until([&] { return result.has_value(); }));
  EXPECT_TRUE(result->has_value());
  EXPECT_EQ(left().heard(), "answer");
  EXPECT_TRUE(left().ended());
  EXPECT_EQ(to_far, 8U);
}

TEST_F(JoinTest, passes_a_reset_on) {
  left().say("half a");
  world.settle();
  left().reset();
  ASSERT_TRUE(world.until([&] { return right().broken() || right().ended(); }));
  EXPECT_TRUE(right().broken());
  ASSERT_TRUE(world.until([&] { return result.has_value(); }));
  EXPECT_FALSE(result->has_value());
}

TEST_F(JoinTest, does_not_read_more_than_the_other_side_takes) {
  right().read(false);
  left().say(std::string(24 << 20, 'x'));
  world.settle();
  EXPECT_GT(left().unsaid(), 8U << 20);
}

TEST_F(JoinTest, does_not_take_one_that_has_said_all_and_left_for_broken) {
  right().say("all");
  right().finish();
  ASSERT_TRUE(world.until([&] { return left().ended(); }));
  right().close();
  left().say("nobody hears this");
  left().finish();
  ASSERT_TRUE(world.until([&] { return result.has_value(); }));
  EXPECT_TRUE(result->has_value()) << result->error().message;
  EXPECT_FALSE(left().broken());
}

// Standard input of nothing, and a disk that is full.
TEST_F(JoinTest, tells_of_bytes_that_were_lost_after_all_was_said) {
  const int in = ::open("/dev/null", O_RDONLY);
  const int out = ::open("/dev/full", O_WRONLY);
  auto own = *net::make_pipe_stream(world.tasks.executor(), in, out);
  ::close(in);
  ::close(out);
  net::testing::Cable cable(world.tasks.executor());
  world.tasks.spawn("join", run(*this, std::move(own), cable.second()));
  world.wires.push_back(std::make_unique<Wire>(world.tasks, cable.first()));
  Wire& far = *world.wires.back();
  ASSERT_TRUE(world.until([&] { return far.ended(); }));
  far.say("answer");
  far.finish();
  ASSERT_TRUE(world.until([&] { return result.has_value(); }));
  ASSERT_FALSE(result->has_value());
  EXPECT_EQ(result->error().message, "write standard output: no space left on device");
}

}  // namespace
}  // namespace tunnel::client
