#include "kube/time.h"

#include <gtest/gtest.h>

namespace kube {
namespace {

using namespace std::chrono;

TEST(KubeTime, writes_micro_time_with_six_digits) {
  const auto time = WallTime(sys_days(2026y / January / 2d) + 3h + 4min + 5s + 67us);
  EXPECT_EQ(format_micro_time(time), "2026-01-02T03:04:05.000067Z");
  EXPECT_EQ(format_time(time), "2026-01-02T03:04:05Z");
}

TEST(KubeTime, reads_what_it_writes) {
  const auto time = WallTime(sys_days(2024y / February / 29d) + 23h + 59min + 59s + 999999us);
  EXPECT_EQ(parse_time(format_micro_time(time)), time);
}

TEST(KubeTime, reads_any_fraction_and_offset) {
  const auto expected = parse_time("2026-01-02T03:04:05Z");
  ASSERT_TRUE(expected);
  EXPECT_EQ(parse_time("2026-01-02T05:34:05+02:30"), expected);
  EXPECT_EQ(parse_time("2026-01-01T22:04:05-05:00"), expected);
  EXPECT_EQ(parse_time("2026-01-02T03:04:05.5Z"), *expected + 500ms);
  EXPECT_EQ(parse_time("2026-01-02T03:04:05.123456789Z"), *expected + 123456789ns);
}

TEST(KubeTime, writes_what_go_prints) {
  const auto time = WallTime(sys_days(2027y / May / 22d) + 16h + 52min + 28s);
  EXPECT_EQ(go_time_string(time), "2027-05-22 16:52:28 +0000 UTC");
  EXPECT_EQ(go_time_string(time + 120ms), "2027-05-22 16:52:28.12 +0000 UTC");
}

TEST(KubeTime, refuses_other_text) {
  for (const auto* text :
       {"", "2026-01-02", "2026-01-02T03:04:05", "2026-13-02T03:04:05Z", "2026-02-30T03:04:05Z",
        "2026-01-02T03:04:05.Z", "2026-01-02T24:04:05Z", "2026-01-02T03:04:05Zx",
        "9999-01-02T03:04:05Z", "x026-01-02T03:04:05Z"}) {
    EXPECT_FALSE(parse_time(text)) << text;
  }
}

}  // namespace
}  // namespace kube
