#include "tunnel/agent/sync_schedule.h"

#include <gtest/gtest.h>

#include "tunnel/agent/server_count.h"

namespace tunnel {
namespace {

using namespace std::chrono_literals;
using Outcome = SyncSchedule::Outcome;

// `pause` is `base`, and up to a tenth more.
void expect_about(async::Duration pause, async::Duration base) {
  EXPECT_GE(pause, base);
  EXPECT_LE(pause, base + base / 10);
}

TEST(SyncScheduleTest, waits_the_interval_when_all_is_well) {
  SyncSchedule schedule(1s, 10s);
  expect_about(schedule.after(Outcome::connected, true), 1s);
  expect_about(schedule.after(Outcome::settled, true), 1s);
}

TEST(SyncScheduleTest, waits_longer_after_each_failure_up_to_the_cap) {
  SyncSchedule schedule(1s, 10s);
  for (int i = 0; i < 20; ++i) expect_about(schedule.after(Outcome::failed, false), 250ms);
  for (const auto base : {1000ms, 1500ms, 2250ms, 3375ms, 5062ms, 7593ms, 10000ms, 10000ms})
    expect_about(schedule.after(Outcome::failed, false), base);
}

TEST(SyncScheduleTest, forgets_failures_after_a_success) {
  SyncSchedule schedule(1s, 10s);
  for (int i = 0; i < 25; ++i) schedule.after(Outcome::failed, false);
  schedule.after(Outcome::settled, true);
  expect_about(schedule.after(Outcome::failed, false), 1s);
}

TEST(SyncScheduleTest, hurries_after_a_loss_for_a_while) {
  SyncSchedule schedule(1s, 10s);
  for (int i = 0; i < 25; ++i) schedule.after(Outcome::failed, false);
  schedule.server_lost();
  for (int i = 0; i < 20; ++i) expect_about(schedule.after(Outcome::failed, false), 250ms);
  expect_about(schedule.after(Outcome::failed, false), 1s);
  expect_about(schedule.after(Outcome::failed, false), 1500ms);
}

TEST(SyncScheduleTest, hurries_for_a_while_where_servers_are_missing) {
  SyncSchedule schedule(1s, 10s);
  expect_about(schedule.after(Outcome::connected, false), 250ms);
  for (int i = 1; i < 20; ++i) expect_about(schedule.after(Outcome::settled, false), 250ms);
  expect_about(schedule.after(Outcome::settled, false), 1s);
  schedule.server_lost();
  expect_about(schedule.after(Outcome::settled, false), 250ms);
  expect_about(schedule.after(Outcome::connected, true), 1s);
}

TEST(ServerCountTest, is_one_before_anything_is_known) { EXPECT_EQ(ServerCount().known(), 1); }

TEST(ServerCountTest, is_what_the_last_server_said) {
  ServerCount count;
  count.heard(3);
  EXPECT_EQ(count.known(), 3);
  count.heard(0);
  EXPECT_EQ(count.known(), 1);
}

TEST(ServerCountTest, prefers_leases_or_takes_the_larger) {
  std::optional<int> leases;
  ServerCount preferred([&] { return leases; }, false), maximum([&] { return leases; }, true);
  preferred.heard(5);
  maximum.heard(5);
  EXPECT_EQ(preferred.known(), 5);
  leases = 2;
  EXPECT_EQ(preferred.known(), 2);
  EXPECT_EQ(maximum.known(), 5);
  leases = 7;
  EXPECT_EQ(maximum.known(), 7);
}

}  // namespace
}  // namespace tunnel
