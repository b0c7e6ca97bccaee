#include "tunnel/packet.h"

#include <string>

#include <gtest/gtest.h>

#include "base/id.h"
#include "grpc/message_reader.h"
#include "packet.pb.h"

namespace tunnel {
namespace {

std::string hex(std::string_view bytes) {
  std::string text;
  for (const char byte : bytes) text += fmt::format("{:02x}", static_cast<unsigned char>(byte));
  return text;
}

Packet decode(const std::string& message) {
  const auto packet = decode_packet(base::as_bytes(message));
  EXPECT_TRUE(packet) << hex(message);
  return packet.value_or(Packet{});
}

oracle::Packet parse(const std::string& message) {
  oracle::Packet packet;
  EXPECT_TRUE(packet.ParseFromString(message));
  return packet;
}

TEST(Packet, encodes_as_the_reference) {
  EXPECT_EQ(hex(encode_dial_request("tcp", "127.0.0.1:80", 111)),
            "12150a03746370120c3132372e302e302e313a3830186f");
  EXPECT_EQ(hex(encode_dial_response(111, 1, "")), "08011a041001186f");
  EXPECT_EQ(hex(encode_close_request(1)), "08022a020801");
  EXPECT_EQ(hex(encode_close_response(1, "x")), "080332050a01781001");
  EXPECT_EQ(hex(encode_close_dial(111)), "08053a02086f");
  EXPECT_EQ(hex(encode_drain()), "08064200");
}

TEST(Packet, frames_data_as_the_reference) {
  base::Buffer buffer(100);
  buffer.append(base::as_bytes("hi"));
  frame_data(buffer, 1);
  EXPECT_EQ(hex(base::as_text(buffer.bytes())), "000000000a0804220608011a026869");
}

TEST(Packet, frames_data_of_any_size_and_id_within_the_headroom) {
  for (const std::int64_t id : {std::int64_t{1}, std::int64_t{1} << 40, std::int64_t{-1}}) {
    base::Buffer buffer(1'000'000);
    buffer.append(base::as_bytes(std::string(1'000'000, 'x')));
    frame_data(buffer, id);
    const auto packet =
        parse(std::string(base::as_text(buffer.bytes().subspan(grpc::kPrefixBytes))));
    EXPECT_EQ(packet.data().connect_id(), id);
    EXPECT_EQ(packet.data().data().size(), 1'000'000u);
  }
}

TEST(Packet, decodes_what_protoc_encodes) {
  for (int round = 0; round < 200; ++round) {
    oracle::Packet packet;
    const auto id = static_cast<std::int64_t>(base::random_u64());
    packet.set_type(oracle::DIAL_RSP);
    packet.mutable_dial_response()->set_connect_id(id);
    packet.mutable_dial_response()->set_random(id >> 3);
    packet.mutable_dial_response()->set_error(std::string(base::random_u64() % 300, 'e'));
    const std::string wire = packet.SerializeAsString();
    const Packet ours = decode(wire);
    EXPECT_EQ(ours.type, PacketType::dial_response);
    EXPECT_EQ(ours.connect_id, id);
    EXPECT_EQ(ours.random, id >> 3);
    EXPECT_EQ(ours.error, packet.dial_response().error());
  }
}

TEST(Packet, takes_an_empty_message_for_a_dial_request_without_payload) {
  const Packet packet = decode("");
  EXPECT_EQ(packet.type, PacketType::dial_request);
  EXPECT_EQ(packet.address, "");
}

TEST(Packet, reads_zeros_where_the_payload_is_missing_or_of_another_type) {
  EXPECT_EQ(decode(std::string("\x08\x01", 2)).random, 0);
  std::string data_with_wrong_payload = encode_dial_response(7, 9, "");
  data_with_wrong_payload[1] = 4;
  EXPECT_EQ(decode(data_with_wrong_payload).connect_id, 0);
}

TEST(Packet, finds_a_type_that_stands_last) {
  const std::string wire = encode_close_request(5);
  const Packet packet = decode(wire.substr(2) + wire.substr(0, 2));
  EXPECT_EQ(packet.type, PacketType::close_request);
  EXPECT_EQ(packet.connect_id, 5);
}

TEST(Packet, replaces_random_and_keeps_the_rest) {
  const std::string unknown_field("\x7a\x03xyz", 5);
  const std::string original = encode_dial_request("tcp", "a:1", 111) + unknown_field;
  const std::string changed = with_random(base::as_bytes(original), PacketType::dial_request, 222);
  const auto packet = parse(changed);
  EXPECT_EQ(packet.dial_request().random(), 222);
  EXPECT_EQ(packet.dial_request().address(), "a:1");
  EXPECT_NE(packet.SerializeAsString().find("xyz"), std::string::npos);
  EXPECT_EQ(decode(changed).random, 222);
  EXPECT_EQ(decode(with_random(base::as_bytes(original), PacketType::dial_request, 0)).random, 0);
}

TEST(Packet, refuses_malformed_protobuf) {
  for (const std::string& wire :
       {std::string("\xff"), std::string("\x12\x05\x0a"), std::string("\x0a"),
        std::string("\x00\x00", 2), std::string("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
        std::string("\x0b")}) {
    EXPECT_FALSE(decode_packet(base::as_bytes(wire))) << hex(wire);
  }
}

TEST(Packet, tolerates_unknown_types) {
  EXPECT_EQ(wire_name(decode(std::string("\x08\x63", 2)).type), "Unknown");
}

}  // namespace
}  // namespace tunnel
