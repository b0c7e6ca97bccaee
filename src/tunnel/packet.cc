#include "tunnel/packet.h"

#include <array>

#include <fmt/format.h>

#include "grpc/message_reader.h"

namespace tunnel {
namespace {

using base::Code;
using base::fail;
using base::Result;

constexpr int kVarint = 0;
constexpr int kFixed64 = 1;
constexpr int kLengthDelimited = 2;
constexpr int kFixed32 = 5;

constexpr std::size_t kMaxVarint = 10;

// Reads protobuf wire format from a view that shrinks.
class Reader {
 public:
  explicit Reader(base::Bytes bytes) : rest_(bytes) {}
  bool done() const { return rest_.empty(); }

  bool varint(std::uint64_t& value) {
    value = 0;
    for (std::size_t i = 0; i < kMaxVarint && i < rest_.size(); ++i) {
      value |= static_cast<std::uint64_t>(rest_[i] & 0x7f) << (7 * i);
      if (rest_[i] < 0x80) {
        rest_ = rest_.subspan(i + 1);
        return true;
      }
    }
    return false;
  }

  bool bytes(base::Bytes& value) {
    std::uint64_t length = 0;
    if (!varint(length) || length > rest_.size()) return false;
    value = rest_.first(length);
    rest_ = rest_.subspan(length);
    return true;
  }

  bool skip(int wire_type) {
    std::uint64_t number = 0;
    base::Bytes ignored;
    switch (wire_type) {
      case kVarint:
        return varint(number);
      case kLengthDelimited:
        return bytes(ignored);
      case kFixed64:
        return drop(8);
      case kFixed32:
        return drop(4);
      default:
        return false;  // groups were never part of this protocol
    }
  }

