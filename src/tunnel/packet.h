#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/buffer.h"
#include "base/bytes.h"
#include "base/result.h"

namespace tunnel {

/// Packet types of konnectivity, as numbered on the wire. A packet without a type is a
/// dial_request.
enum class PacketType : std::int64_t {
  dial_request = 0,
  dial_response = 1,
  close_request = 2,
  close_response = 3,
  data = 4,
  close_dial = 5,
  drain = 6,
};

/// The enum's name in the protocol ("DIAL_REQ"), as it stands in metrics.
std::string_view wire_name(PacketType type);

/// One message of konnectivity's protocol, decoded. Its views point into the message. Fields that
/// are absent, or belong to a payload of another type, are zero: a packet without payload is a
/// packet of zeros.
struct Packet {
  PacketType type = PacketType::dial_request;
  std::int64_t random = 0;      // of a dial: dial_request, dial_response, close_dial
  std::int64_t connect_id = 0;  // of a connection: all others; 0 is "no connection"
  std::string_view error;       // dial_response, close_response
  std::string_view protocol;    // dial_request
  std::string_view address;     // dial_request, "host:port"
  base::Bytes data;
};

/// Decodes a protobuf message `Packet`. Unknown types and fields are no error, malformed protobuf
/// is (Code::invalid).
base::Result<Packet> decode_packet(base::Bytes message);

std::string encode_dial_request(std::string_view protocol, std::string_view address,
                                std::int64_t random);
std::string encode_dial_response(std::int64_t random, std::int64_t connect_id,
                                 std::string_view error);
std::string encode_close_request(std::int64_t connect_id);
std::string encode_close_response(std::int64_t connect_id, std::string_view error);
std::string encode_close_dial(std::int64_t random);
std::string encode_drain();

/// The message `original`, a dial_request or dial_response, with another `random`; everything else
/// in it, known to us or not, stays as it came. Protobuf merges a repeated embedded message, and
/// the last value of a field wins.
std::string with_random(base::Bytes original, PacketType type, std::int64_t random);

/// Turns the bytes in `data` (at least 1, at most grpc::kMaxMessageBytes less 64) into a framed
/// gRPC message of type data, by putting prefix and head into the buffer's headroom of at least 64
/// bytes.
void frame_data(base::Buffer& data, std::int64_t connect_id);

}  // namespace tunnel
