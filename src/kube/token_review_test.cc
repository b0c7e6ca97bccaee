#include "kube/token_review.h"

#include "kube/testing/fixture.h"

namespace kube {
namespace {

using std::chrono::seconds;

json::object reviewed(json::object status) { return {{"status", std::move(status)}}; }

base::Code code(const json::object& review, const std::vector<std::string>& audiences = {}) {
  const auto user = read_token_review(review, audiences);
  return user ? base::Code::internal : user.error().code;
}

TEST(TokenReview, request_names_token_and_audiences) {
  EXPECT_EQ(token_review("t", {"a"}),
            (json::object{{"apiVersion", "authentication.k8s.io/v1"},
                          {"kind", "TokenReview"},
                          {"spec", {{"token", "t"}, {"audiences", json::array{"a"}}}}}));
  EXPECT_FALSE(object_at(token_review("t", {}), "spec").contains("audiences"));
}

TEST(TokenReview, accepts_only_authenticated_without_error) {
  const auto user = read_token_review(
      reviewed({{"authenticated", true},
                {"user", {{"username", "u"}, {"uid", "1"}, {"groups", json::array{"g"}}}}}),
      {"a"});
  ASSERT_TRUE(user);
  EXPECT_EQ(user->username, "u");
  EXPECT_EQ(user->groups, std::vector<std::string>{"g"});
  EXPECT_EQ(code(reviewed({})), base::Code::unauthenticated);
  EXPECT_EQ(code(reviewed({{"authenticated", false}})), base::Code::unauthenticated);
  EXPECT_EQ(code(reviewed({{"authenticated", "true"}})), base::Code::unauthenticated);
  EXPECT_EQ(code(reviewed({{"authenticated", true}, {"error", "expired"}})),
            base::Code::unauthenticated);
}

TEST(TokenReview, refuses_a_token_for_another_audience) {
  const auto review = reviewed({{"authenticated", true}, {"audiences", json::array{"x", "y"}}});
  EXPECT_EQ(code(review, {"z"}), base::Code::unauthenticated);
  EXPECT_TRUE(read_token_review(review, {"y"}));
}

TEST(ServiceAccount, must_match_exactly) {
  EXPECT_TRUE(check_service_account("system:serviceaccount:ns:sa", "ns", "sa"));
  for (const auto* name :
       {"", "system:serviceaccount:ns", "system:serviceaccount:ns:sa:x", "serviceaccount:ns:sa",
        "system:serviceaccount:other:sa", "system:serviceaccount:ns:other", "admin",
        "system:serviceaccount:ns:sa "}) {
    EXPECT_FALSE(check_service_account(name, "ns", "sa")) << name;
  }
  EXPECT_FALSE(check_service_account("system:serviceaccount:a:b:c", "a:b", "c"));
}

class TokenReviewerTest : public testing::FakeApiTest {
 protected:
  TokenReviewerTest() {
    server_.on_post("/tokenreviews", [](const json::object& review) -> json::object {
      const bool good = text_at(object_at(review, "spec"), "token").starts_with("good");
      return {{"status", {{"authenticated", good}, {"user", {{"username", good ? "u" : ""}}}}}};
    });
  }
  Result<ReviewedUser> ask(const char* token) {
    return finish(reviewer_.authenticate(token, {"a"}));
  }
  std::size_t asked() const { return server_.requests().size(); }

  TokenReviewer reviewer_{loop_, *client_, {.max_kept = 3}};
};

TEST_F(TokenReviewerTest, asks_the_api_server) {
  const auto user = ask("good");
  ASSERT_TRUE(user) << user.error().message;
  EXPECT_EQ(user->username, "u");
  EXPECT_TRUE(ask("bad").error().is_unauthenticated());
  EXPECT_EQ(server_.requests()[0].target, "/apis/authentication.k8s.io/v1/tokenreviews");
}

TEST_F(TokenReviewerTest, good_answers_are_kept_for_a_minute_and_bad_ones_for_ten_seconds) {
  (void)ask("good");
  (void)ask("bad");
  clock_.advance(seconds(5));
  (void)ask("good");
  (void)ask("bad");
  EXPECT_EQ(asked(), 2);
  clock_.advance(seconds(6));
  (void)ask("good");
  (void)ask("bad");
  EXPECT_EQ(asked(), 3);
  clock_.advance(seconds(60));
  (void)ask("good");
  EXPECT_EQ(asked(), 4);
}

TEST_F(TokenReviewerTest, failure_to_ask_is_not_kept) {
  server_.answer_next({.status = 500, .reason = "InternalError"});
  EXPECT_TRUE(ask("good").error().is(base::Code::unavailable));
  EXPECT_TRUE(ask("good"));
}

TEST_F(TokenReviewerTest, storm_of_one_token_is_one_request) {
  std::vector<std::optional<Result<ReviewedUser>>> results(50);
  for (auto& each : results)
    tasks_.spawn("storm", keep(reviewer_.authenticate("good", {"a"}), each));
  ASSERT_TRUE(eventually([&] {
    return std::ranges::all_of(results, [](const auto& each) { return each.has_value(); });
  }));
  EXPECT_TRUE(std::ranges::all_of(results, [](const auto& each) { return each->has_value(); }));
  EXPECT_EQ(asked(), 1);
}

TEST_F(TokenReviewerTest, keeps_no_more_than_its_limit) {
  for (const auto* token : {"good1", "good2", "good3", "good4", "good5"}) EXPECT_TRUE(ask(token));
  EXPECT_EQ(reviewer_.kept(), 3);
}

}  // namespace
}  // namespace kube