 private:
  bool drop(std::size_t count) {
    if (rest_.size() < count) return false;
    rest_ = rest_.subspan(count);
    return true;
  }
  base::Bytes rest_;
};

// Where the fields of a payload go; null = ignored.
struct PayloadFields {
  std::array<std::string_view*, 4> text{};
  std::array<std::int64_t*, 4> number{};
  base::Bytes* data = nullptr;  // field 3 of Data
};

PayloadFields fields_of(PacketType type, Packet& packet) {
  switch (type) {
    case PacketType::dial_request:
      return {.text = {nullptr, &packet.protocol, &packet.address},
              .number = {nullptr, nullptr, nullptr, &packet.random}};
    case PacketType::dial_response:
      return {.text = {nullptr, &packet.error},
              .number = {nullptr, nullptr, &packet.connect_id, &packet.random}};
    case PacketType::close_response:
      return {.text = {nullptr, &packet.error}, .number = {nullptr, nullptr, &packet.connect_id}};
    case PacketType::close_request:
      return {.number = {nullptr, &packet.connect_id}};
    case PacketType::data:
      return {.number = {nullptr, &packet.connect_id}, .data = &packet.data};
    case PacketType::close_dial:
      return {.number = {nullptr, &packet.random}};
    case PacketType::drain:
      break;
  }
  return {};
}

bool decode_field(Reader& reader, const PayloadFields& fields) {
  std::uint64_t key = 0;
  if (!reader.varint(key) || (key >> 3) == 0) return false;
  const std::uint64_t field = key >> 3;
  const int wire_type = static_cast<int>(key & 7);
  std::uint64_t number = 0;
  base::Bytes bytes;
  if (wire_type == kVarint && field < fields.number.size() && fields.number[field] != nullptr) {
    if (!reader.varint(number)) return false;
    *fields.number[field] = static_cast<std::int64_t>(number);
    return true;
  }
  if (wire_type == kLengthDelimited && field < fields.text.size() &&
      fields.text[field] != nullptr) {
    if (!reader.bytes(bytes)) return false;
    *fields.text[field] = base::as_text(bytes);
    return true;
  }
  if (wire_type == kLengthDelimited && field == 3 && fields.data != nullptr)
    return reader.bytes(*fields.data);
  return reader.skip(wire_type);
}

bool decode_payload(base::Bytes payload, PacketType type, Packet& packet) {
  const PayloadFields fields = fields_of(type, packet);
  for (Reader reader(payload); !reader.done();) {
    if (!decode_field(reader, fields)) return false;
  }
  return true;
}

// Payloads stand in fields 2 to 8, in the order of their types but that data comes before the
// closes.
constexpr std::array<PacketType, 7> kPayloadTypes{
    PacketType::dial_request,  PacketType::dial_response,  PacketType::data,
    PacketType::close_request, PacketType::close_response, PacketType::close_dial,
    PacketType::drain};

std::uint64_t payload_field(PacketType type) {
  for (std::size_t i = 0; i < kPayloadTypes.size(); ++i) {
    if (kPayloadTypes[i] == type) return i + 2;
  }
  return 0;
}

bool is_payload(std::uint64_t key) {
  return (key & 7) == kLengthDelimited && (key >> 3) >= 2 && (key >> 3) < 2 + kPayloadTypes.size();
}

std::unexpected<base::Error> malformed() { return fail(Code::invalid, "malformed packet"); }

// The type may stand behind the payload, so it is looked for first.
bool find_type(base::Bytes message, PacketType& type) {
  for (Reader reader(message); !reader.done();) {
    std::uint64_t key = 0, number = 0;
    if (!reader.varint(key) || (key >> 3) == 0) return false;
    if (key != (1 << 3 | kVarint)) {
      if (!reader.skip(static_cast<int>(key & 7))) return false;
      continue;
    }
    if (!reader.varint(number)) return false;
    type = static_cast<PacketType>(static_cast<std::int32_t>(number));
  }
  return true;
}

void put_varint(std::string& out, std::uint64_t value) {
  while (value >= 0x80) {
    out += static_cast<char>(value | 0x80);
    value >>= 7;
  }
  out += static_cast<char>(value);
}

void put_text(std::string& out, std::uint64_t field, std::string_view text) {
  if (text.empty()) return;
  put_varint(out, field << 3 | kLengthDelimited);
  put_varint(out, text.size());
  out += text;
}

void put_number(std::string& out, std::uint64_t field, std::int64_t number) {
  if (number == 0) return;
  put_varint(out, field << 3 | kVarint);
  put_varint(out, static_cast<std::uint64_t>(number));
}

void put_payload(std::string& out, PacketType type, std::string_view payload) {
  put_varint(out, payload_field(type) << 3 | kLengthDelimited);
  put_varint(out, payload.size());
  out += payload;
}

std::string packet_of(PacketType type, std::string_view payload) {
  std::string out;
  put_number(out, 1, static_cast<std::int64_t>(type));
  put_payload(out, type, payload);
  return out;
}

}  // namespace

std::string_view wire_name(PacketType type) {
  switch (type) {
    case PacketType::dial_request:
      return "DIAL_REQ";
    case PacketType::dial_response:
      return "DIAL_RSP";
    case PacketType::close_request:
      return "CLOSE_REQ";
    case PacketType::close_response:
      return "CLOSE_RSP";
    case PacketType::data:
      return "DATA";
    case PacketType::close_dial:
      return "DIAL_CLS";
    case PacketType::drain:
      return "DRAIN";
  }
  return "Unknown";
}

Result<Packet> decode_packet(base::Bytes message) {
  Packet packet;
  if (!find_type(message, packet.type)) return malformed();
  const std::uint64_t wanted = payload_field(packet.type);
  for (Reader reader(message); !reader.done();) {
    std::uint64_t key = 0;
    base::Bytes payload;
    reader.varint(key);
    if ((key & 7) != kLengthDelimited || (key >> 3) != wanted || wanted == 0) {
      reader.skip(static_cast<int>(key & 7));
      if (is_payload(key))
        packet = Packet{.type = packet.type};  // of a oneof the last member counts
      continue;
    }
    if (!reader.bytes(payload) || !decode_payload(payload, packet.type, packet)) return malformed();
  }
  return packet;
}

std::string encode_dial_request(std::string_view protocol, std::string_view address,
                                std::int64_t random) {
  std::string payload;
  put_text(payload, 1, protocol);
  put_text(payload, 2, address);
  put_number(payload, 3, random);
  return packet_of(PacketType::dial_request, payload);
}

std::string encode_dial_response(std::int64_t random, std::int64_t connect_id,
                                 std::string_view error) {
  std::string payload;
  put_text(payload, 1, error);
  put_number(payload, 2, connect_id);
  put_number(payload, 3, random);
  return packet_of(PacketType::dial_response, payload);
}

std::string encode_close_request(std::int64_t connect_id) {
  std::string payload;
  put_number(payload, 1, connect_id);
  return packet_of(PacketType::close_request, payload);
}

std::string encode_close_response(std::int64_t connect_id, std::string_view error) {
  std::string payload;
  put_text(payload, 1, error);
  put_number(payload, 2, connect_id);
  return packet_of(PacketType::close_response, payload);
}

std::string encode_close_dial(std::int64_t random) {
  std::string payload;
  put_number(payload, 1, random);
  return packet_of(PacketType::close_dial, payload);
}

std::string encode_drain() { return packet_of(PacketType::drain, ""); }

std::string with_random(base::Bytes original, PacketType type, std::int64_t random) {
  std::string out(base::as_text(original));
  std::string payload;
  // Written even when it is 0, since an absent field would not override the one before.
  put_varint(payload, 3 << 3 | kVarint);
  put_varint(payload, static_cast<std::uint64_t>(random));
  put_payload(out, type, payload);
  return out;
}

void frame_data(base::Buffer& data, std::int64_t connect_id) {
  const std::size_t size = data.size();
  std::string inner;
  put_number(inner, 1, connect_id);
  put_varint(inner, 3 << 3 | kLengthDelimited);
  put_varint(inner, size);
  std::string head(grpc::kPrefixBytes, '\0');
  put_number(head, 1, static_cast<std::int64_t>(PacketType::data));
  put_varint(head, payload_field(PacketType::data) << 3 | kLengthDelimited);
  put_varint(head, inner.size() + size);
  head += inner;
  grpc::write_prefix(reinterpret_cast<std::uint8_t*>(head.data()),
                     head.size() - grpc::kPrefixBytes + size);
  data.prepend(base::as_bytes(head));
}

}  // namespace tunnel
