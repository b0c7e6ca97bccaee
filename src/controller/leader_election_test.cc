#include "controller/leader_election.h"

#include "kube/json.h"
#include "kube/testing/fixture.h"

namespace controller {
namespace {

using namespace std::chrono_literals;
using kube::integer_at;
using kube::object_at;
using kube::text_at;

class ElectionStateTest : public ::testing::Test {
 protected:
  static json::object spec_of(const json::object& lease) { return object_at(lease, "spec"); }
  /// The lease after `who` wrote it.
  json::object written_by(const ElectionState& who) const { return who.claim(wall_); }

  async::TimePoint now_{5h};
  kube::WallTime wall_{std::chrono::sys_days(std::chrono::year(2026) / 1 / 2) + 1500ms};
  ElectionState a_{"a", 15s};
  ElectionState b_{"b", 15s};
};

TEST_F(ElectionStateTest, new_lease_names_its_holder) {
  a_.seen_none();
  const auto spec = spec_of(a_.claim(wall_));
  EXPECT_EQ(text_at(spec, "holderIdentity"), "a");
  EXPECT_EQ(integer_at(spec, "leaseDurationSeconds"), 15);
  EXPECT_EQ(text_at(spec, "acquireTime"), "2026-01-02T00:00:01.500000Z");
  EXPECT_EQ(text_at(spec, "renewTime"), "2026-01-02T00:00:01.500000Z");
  EXPECT_EQ(integer_at(spec, "leaseTransitions"), 0);
}

TEST_F(ElectionStateTest, renewal_moves_the_renew_time_only) {
  a_.seen(a_.claim(wall_), now_);
  ASSERT_TRUE(a_.leading());
  const auto spec = spec_of(a_.claim(wall_ + 2s));
  EXPECT_EQ(text_at(spec, "acquireTime"), "2026-01-02T00:00:01.500000Z");
  EXPECT_EQ(text_at(spec, "renewTime"), "2026-01-02T00:00:03.500000Z");
  EXPECT_EQ(integer_at(spec, "leaseTransitions"), 0);
}

TEST_F(ElectionStateTest, change_of_holder_is_counted) {
  b_.seen(written_by(a_), now_);
  const auto spec = spec_of(b_.claim(wall_ + 20s));
  EXPECT_EQ(text_at(spec, "holderIdentity"), "b");
  EXPECT_EQ(text_at(spec, "acquireTime"), "2026-01-02T00:00:21.500000Z");
  EXPECT_EQ(integer_at(spec, "leaseTransitions"), 1);
}

TEST_F(ElectionStateTest, lease_runs_from_when_it_was_seen_to_change) {
  auto lease = written_by(a_);
  b_.seen(lease, now_);
  EXPECT_FALSE(b_.may_take(now_ + 14s));
  b_.seen(lease, now_ + 14s);  // the same
  EXPECT_TRUE(b_.may_take(now_ + 15s));
  a_.seen(lease, now_);
  b_.seen(a_.claim(wall_ + 1s), now_ + 14s);
  EXPECT_FALSE(b_.may_take(now_ + 28s));
  EXPECT_TRUE(b_.may_take(now_ + 29s));
}

TEST_F(ElectionStateTest, metadata_of_others_does_not_prolong_it) {
  auto lease = written_by(a_);
  b_.seen(lease, now_);
  lease["metadata"] = {{"labels", {{"k", "v"}}}, {"resourceVersion", "9"}};
  b_.seen(lease, now_ + 14s);
  EXPECT_TRUE(b_.may_take(now_ + 15s));
  EXPECT_EQ(kube::resource_version_of(b_.claim(wall_)), "9");
}

TEST_F(ElectionStateTest, released_lease_is_free_at_once) {
  a_.seen(a_.claim(wall_), now_);
  const auto lease = a_.released(wall_ + 1s);
  const auto spec = spec_of(lease);
  EXPECT_EQ(text_at(spec, "holderIdentity"), "");
  EXPECT_EQ(integer_at(spec, "leaseDurationSeconds"), 1);
  b_.seen(lease, now_);
  EXPECT_TRUE(b_.may_take(now_));
  EXPECT_EQ(integer_at(spec_of(b_.claim(wall_)), "leaseTransitions"), 1);
}

TEST_F(ElectionStateTest, lease_without_a_spec_is_free) {
  b_.seen({{"metadata", {{"name", "x"}}}}, now_);
  EXPECT_TRUE(b_.may_take(now_));
}

TEST(ElectionIdentity, is_new_each_time) {
  const auto first = election_identity();
  EXPECT_NE(first, election_identity());
  EXPECT_EQ(first[first.size() - 37], '_') << first;
}

constexpr const char* kPath = "/apis/coordination.k8s.io/v1/namespaces/ns/leases/l";

class LeaderElectionTest : public kube::testing::FakeApiTest {
 protected:
  /// A candidate that runs.
  struct Candidate {
    Candidate(LeaderElectionTest& test, const char* identity, json::object owner = {})
        : election(*test.client_,
                   {.in_namespace = "ns",
                    .name = "l",
                    .identity = identity,
                    .owner = [owner] { return owner; }},
                   nullptr),
          tasks(test.loop_.get_executor()) {
      tasks.spawn("candidate", run(*this));
    }
    static async::Task<void> run(Candidate& self) {
      CO_TRY_VOID(co_await self.election.acquire());
      self.leads = true;
      self.ended = co_await self.election.hold();
      self.leads = false;
      co_return base::Result<void>{};
    }
    LeaderElection election;
    bool leads = false;
    std::optional<base::Result<void>> ended;
    async::TaskGroup tasks;
  };

