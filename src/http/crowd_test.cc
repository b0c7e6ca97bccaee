#include "http/crowd.h"

#include <array>

#include <gtest/gtest.h>

namespace http {
namespace {

using namespace std::chrono_literals;

class CrowdTest : public ::testing::Test {
 protected:
  bool little(Crowd::Member& member, std::size_t count) {
    return crowd.says_little(now, member, count);
  }
  // A period in which these bring so much each.
  template <std::size_t N>
  void pass(std::array<Crowd::Member, N>& members, std::size_t count) {
    for (Crowd::Member& member : members) little(member, count);
    now += Crowd::kPeriod;
  }

  Crowd crowd;
  Crowd::Member somebody;
  std::array<Crowd::Member, 4> bulk;
  async::TimePoint now{1h};
};

TEST_F(CrowdTest, knows_who_says_little_beside_bulk) {
  pass(bulk, 10'000'000);
  EXPECT_TRUE(little(somebody, 64));
  EXPECT_TRUE(little(somebody, Crowd::kLittle - 65));
  EXPECT_FALSE(little(somebody, 1));
  for (Crowd::Member& member : bulk) EXPECT_FALSE(little(member, 1));
}

TEST_F(CrowdTest, calls_nobody_so_who_is_alone) {
  for (int i = 0; i < 1000; ++i) {
    now += 1ms;
    EXPECT_FALSE(little(somebody, 64));
  }
}

TEST_F(CrowdTest, calls_nobody_so_among_their_like) {
  std::array<Crowd::Member, 500> many;
  pass(many, 4096);
  for (Crowd::Member& member : many) EXPECT_FALSE(little(member, 4096));
}

TEST_F(CrowdTest, takes_a_newcomer_who_brings_much_for_one_who_says_little_only_at_first) {
  pass(bulk, 10'000'000);
  EXPECT_TRUE(little(somebody, 64 * 1024));
  EXPECT_FALSE(little(somebody, Crowd::kLittle));
  now += Crowd::kPeriod;
  EXPECT_FALSE(little(somebody, 1));
}

TEST_F(CrowdTest, forgets_bulk_that_has_ended) {
  std::array<Crowd::Member, 1> former;
  pass(former, 10'000'000);
  pass(bulk, 10'000'000);
  pass(bulk, 10'000'000);
  EXPECT_TRUE(little(former[0], 1));
}

}  // namespace
}  // namespace http
