#include "kube/error.h"

#include <gtest/gtest.h>

namespace kube {
namespace {

http::ResponseHead head(unsigned status, std::vector<http::HeaderField> fields = {}) {
  return {.status = status, .reason = "Text", .fields = std::move(fields)};
}

Error answer(unsigned status, std::string_view reason) {
  return error_of_answer(
      head(status),
      fmt::format(R"({{"kind":"Status","reason":"{}","message":"m","code":{}}})", reason, status));
}

TEST(KubeError, two_kinds_of_409_are_told_apart) {
  EXPECT_TRUE(answer(409, "AlreadyExists").is_already_exists());
  EXPECT_TRUE(answer(409, "Conflict").is_conflict());
}

TEST(KubeError, keeps_status_and_reason_for_labels) {
  const auto error = answer(404, "NotFound");
  EXPECT_TRUE(error.is_not_found());
  EXPECT_EQ(error.http_status, 404);
  EXPECT_EQ(error.reason, "NotFound");
  EXPECT_EQ(error.message, "m (404 NotFound)");
}

TEST(KubeError, http_status_decides_without_a_status_object) {
  EXPECT_TRUE(error_of_answer(head(403), "no entry").is_forbidden());
  EXPECT_TRUE(error_of_answer(head(401), "").is_unauthenticated());
  EXPECT_TRUE(error_of_answer(head(410), "[]").is_gone());
  EXPECT_TRUE(error_of_answer(head(503), "{}").is(base::Code::unavailable));
  EXPECT_TRUE(error_of_answer(head(422), "x").is_invalid());
}

TEST(KubeError, body_of_a_stranger_is_shown_on_one_line) {
  EXPECT_EQ(error_of_answer(head(502), "bad\r\ngate").message, "502 Text: bad  gate");
}

TEST(KubeError, answer_over_http2_has_no_reason_phrase) {
  http::ResponseHead bare{.status = 502};
  EXPECT_EQ(error_of_answer(bare, "bad gate").message, "HTTP status 502: bad gate");
}

TEST(KubeError, retry_after_comes_from_header_or_details) {
  EXPECT_EQ(error_of_answer(head(429, {{"retry-after", "7"}}), "").retry_after,
            std::chrono::seconds(7));
  const auto* body =
      R"({"kind":"Status","reason":"TooManyRequests","details":{"retryAfterSeconds":3}})";
  EXPECT_EQ(error_of_answer(head(429), body).retry_after, std::chrono::seconds(3));
  EXPECT_FALSE(error_of_answer(head(429, {{"Retry-After", "soon"}}), "").retry_after);
}

TEST(KubeError, watch_error_410_means_gone) {
  EXPECT_TRUE(
      error_of_status({{"kind", "Status"}, {"reason", "Expired"}, {"code", 410}}).is_gone());
  EXPECT_TRUE(error_of_status({{"kind", "Status"}, {"code", 410}}).is_gone());
  EXPECT_EQ(error_of_status({}).http_status, 500);
}

TEST(KubeError, rises_into_the_errors_of_other_libraries) {
  const auto sliced = []() -> base::Result<int> {
    Result<int> inner = std::unexpected(answer(409, "Conflict"));
    TRY(const int value, std::move(inner));
    return value;
  };
  EXPECT_TRUE(sliced().error().is(base::Code::conflict));
}

}  // namespace
}  // namespace kube
