#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "async/testing/run.h"
#include "net/testing/memory_stream.h"
#include "portforward/websocket_frame.h"
#include "portforward/websocket_stream.h"

namespace portforward {
namespace {

using ::testing::HasSubstr;

std::string text(std::initializer_list<int> bytes, std::string_view rest = "") {
  std::string all;
  for (const int byte : bytes) all += static_cast<char>(byte);
  return all.append(rest);
}

/// What a decoder makes of `bytes`, `step` at a time: payload as it is, control frames as "<9:hi>".
std::string decode(std::string_view bytes, std::size_t step = 1000) {
  WebSocketDecoder decoder;
  std::string out;
  for (std::size_t at = 0; at < bytes.size(); at += step) {
    auto input = base::as_bytes(bytes.substr(at, step));
    for (;;) {
      const auto part = decoder.next(input);
      if (!part) return "error: " + part.error().message;
      if (!*part) break;
      const bool control = (*part)->opcode >= WebSocketOpcode::close;
      if (control) {
        out += fmt::format("<{}:{}>", static_cast<int>((*part)->opcode), (*part)->control);
      } else {
        out += base::as_text((*part)->bytes);
      }
    }
  }
  return out;
}

TEST(WebSocketFrames, join_to_a_stream_of_bytes_with_controls_between) {
  const std::string wire = text({0x02, 3}, "abc") + text({0x89, 2}, "hi") + text({0x80, 0}) +
                           text({0x82, 126, 1, 0}, std::string(256, 'x')) +
                           text({0x82, 127, 0, 0, 0, 0, 0, 0, 0, 1}, "y") + text({0x88, 0});
  for (const std::size_t step : {1UL, 3UL, 1000UL}) {
    EXPECT_EQ(decode(wire, step), "abc<9:hi>" + std::string(256, 'x') + "y<8:>");
  }
}

TEST(WebSocketFrames, that_no_server_may_send_are_errors) {
  EXPECT_THAT(decode(text({0x81, 1}, "x")), HasSubstr("unknown kind"));
  EXPECT_THAT(decode(text({0xc2, 1}, "x")), HasSubstr("unknown kind"));
  EXPECT_THAT(decode(text({0x82, 0x81}, "mask!")), HasSubstr("masked"));
  EXPECT_THAT(decode(text({0x89, 126, 1, 0})), HasSubstr("control frame"));
  EXPECT_THAT(decode(text({0x09, 0})), HasSubstr("control frame"));
  EXPECT_THAT(decode(text({0x82, 127, 0x80, 0, 0, 0, 0, 0, 0, 0})), HasSubstr("impossible size"));
}

TEST(WebSocketFrames, of_clients_are_masked_and_of_every_size) {
  EXPECT_EQ(websocket_frame(WebSocketOpcode::binary, base::as_bytes("ab"), 0x01020304),
            text({0x82, 0x82, 1, 2, 3, 4, 'a' ^ 1, 'b' ^ 2}));
  const std::string medium(300, 'a');
  EXPECT_TRUE(websocket_frame(WebSocketOpcode::binary, base::as_bytes(medium), 0)
                  .starts_with(text({0x82, 0x80 | 126, 300 >> 8, 300 & 0xff, 0, 0, 0, 0})));
  const std::string large(70000, 'a');
  EXPECT_TRUE(websocket_frame(WebSocketOpcode::binary, base::as_bytes(large), 0)
                  .starts_with(text({0x82, 0x80 | 127, 0, 0, 0, 0, 0, 1, 0x11, 0x70})));
}

// The example of RFC 6455, 1.3.
TEST(WebSocketHandshake, answers_a_key) {
  EXPECT_EQ(websocket_accept("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  EXPECT_EQ(websocket_key().size(), 24U);
  EXPECT_NE(websocket_key(), websocket_key());
}

class WebSocketStreamTest : public ::testing::Test {
 protected:
  std::unique_ptr<net::Stream> open(const std::string& first_bytes = "") {
    return make_websocket_stream(cable_.first(), first_bytes);
  }
  void server_sends(const std::string& bytes) {
    ASSERT_TRUE(async::testing::run(loop_, far_->write_all(base::as_bytes(bytes))));
  }
  base::Result<std::string> read(net::Stream& stream) {
    std::vector<std::uint8_t> block(1000);
    const auto count = async::testing::run(loop_, stream.read_some(block));
    if (!count) return base::fail(count.error());
    return std::string(base::as_text({block.data(), *count}));
  }

  async::Loop loop_{1};
  net::testing::Cable cable_{loop_.get_executor()};
  std::unique_ptr<net::Stream> far_ = cable_.second();
};

TEST_F(WebSocketStreamTest, reads_what_came_with_the_handshake_first) {
  const auto stream = open(text({0x82, 5}, "fir"));
  server_sends("st" + text({0x82, 6}, "second"));
  std::string all;
  while (all.size() < 11) all += *read(*stream);
  EXPECT_EQ(all, "firstsecond");
}

TEST_F(WebSocketStreamTest, answers_a_ping_with_its_next_write) {
  const auto stream = open();
  server_sends(text({0x89, 2}, "hi") + text({0x82, 1}, "x"));
  EXPECT_EQ(read(*stream), "x");
  ASSERT_TRUE(async::testing::run(loop_, stream->write_all(base::as_bytes("data"))));
  const auto wire = read(*far_);
  ASSERT_TRUE(wire) << wire.error().message;
  EXPECT_TRUE(wire->starts_with(text({0x8a, 0x82})));
  EXPECT_EQ(wire->size(), 2 + 4 + 2 + 2 + 4 + 4U);
}

TEST_F(WebSocketStreamTest, ends_with_a_normal_closure_and_fails_with_any_other) {
  const auto stream = open();
  server_sends(text({0x88, 2, 0x03, 0xe8}));
  EXPECT_EQ(read(*stream), "");
  net::testing::Cable other(loop_.get_executor());
  const auto refused = make_websocket_stream(other.first(), text({0x88, 6, 0x03, 0xe9}, "busy"));
  const auto result = read(*refused);
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().message, HasSubstr("1001 busy"));
}

TEST_F(WebSocketStreamTest, fails_when_the_server_goes_without_goodbye) {
  const auto stream = open();
  far_->close();
  EXPECT_THAT(read(*stream).error().message, HasSubstr("without goodbye"));
}

}  // namespace
}  // namespace portforward
