#include "app/doctor.h"

#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/doctor_files.h"
#include "pki/store.h"

namespace app {
namespace {

using std::chrono::hours;
using ::testing::HasSubstr;
using Role = Examination::Role;
using Verdict = Finding::Verdict;

constexpr auto kNow = pki::Store::Time(std::chrono::sys_days(std::chrono::year(2026) / 11 / 23));

class DoctorTest : public ::testing::Test {
 protected:
  DoctorTest() {
    char name[] = "/tmp/doctor-XXXXXX";
    folder_ = ::mkdtemp(name);
    store_.emplace(pki::Store::create(folder_, "test", kNow).value());
    EXPECT_TRUE(store_->issue("client", *pki::client_spec("alice", {}, hours(24 * 90)), kNow));
    EXPECT_TRUE(store_->issue("agent", *pki::agent_spec("c1", hours(24 * 90)), kNow));
    EXPECT_TRUE(store_->issue("server", *pki::server_spec({"hub"}, hours(24 * 90)), kNow));
  }
  ~DoctorTest() override { std::filesystem::remove_all(folder_); }

  Examination examination(const std::string& name, Role role = Role::client) {
    return {.role = role,
            .way = {.server = "hub:8090",
                    .files = {store_->certificate_path(name), store_->key_path(name),
                              store_->certificate_path("ca")}}};
  }
  // "verdict: text -> advice" of each finding.
  static std::string told(const std::vector<Finding>& findings) {
    std::string all;
    for (const Finding& finding : findings) {
      const char* words[] = {"good", "warning", "failed", "skipped"};
      all += fmt::format("{}: {} -> {}\n", words[static_cast<int>(finding.verdict)], finding.text,
                         finding.advice);
    }
    return all;
  }

