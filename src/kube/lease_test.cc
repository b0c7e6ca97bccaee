#include "kube/lease.h"

#include <gtest/gtest.h>

#include "kube/json.h"

namespace kube {
namespace {

using std::chrono::seconds;

const auto kNow = *parse_time("2026-01-02T03:04:05.000006Z");

json::object lease(json::object spec) { return {{"spec", std::move(spec)}}; }

TEST(Lease, ends_its_duration_after_renewal) {
  const auto object = lease({{"renewTime", format_micro_time(kNow)}, {"leaseDurationSeconds", 30}});
  EXPECT_EQ(lease_end(object), kNow + seconds(30));
  EXPECT_TRUE(lease_is_valid(object, kNow + seconds(29)));
  EXPECT_FALSE(lease_is_valid(object, kNow + seconds(30)));
}

TEST(Lease, acquire_time_counts_while_it_was_never_renewed) {
  EXPECT_EQ(
      lease_end(lease({{"acquireTime", format_micro_time(kNow)}, {"leaseDurationSeconds", 5}})),
      kNow + seconds(5));
}

TEST(Lease, without_times_or_duration_it_is_expired) {
  EXPECT_FALSE(lease_end(lease({{"leaseDurationSeconds", 30}})));
  EXPECT_FALSE(lease_end(lease({{"renewTime", format_micro_time(kNow)}})));
  EXPECT_FALSE(lease_end(lease({{"renewTime", "soon"}, {"leaseDurationSeconds", 30}})));
  EXPECT_FALSE(lease_end({}));
}

TEST(Lease, absurd_durations_stay_in_range) {
  const auto object = lease(
      {{"renewTime", format_micro_time(kNow)}, {"leaseDurationSeconds", std::int64_t{1} << 62}});
  EXPECT_TRUE(lease_is_valid(object, kNow));
}

TEST(Lease, new_one_holds_what_the_claim_says) {
  const LeaseClaim claim{.name = "n", .in_namespace = "ns", .holder = "me", .labels = {{"k", "v"}}};
  EXPECT_EQ(boost::json::value(new_lease(claim, kNow)),
            boost::json::value(
                {{"apiVersion", "coordination.k8s.io/v1"},
                 {"kind", "Lease"},
                 {"metadata", {{"name", "n"}, {"namespace", "ns"}, {"labels", {{"k", "v"}}}}},
                 {"spec",
                  {{"holderIdentity", "me"},
                   {"leaseDurationSeconds", 30},
                   {"renewTime", "2026-01-02T03:04:05.000006Z"}}}}));
}

TEST(Lease, renewal_replaces_labels_and_keeps_the_rest) {
  const LeaseClaim claim{.name = "n", .holder = "me", .labels = {{"k", "v"}}};
  json::object old{{"metadata", {{"resourceVersion", "7"}, {"labels", {{"gone", "x"}}}}},
                   {"spec", {{"leaseTransitions", 3}}}};
  const auto renewed = renewed_lease(old, claim, kNow);
  EXPECT_EQ(resource_version_of(renewed), "7");
  EXPECT_EQ(labels_of(renewed), claim.labels);
  EXPECT_EQ(integer_at(object_at(renewed, "spec"), "leaseTransitions"), 3);
}

}  // namespace
}  // namespace kube
