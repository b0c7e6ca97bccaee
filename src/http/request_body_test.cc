#include "http/request_body.h"

#include <gtest/gtest.h>

namespace http {
namespace {

std::string head(const std::string& fields) {
  return "POST /a HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n";
}
const std::string kChunked = head("Transfer-Encoding: chunked\r\n");

// What belongs to the request, of bytes that come so many at a time.
std::string taken(const std::string& head, const std::string& bytes, std::size_t step) {
  RequestBody body(head);
  std::string all;
  for (std::size_t at = 0; at < bytes.size(); at += step) {
    const std::string part = bytes.substr(at, step);
    all += part.substr(0, body.take(base::as_bytes(part)));
  }
  return all;
}

void expect_body(const std::string& head, const std::string& body) {
  for (const std::size_t step : {1u, 2u, 3u, 7u, 1000u}) {
    EXPECT_EQ(taken(head, body + "GET / HTTP/1.1\r\n\r\n", step), body) << step;
  }
}

TEST(RequestBody, none_is_over_at_once) {
  EXPECT_TRUE(RequestBody(head("")).over());
  expect_body(head(""), "");
  expect_body(head("Content-Length: 0\r\n"), "");
}

TEST(RequestBody, is_as_long_as_its_head_says) {
  expect_body(head("Content-Length: 4\r\n"), "body");
}

TEST(RequestBody, ends_with_the_last_chunk) {
  expect_body(kChunked, "0\r\n\r\n");
  expect_body(kChunked, "4\r\nbody\r\n0\r\n\r\n");
  expect_body(kChunked, "a;name=value\r\n0123456789\r\n1\r\nx\r\n0\r\n\r\n");
}

TEST(RequestBody, ends_with_the_trailer) {
  expect_body(kChunked, "1\r\nx\r\n0\r\nMd5: abc\r\n\r\n");
}

TEST(RequestBody, large_bodies_have_no_limit) {
  RequestBody body(head("Content-Length: 10000000000\r\n"));
  const std::string block(1 << 20, 'x');
  for (int i = 0; i < 100; ++i) ASSERT_EQ(body.take(base::as_bytes(block)), block.size());
  EXPECT_FALSE(body.over());
}

TEST(RequestBody, what_is_no_body_ends_it) {
  RequestBody body(kChunked);
  body.take(base::as_bytes("nonsense\r\n"));
  EXPECT_TRUE(body.over());
  EXPECT_EQ(body.take(base::as_bytes("4\r\nbody\r\n")), 0u);
}

TEST(RequestBody, a_trailer_that_is_too_long_ends_it) {
  RequestBody body(kChunked);
  const std::string field = "0\r\nMd5: " + std::string(60'000, 'x');
  body.take(base::as_bytes(field));
  body.take(base::as_bytes(std::string(60'000, 'x') + "\r\n\r\n"));
  EXPECT_TRUE(body.over());
}

TEST(RequestBody, a_chunk_head_without_an_end_ends_it) {
  RequestBody body(kChunked);
  body.take(base::as_bytes("4;"));
  body.take(base::as_bytes(std::string(1 << 20, 'x')));
  EXPECT_TRUE(body.over());
}

}  // namespace
}  // namespace http