  std::string folder_;
  std::optional<pki::Store> store_;
};

TEST_F(DoctorTest, finds_good_files_good) {
  const auto client = examine_files(examination("client"), kNow);
  EXPECT_EQ(std::ranges::count(client, Verdict::good, &Finding::verdict), 3) << told(client);
  EXPECT_THAT(told(client), HasSubstr("CN=alice), 90 days left"));
  EXPECT_THAT(told(examine_files(examination("agent", Role::agent), kNow)),
              HasSubstr("good: it is for cluster c1"));
}

TEST_F(DoctorTest, tells_certificates_that_are_for_something_else) {
  EXPECT_THAT(
      told(examine_files(examination("agent"), kNow)),
      HasSubstr("failed: it is that of an agent, of cluster c1 -> agents' certificates open"));
  EXPECT_THAT(told(examine_files(examination("server"), kNow)),
              HasSubstr("failed: it is for servers"));
  EXPECT_THAT(told(examine_files(examination("client", Role::agent), kNow)),
              HasSubstr("warning: it names no cluster"));
}

TEST_F(DoctorTest, looks_at_the_dates) {
  EXPECT_THAT(told(examine_files(examination("client"), kNow + hours(24 * 80))),
              HasSubstr("warning: "));
  EXPECT_THAT(told(examine_files(examination("client"), kNow + hours(24 * 100))),
              HasSubstr("ended 2027-02-21 -> renew it"));
  EXPECT_THAT(told(examine_files(examination("client"), kNow - hours(24))), HasSubstr("begins"));
}

TEST_F(DoctorTest, looks_into_the_files) {
  auto wrong = examination("client");
  wrong.way.files.key = store_->key_path("server");
  EXPECT_THAT(told(examine_files(wrong, kNow)), HasSubstr("failed: "));
  wrong.way.files.key = folder_ + "/none";
  EXPECT_THAT(told(examine_files(wrong, kNow)), HasSubstr("check the path"));
  wrong.way.files.ca = store_->key_path("server");
  EXPECT_THAT(told(examine_files(wrong, kNow)), HasSubstr("authorities to trust"));
  EXPECT_THAT(told(examine_files({}, kNow)), HasSubstr("warning: no certificate is given"));
}

TEST_F(DoctorTest, skips_what_stands_on_a_step_that_failed) {
  auto nobody = examination("client");
  nobody.way.server = "127.0.0.1:1";
  nobody.target = "c1:80";
  std::vector<Finding> findings;
  EXPECT_FALSE(examine(nobody, [&](const Finding& finding) { findings.push_back(finding); }));
  const std::string all = told(findings);
  EXPECT_THAT(all, HasSubstr("failed: dial tcp 127.0.0.1:1: connect: connection refused"));
  EXPECT_THAT(all, HasSubstr("skipped: a step before it failed"));
  EXPECT_THAT(all, HasSubstr("skipped: the server cannot be reached"));
}

TEST_F(DoctorTest, looks_at_no_files_in_the_clear) {
  std::vector<Finding> findings;
  EXPECT_FALSE(examine({.way = {.server = "127.0.0.1:1", .tls = false}},
                       [&](const Finding& finding) { findings.push_back(finding); }));
  std::vector<std::string> steps;
  for (const Finding& finding : findings) steps.push_back(finding.step);
  EXPECT_EQ(steps, (std::vector<std::string>{"name", "port", "tls"}));
  EXPECT_EQ(findings.back().verdict, Verdict::skipped);
}

TEST_F(DoctorTest, looks_for_the_socket) {
  std::vector<Finding> findings;
  EXPECT_FALSE(examine({.way = {.server = folder_ + "/none.sock", .tls = false}},
                       [&](const Finding& finding) { findings.push_back(finding); }));
  EXPECT_THAT(told(findings), HasSubstr("failed: dial unix"));
}

TEST(DoctorClusters, are_looked_for) {
  constexpr std::string_view kPage =
      R"({"clusters":[{"name":"c1","state":"connected"},{"name":"c2","state":"gone",
          "lastSeen":"2026-11-23T00:00:00Z","lastSeenFrom":"10.0.0.8:5"}]})";
  EXPECT_EQ(judge_clusters(kPage, "").verdict, Verdict::good);
  EXPECT_EQ(judge_clusters(kPage, "c1").verdict, Verdict::good);
  EXPECT_THAT(judge_clusters(kPage, "c2").text,
              HasSubstr("last seen at 2026-11-23T00:00:00Z, from 10.0.0.8:5"));
  EXPECT_THAT(judge_clusters(kPage, "c3").text, HasSubstr("not among those connected: c1"));
  EXPECT_THAT(judge_clusters(R"({"clusters":[]})", "").text, HasSubstr("no agent is connected"));
  EXPECT_EQ(judge_clusters("no", "").verdict, Verdict::failed);
}

TEST(DoctorFailures, tell_whose_certificate_is_not_believed) {
  EXPECT_THAT(handshake_advice("tls: tlsv1 alert unknown ca (the peer does not trust ...)"),
              HasSubstr("the server refuses this certificate"));
  EXPECT_THAT(handshake_advice("tls: certificate of the peer refused: hostname mismatch"),
              HasSubstr("the server's certificate must be"));
  EXPECT_THAT(handshake_advice("tls: handshake failed (the peer does not speak TLS; ...)"),
              HasSubstr("no port of a tunnel server"));
}

TEST(DoctorFailures, say_what_to_do) {
  using tunnel::client::DialError;
  using tunnel::client::Failure;
  const auto judged = [](Failure kind) { return judge_failure(DialError(kind, "why"), "c1:80"); };
  EXPECT_EQ(judged(Failure::no_agent).text, "no agent serves c1:80");
  EXPECT_THAT(judged(Failure::refused).advice, HasSubstr("nothing listens at the target"));
  EXPECT_THAT(judged(Failure::not_allowed).advice, HasSubstr("rule"));
  EXPECT_THAT(judged(Failure::not_resolved).advice, HasSubstr("DNS"));
  EXPECT_THAT(judged(Failure::protocol).advice, HasSubstr("no frontend"));
  EXPECT_EQ(judged(Failure::bad_target).advice, "correct the target");
  for (const Failure kind : {Failure::timed_out, Failure::unreachable, Failure::server_gone,
                             Failure::overloaded, Failure::other}) {
    EXPECT_EQ(judged(kind).text, "why");
    EXPECT_EQ(judged(kind).verdict, Verdict::failed);
  }
}

}  // namespace
}  // namespace app
