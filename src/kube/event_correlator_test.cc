#include "kube/event_correlator.h"

#include <gtest/gtest.h>

namespace kube {
namespace {

using namespace std::chrono_literals;

class EventCorrelatorTest : public ::testing::Test {
 protected:
  std::optional<EventWrite> take(const std::string& message, const std::string& name = "thing") {
    return correlator_.take({.about = {.api_version = "v1",
                                       .kind = "Secret",
                                       .in_namespace = "ns",
                                       .name = name,
                                       .uid = "u-" + name},
                             .reason = "Changed",
                             .message = message},
                            now_, wall_);
  }
  void pass(std::chrono::seconds time) {
    now_ += time;
    wall_ += time;
  }

  EventCorrelator correlator_{"component", "host"};
  async::TimePoint now_{5h};
  WallTime wall_{std::chrono::sys_days(std::chrono::year(2026) / 1 / 2)};
};

TEST_F(EventCorrelatorTest, first_event_is_whole) {
  const auto write = take("it changed");
  ASSERT_TRUE(write);
  EXPECT_EQ(write->count, 1);
  EXPECT_EQ(write->in_namespace, "ns");
  EXPECT_TRUE(write->name.starts_with("thing.")) << write->name;
  const auto& event = write->event;
  EXPECT_EQ(text_at(event, "kind"), "Event");
  EXPECT_EQ(text_at(event, "type"), "Normal");
  EXPECT_EQ(text_at(event, "message"), "it changed");
  EXPECT_EQ(text_at(event, "firstTimestamp"), "2026-01-02T00:00:00Z");
  EXPECT_EQ(text_at(event, "lastTimestamp"), "2026-01-02T00:00:00Z");
  EXPECT_EQ(integer_at(event, "count"), 1);
  EXPECT_EQ(text_at(object_at(event, "involvedObject"), "uid"), "u-thing");
  EXPECT_EQ(text_at(object_at(event, "source"), "component"), "component");
  EXPECT_EQ(namespace_of(event), "ns");
}

TEST_F(EventCorrelatorTest, same_one_again_counts_up) {
  const auto first = take("it changed");
  pass(90s);
  const auto second = take("it changed");
  ASSERT_TRUE(second);
  EXPECT_EQ(second->name, first->name);
  EXPECT_EQ(second->count, 2);
  EXPECT_EQ(integer_at(second->patch, "count"), 2);
  EXPECT_EQ(text_at(second->patch, "lastTimestamp"), "2026-01-02T00:01:30Z");
  EXPECT_EQ(text_at(second->event, "firstTimestamp"), "2026-01-02T00:00:00Z");
}

TEST_F(EventCorrelatorTest, tenth_message_and_later_ones_are_one_event) {
  std::string name;
  for (int i = 1; i <= 12; ++i) {
    const auto write = take(fmt::format("message {}", i));
    ASSERT_TRUE(write);
    EXPECT_EQ(write->count, i <= 10 ? 1 : i - 9);
    const auto text = text_at(write->patch, "message");
    EXPECT_EQ(text.starts_with("(combined from similar events): "), i >= 10) << text;
    if (i > 10) EXPECT_EQ(write->name, name);
    name = write->name;
    pass(1s);
  }
}

TEST_F(EventCorrelatorTest, messages_far_apart_are_not_similar) {
  for (int i = 1; i <= 12; ++i) {
    pass(11min);
    EXPECT_EQ(take(fmt::format("message {}", i))->count, 1);
  }
}

TEST_F(EventCorrelatorTest, object_has_25_at_once_then_one_in_five_minutes) {
  for (int i = 0; i < 25; ++i) EXPECT_TRUE(take("again"));
  EXPECT_FALSE(take("again"));
  EXPECT_TRUE(take("again", "another"));
  pass(4min);
  EXPECT_FALSE(take("again"));
  pass(61s);
  const auto write = take("again");
  ASSERT_TRUE(write);
  EXPECT_EQ(write->count, 28);  // those that were not written count as well
  EXPECT_FALSE(take("again"));
}

TEST_F(EventCorrelatorTest, object_without_namespace_has_its_events_in_default) {
  const auto write = correlator_.take(
      {.about = {.kind = "Node", .name = "n"}, .type = EventType::warning, .reason = "R"}, now_,
      wall_);
  EXPECT_EQ(write->in_namespace, "default");
  EXPECT_EQ(text_at(write->event, "type"), "Warning");
  EXPECT_FALSE(object_at(write->event, "involvedObject").contains("namespace"));
}

TEST_F(EventCorrelatorTest, name_fits_however_long_the_object_s_is) {
  EXPECT_EQ(take("m", std::string(253, 'n'))->name.size(), 253);
}

TEST_F(EventCorrelatorTest, memory_is_bounded) {
  for (int i = 0; i < 10'000; ++i) ASSERT_TRUE(take("m", std::to_string(i)));
  EXPECT_EQ(take("m", "9999")->count, 2);
  EXPECT_EQ(take("m", "0")->count, 1);  // forgotten
}

}  // namespace
}  // namespace kube
