#include "addon/certificate_pacing.h"

#include <gtest/gtest.h>

namespace addon {
namespace {

using namespace std::chrono_literals;

const CertificatePacing::Time kStart{1h};

TEST(CertificatePacing, answers_at_once_where_nobody_writes) {
  CertificatePacing pacing;
  EXPECT_EQ(pacing.before_answer("c", kStart, kStart), 0s);
  pacing.addon_changed("c", kStart);
  EXPECT_EQ(pacing.before_answer("c", kStart, kStart + 250ms), 0s);
}

TEST(CertificatePacing, waits_for_calm_but_not_for_long) {
  CertificatePacing pacing;
  pacing.addon_changed("c", kStart);
  EXPECT_EQ(pacing.before_answer("c", kStart, kStart + 50ms), 200ms);
  pacing.addon_changed("c", kStart + 4900ms);
  EXPECT_EQ(pacing.before_answer("c", kStart, kStart + 4900ms), 100ms);
  EXPECT_EQ(pacing.before_answer("other", kStart, kStart), 0s);
}

TEST(CertificatePacing, waits_longer_where_others_are_to_write) {
  CertificatePacing pacing;
  pacing.addon_changed("c", kStart, CertificatePacing::kCalmBeforeOthers);
  EXPECT_EQ(pacing.before_answer("c", kStart, kStart + 50ms), 950ms);
}

TEST(CertificatePacing, answers_one_request_at_a_time) {
  CertificatePacing pacing;
  pacing.addon_changed("c", kStart);
  pacing.answered("c", "signer", kStart + 300ms);
  EXPECT_EQ(pacing.before_answer("c", kStart + 200ms, kStart + 400ms), 1900ms);
  pacing.addon_changed("c", kStart + 450ms);  // by somebody else
  EXPECT_EQ(pacing.before_answer("c", kStart + 200ms, kStart + 450ms), 1850ms);
  pacing.addon_changed("c", kStart + 500ms);
  pacing.agent_reacted("c", kStart + 500ms);
  EXPECT_EQ(pacing.before_answer("c", kStart + 200ms, kStart + 500ms), 250ms);
}

TEST(CertificatePacing, knows_that_the_agent_lost_its_key_when_it_asks_again) {
  CertificatePacing pacing;
  pacing.answered("c", "signer", kStart);
  pacing.asked("c", "other", kStart + 50ms);
  EXPECT_EQ(pacing.before_answer("c", kStart + 50ms, kStart + 50ms), 1950ms);
  pacing.asked("c", "signer", kStart + 60ms);
  EXPECT_EQ(pacing.before_answer("c", kStart + 60ms, kStart + 60ms), 0s);
}

TEST(CertificatePacing, lets_the_agent_write_first) {
  CertificatePacing pacing;
  EXPECT_EQ(pacing.before_write("c", kStart), 0s);
  pacing.answered("c", "signer", kStart);
  EXPECT_EQ(pacing.before_write("c", kStart + 400ms), 1600ms);
  pacing.agent_reacted("c", kStart + 400ms);
  EXPECT_EQ(pacing.before_write("c", kStart + 401ms), 0s);
  pacing.forget("c");
  EXPECT_EQ(pacing.before_write("c", kStart), 0s);
}

}  // namespace
}  // namespace addon