  const json::object& spec() { return object_at(*server_.find(kPath), "spec"); }
  bool leads(Candidate& candidate) {
    return eventually([&] { return candidate.leads; });
  }
  static async::Awaitable<void> ignore(async::Task<void> task) { (void)co_await std::move(task); }
  void end(Candidate& candidate) {
    candidate.tasks.cancel();
    EXPECT_TRUE(eventually([&] { return candidate.tasks.empty(); }));
  }
};

TEST_F(LeaderElectionTest, first_candidate_leads_and_renews) {
  Candidate a(*this, "a");
  ASSERT_TRUE(leads(a));
  const auto acquired = std::string(text_at(spec(), "renewTime"));
  ASSERT_TRUE(eventually([&] { return text_at(spec(), "renewTime") != acquired; }));
  EXPECT_EQ(text_at(spec(), "acquireTime"), acquired);
  EXPECT_EQ(server_.requests()[0].method, "GET");
  EXPECT_EQ(server_.requests()[1].method, "POST");
  EXPECT_EQ(server_.requests()[2].method, "PUT");
  const auto pause = server_.requests()[2].at - server_.requests()[1].at;
  EXPECT_GE(pause, 2s);
  EXPECT_LE(pause, 3s);
  end(a);
}

TEST_F(LeaderElectionTest, lease_goes_with_the_account_of_whoever_leads) {
  const auto owners = [this] {
    return kube::array_at(object_at(*server_.find(kPath), "metadata"), "ownerReferences");
  };
  json::object account{{"kind", "ServiceAccount"}, {"uid", "of the reference"}};
  Candidate a(*this, "a", account);
  ASSERT_TRUE(leads(a));
  EXPECT_EQ(owners(), json::array{account});
  end(a);
  server_.erase(kPath);
  Candidate b(*this, "b");
  ASSERT_TRUE(leads(b));
  EXPECT_TRUE(owners().empty());
  end(b);
}

TEST_F(LeaderElectionTest, second_candidate_waits_for_the_end_of_a_killed_one) {
  Candidate a(*this, "a");
  ASSERT_TRUE(leads(a));
  Candidate b(*this, "b");
  ASSERT_TRUE(eventually([&] { return b.election.leader() == "a"; }));
  end(a);
  const auto last = server_.requests().back().at;
  EXPECT_FALSE(b.leads);
  ASSERT_TRUE(leads(b));
  EXPECT_GE(clock_.now() - last, 13s);  // it was seen up to one look later or earlier
  EXPECT_LE(clock_.now() - last, 25s);
  EXPECT_EQ(integer_at(spec(), "leaseTransitions"), 1);
  end(b);
}

TEST_F(LeaderElectionTest, released_lease_is_taken_at_the_next_look) {
  Candidate a(*this, "a");
  ASSERT_TRUE(leads(a));
  Candidate b(*this, "b");
  ASSERT_TRUE(eventually([&] { return b.election.leader() == "a"; }));
  end(a);
  const auto began = clock_.now();
  tasks_.spawn("release", a.election.release());
  ASSERT_TRUE(leads(b));
  EXPECT_LE(clock_.now() - began, 6s);
  EXPECT_EQ(text_at(spec(), "holderIdentity"), "b");
  EXPECT_EQ(integer_at(spec(), "leaseTransitions"), 1);
  EXPECT_EQ(integer_at(spec(), "leaseDurationSeconds"), 15);
  end(b);
}

TEST_F(LeaderElectionTest, candidate_that_does_not_lead_releases_nothing) {
  Candidate a(*this, "a");
  ASSERT_TRUE(leads(a));
  LeaderElection b(*client_, {.in_namespace = "ns", .name = "l", .identity = "b"}, nullptr);
  end(a);
  const auto before = server_.requests().size();
  await(ignore(b.release()));
  EXPECT_EQ(server_.requests().size(), before);
}

TEST_F(LeaderElectionTest, conflict_is_looked_into_and_survived) {
  Candidate a(*this, "a");
  ASSERT_TRUE(leads(a));
  auto lease = *server_.find(kPath);
  lease["metadata"].get_object()["labels"] = {{"touched", "yes"}};
  server_.put("/apis/coordination.k8s.io/v1/namespaces/ns/leases", lease);
  const auto before = std::string(text_at(spec(), "renewTime"));
  ASSERT_TRUE(eventually([&] { return text_at(spec(), "renewTime") != before; }));
  EXPECT_TRUE(a.leads);
  EXPECT_EQ(text_at(object_at(object_at(*server_.find(kPath), "metadata"), "labels"), "touched"),
            "yes");
  end(a);
}

TEST_F(LeaderElectionTest, leader_that_another_one_replaced_stops_at_its_next_look) {
  Candidate a(*this, "a");
  ASSERT_TRUE(leads(a));
  auto lease = *server_.find(kPath);
  lease["spec"].get_object()["holderIdentity"] = "b";
  server_.put("/apis/coordination.k8s.io/v1/namespaces/ns/leases", lease);
  const auto began = clock_.now();
  ASSERT_TRUE(eventually([&] { return a.ended.has_value(); }));
  EXPECT_TRUE(a.ended->error().is(base::Code::conflict));
  EXPECT_EQ(a.ended->error().message, "leadership lost: the lease is held by b");
  EXPECT_LE(clock_.now() - began, 5s);
}

TEST_F(LeaderElectionTest, leader_without_a_server_stops_before_its_lease_runs_out) {
  Candidate a(*this, "a");
  ASSERT_TRUE(leads(a));
  for (int i = 0; i < 100; ++i) server_.answer_next({.status = 500, .reason = "InternalError"});
  const auto last = server_.requests().back().at;
  ASSERT_TRUE(eventually([&] { return a.ended.has_value(); }));
  EXPECT_TRUE(a.ended->error().is(base::Code::timeout)) << a.ended->error().message;
  EXPECT_GE(clock_.now() - last, 10s);
  EXPECT_LT(clock_.now() - last, 15s);
  EXPECT_GE(server_.requests().size(), 6);
}

TEST_F(LeaderElectionTest, short_trouble_does_not_end_leadership) {
  Candidate a(*this, "a");
  ASSERT_TRUE(leads(a));
  for (int i = 0; i < 4; ++i) server_.answer_next({.status = 500, .reason = "InternalError"});
  const auto before = std::string(text_at(spec(), "renewTime"));
  ASSERT_TRUE(eventually([&] { return text_at(spec(), "renewTime") != before; }));
  EXPECT_TRUE(a.leads);
  end(a);
}

}  // namespace
}  // namespace controller
