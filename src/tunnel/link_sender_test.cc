#include "tunnel/link_sender.h"

#include <algorithm>
#include <optional>

#include <gtest/gtest.h>

#include "tunnel/testing/call_pair.h"

namespace tunnel {
namespace {

class Owner : public Flow::Owner {
 public:
  void on_flow_drained() override { ++drained; }
  int drained = 0;
};

class LinkSenderTest : public ::testing::Test {
 protected:
  LinkSenderTest() {
    sender_.emplace(*call_);
    call_->drained = [this] {
      if (sender_) sender_->pump();
    };
  }

  std::unique_ptr<http::H2StreamHandler> make(http::H2Stream& stream) {
    auto call = std::make_unique<testing::NearCall>(stream);
    call_ = call.get();
    return call;
  }

  static void push(Flow& flow, char what, int times, std::size_t size = 10'000) {
    for (int i = 0; i < times; ++i) flow.push_message(base::as_bytes(std::string(size, what)));
  }

  // The messages heard, one letter each.
  std::string letters() {
    pair_.exchange();
    std::string text;
    for (const std::string& message : pair_.received()) text += message.front();
    return text;
  }

  testing::NearCall* call_ = nullptr;
  testing::CallPair pair_{[this](http::H2Stream& stream) { return make(stream); }};
  base::MemoryBudget budget_{1 << 30};
  std::optional<LinkSender> sender_;
  Owner owner_, other_;
};

TEST_F(LinkSenderTest, gives_flows_their_turn) {
  Flow a(*sender_, owner_, budget_), b(*sender_, other_, budget_);
  pair_.far_hold(true);
  push(a, 'a', 30);
  push(b, 'b', 5);
  pair_.far_hold(false);
  const std::string heard = letters();
  EXPECT_EQ(heard.size(), 35u);
  // What was handed over before b came goes first; then they alternate.
  const std::size_t first = heard.find('b');
  EXPECT_LT(first, 20u);
  EXPECT_EQ(heard.substr(first, 9), "babababab");
}

TEST_F(LinkSenderTest, lets_control_packets_pass_waiting_data) {
  Flow flow(*sender_, owner_, budget_);
  pair_.far_hold(true);
  push(flow, 'a', 25);
  sender_->send_control("control");
  pair_.far_hold(false);
  const std::string heard = letters();
  EXPECT_EQ(heard.size(), 26u);
  EXPECT_LT(heard.find('c'), 16u);
}

TEST_F(LinkSenderTest, sends_the_last_packet_after_all_data_and_nothing_after_it) {
  Flow flow(*sender_, owner_, budget_);
  push(flow, 'a', 20);
  flow.finish("z");
  push(flow, 'x', 1);
  flow.finish("y");
  EXPECT_EQ(letters(), std::string(20, 'a') + "z");
  EXPECT_TRUE(flow.empty());
}

TEST_F(LinkSenderTest, says_when_a_full_flow_has_room_again) {
  Flow flow(*sender_, owner_, budget_);
  pair_.far_hold(true);
  while (!flow.full()) push(flow, 'a', 1);
  EXPECT_GE(budget_.used(), Flow::kHigh);
  owner_.drained = 0;
  pair_.far_hold(false);
  letters();
  EXPECT_GE(owner_.drained, 1);
  EXPECT_EQ(budget_.used(), 0u);
}

TEST_F(LinkSenderTest, is_congested_by_control_packets_that_nobody_takes) {
  pair_.far_hold(true);
  const std::string packet(10'000, 'c');
  for (int i = 0; i < 120; ++i) sender_->send_control(packet);
  EXPECT_TRUE(sender_->congested());
  pair_.far_hold(false);
  EXPECT_EQ(letters().size(), 120u);
  EXPECT_FALSE(sender_->congested());
}

TEST_F(LinkSenderTest, lets_go_of_its_flows_when_it_ends) {
  Flow flow(*sender_, owner_, budget_);
  pair_.far_hold(true);
  push(flow, 'a', 60);
  sender_.reset();
  EXPECT_TRUE(flow.lost());
  EXPECT_TRUE(flow.empty());
  EXPECT_EQ(budget_.used(), 0u);
  push(flow, 'a', 1);
  EXPECT_TRUE(flow.empty());
}

TEST_F(LinkSenderTest, forgets_a_flow_that_ends_before_its_turn) {
  Flow staying(*sender_, owner_, budget_);
  pair_.far_hold(true);
  push(staying, 'a', 30);
  {
    Flow leaving(*sender_, other_, budget_);
    push(leaving, 'b', 5);
  }
  pair_.far_hold(false);
  EXPECT_EQ(letters(), std::string(30, 'a'));
}

}  // namespace
}  // namespace tunnel
