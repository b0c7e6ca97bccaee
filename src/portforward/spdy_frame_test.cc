#include "portforward/spdy_frame.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace portforward {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

/// The frames in `bytes`, given `step` bytes at a time.
std::vector<SpdyFrame> decode(SpdyDecoder& decoder, std::string_view bytes, std::size_t step) {
  std::vector<SpdyFrame> frames;
  for (std::size_t at = 0; at < bytes.size(); at += step) {
    auto input = base::as_bytes(bytes.substr(at, step));
    for (;;) {
      auto frame = decoder.next(input);
      if (!frame) ADD_FAILURE() << frame.error().message;
      if (!frame || !*frame) break;
      frames.push_back(std::move(**frame));
    }
  }
  return frames;
}

std::string refusal(std::string_view bytes) {
  SpdyDecoder decoder;
  auto input = base::as_bytes(bytes);
  for (;;) {
    auto frame = decoder.next(input);
    if (!frame) return frame.error().message;
    if (!*frame) return "accepted";
  }
}

TEST(SpdyFrames, come_out_as_they_went_in_however_they_are_cut) {
  const SpdyHeaders headers = {{"streamtype", "data"}, {"port", "8091"}, {"requestid", "0"}};
  for (const std::size_t step : {1UL, 7UL, 1000UL}) {
    SpdyEncoder encoder;
    std::string wire = encoder.syn_stream(1, headers);
    wire += encoder.syn_reply(1, {{"status", "200 OK"}});
    wire += SpdyEncoder::reset(3, SpdyStatus::cancel);
    wire += SpdyEncoder::settings_initial_window(12345);
    wire += SpdyEncoder::ping(7);
    wire += SpdyEncoder::window_update(5, 99);
    wire += SpdyEncoder::go_away(9);
    wire += encoder.syn_stream(3, headers);
    SpdyDecoder decoder;
    const auto frames = decode(decoder, wire, step);
    ASSERT_EQ(frames.size(), 8U);
    EXPECT_EQ(std::get<SpdySynStream>(frames[0]).stream, 1U);
    EXPECT_EQ(std::get<SpdySynStream>(frames[0]).headers, headers);
    EXPECT_THAT(std::get<SpdySynReply>(frames[1]).headers, ElementsAre(Pair("status", "200 OK")));
    EXPECT_EQ(std::get<SpdyReset>(frames[2]).status, 5U);
    EXPECT_EQ(std::get<SpdySettings>(frames[3]).initial_window, 12345U);
    EXPECT_EQ(std::get<SpdyPing>(frames[4]).id, 7U);
    EXPECT_EQ(std::get<SpdyWindowUpdate>(frames[5]).stream, 5U);
    EXPECT_EQ(std::get<SpdyWindowUpdate>(frames[5]).delta, 99U);
    EXPECT_EQ(std::get<SpdyGoAway>(frames[6]).last_stream, 9U);
    EXPECT_EQ(std::get<SpdySynStream>(frames[7]).headers, headers);
  }
}

TEST(SpdyFrames, carry_data_in_parts_and_end_with_the_last) {
  const std::string wire = SpdyEncoder::data_head(1, 5, true) + "hello";
  SpdyDecoder decoder;
  std::string text;
  int ends = 0;
  for (const auto& frame : decode(decoder, wire, 2)) {
    const auto& data = std::get<SpdyData>(frame);
    text += std::string(data.bytes.size(), 'x');
    ends += data.fin ? 1 : 0;
  }
  EXPECT_EQ(text.size(), 5U);
  EXPECT_EQ(ends, 1);
}

TEST(SpdyFrames, give_an_empty_data_frame_as_one) {
  SpdyDecoder decoder;
  const auto frames = decode(decoder, SpdyEncoder::data_head(1, 0, true), 100);
  ASSERT_EQ(frames.size(), 1U);
  EXPECT_TRUE(std::get<SpdyData>(frames[0]).fin);
}

TEST(SpdyFrames, of_unknown_type_are_skipped) {
  std::string unknown("\x80\x03\x00\x0b\x00\x00\x00\x03xyz", 11);
  SpdyDecoder decoder;
  const auto frames = decode(decoder, unknown + SpdyEncoder::ping(1), 3);
  ASSERT_EQ(frames.size(), 1U);
  EXPECT_EQ(std::get<SpdyPing>(frames[0]).id, 1U);
}

std::string from_hex(std::string_view text) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(std::string(text.substr(i, 2)), nullptr, 16));
  }
  return bytes;
}

// A SYN_STREAM of port forwarding as Go's spdystream writes it: compressed by another zlib.
TEST(SpdyFrames, read_headers_that_go_compressed) {
  const auto wire = from_hex(
      "800300010000003d0000000100000000000078f9e3c6a7c202253a703a2b294a4dcc851625aca9a0808614cb45e0"
      "1c606160094a9f9c459068cc04256f460300000000ffff");
  SpdyDecoder decoder;
  const auto frames = decode(decoder, wire, 1000);
  ASSERT_EQ(frames.size(), 1U);
  EXPECT_THAT(std::get<SpdySynStream>(frames[0]).headers,
              UnorderedElementsAre(Pair("port", "8091"), Pair("requestid", "0"),
                                   Pair("streamtype", "error")));
}

TEST(SpdyFrames, end_the_connection_when_they_are_none) {
  EXPECT_THAT(refusal(from_hex("8002000100000000")), HasSubstr("version 2"));
  EXPECT_THAT(refusal("HTTP/1.1 400 Bad Request"), "accepted");  // looks like a long DATA frame
  EXPECT_THAT(refusal(from_hex("8003000300000004") + "abcd"), HasSubstr("too short"));
  EXPECT_THAT(refusal(from_hex("8003000100ffffff")), HasSubstr("control frame of"));
  EXPECT_THAT(refusal(from_hex("800300020000000800000001") + "junk"),
              HasSubstr("cannot be decompressed"));
}

TEST(SpdyHeaderBlocks, are_bounded) {
  SpdyEncoder encoder;
  const auto large = encoder.syn_reply(1, {{"a", std::string(70000, 'x')}});
  EXPECT_THAT(refusal(large), HasSubstr("larger than 64 KiB"));
  SpdyEncoder other;
  EXPECT_EQ(refusal(other.syn_reply(1, {{"a", std::string(60000, 'x')}})), "accepted");
}

TEST(SpdyHeaderBlocks, must_say_how_much_is_in_them) {
  // The count says two pairs, and there is one.
  SpdyHeaderEncoder encoder;
  SpdyHeaderDecoder decoder;
  EXPECT_TRUE(decoder.decode(base::as_bytes(encoder.encode({{"a", "b"}}))));
  EXPECT_FALSE(decoder.decode(base::as_bytes(std::string("\x00\x00", 2))));
}

}  // namespace
}  // namespace portforward
