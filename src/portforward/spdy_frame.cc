#include "portforward/spdy_frame.h"

#include <algorithm>

#include <fmt/format.h>

#include "portforward/big_endian.h"

namespace portforward {

namespace {

using base::Bytes;
using base::Code;
using base::fail;

enum Type : std::uint16_t {
  kSynStream = 1,
  kSynReply = 2,
  kRstStream = 3,
  kSettings = 4,
  kPing = 6,
  kGoAway = 7,
  kHeaders = 8,
  kWindowUpdate = 9,
};

constexpr std::uint16_t kVersion = 3;
constexpr std::uint8_t kFin = 1;
constexpr std::size_t kHeadSize = 8;
constexpr std::size_t kLargestControl = 64 * 1024;
constexpr std::uint32_t kStreamMask = 0x7fff'ffff;
constexpr std::uint32_t kInitialWindowSetting = 7;
constexpr std::size_t kSettingSize = 8;

std::string control(Type type, std::uint8_t flags, std::string_view body) {
  std::string frame;
  append_u16(frame, 0x8000 | kVersion);
  append_u16(frame, type);
  frame += static_cast<char>(flags);
  append_u24(frame, static_cast<std::uint32_t>(body.size()));
  return frame.append(body);
}

std::string two_numbers(std::uint32_t first, std::uint32_t second) {
  std::string body;
  append_u32(body, first);
  append_u32(body, second);
  return body;
}

std::uint32_t stream_of(Bytes body) { return read_u32(body) & kStreamMask; }

/// The least size that the body of a control frame has.
std::size_t least_size(std::uint16_t type) {
  switch (type) {
    case kSynStream:
      return 10;
    case kRstStream:
    case kGoAway:
    case kWindowUpdate:
      return 8;
    case kSynReply:
    case kSettings:
    case kPing:
    case kHeaders:
      return 4;
    default:
      return 0;
  }
}

bool is_known(std::uint16_t type) { return least_size(type) > 0; }

SpdySettings parse_settings(Bytes body) {
  SpdySettings settings;
  const auto count = std::min<std::size_t>(read_u32(body), (body.size() - 4) / kSettingSize);
  for (std::size_t i = 0; i < count; ++i) {
    const auto entry = body.subspan(4 + i * kSettingSize, kSettingSize);
    if (read_u24(entry.subspan(1)) == kInitialWindowSetting) {
      settings.initial_window = read_u32(entry.subspan(4)) & kStreamMask;
    }
  }
  return settings;
}

}  // namespace

// Appends to what was gathered until it has `size` bytes.
bool SpdyDecoder::gather(Bytes& input, std::size_t size) {
  const auto count = std::min(size - gathered_.size(), input.size());
  gathered_ += base::as_text(input.first(count));
  input = input.subspan(count);
  return gathered_.size() == size;
}

base::Result<void> SpdyDecoder::begin_frame() {
  const auto head = base::as_bytes(gathered_);
  flags_ = head[4];
  left_ = read_u24(head.subspan(5));
  const bool is_control = (head[0] & 0x80) != 0;
  if (!is_control) {
    stream_ = stream_of(head);
    state_ = State::data;
  } else if ((read_u16(head) & 0x7fff) != kVersion) {
    return fail(Code::invalid,
                fmt::format("this is not SPDY/3.1 (version {})", read_u16(head) & 0x7fff));
  } else {
    type_ = read_u16(head.subspan(2));
    state_ = is_known(type_) ? State::control : State::skip;
    if (state_ == State::control && left_ > kLargestControl) {
      return fail(Code::invalid, fmt::format("a SPDY control frame of {} bytes", left_));
    }
  }
  gathered_.clear();
  return {};
}

SpdyFrame SpdyDecoder::take_data(Bytes& input) {
  const auto count = std::min(left_, input.size());
  const SpdyData part{stream_, input.first(count), left_ == count && (flags_ & kFin) != 0};
  input = input.subspan(count);
  left_ -= count;
  if (left_ == 0) state_ = State::head;
  return part;
}

SpdyDecoder::Next SpdyDecoder::finish_control() {
  state_ = State::head;
  const std::string body = std::exchange(gathered_, {});
  if (body.size() < least_size(type_)) {
    return fail(Code::invalid, fmt::format("a SPDY frame of type {} is too short", type_));
  }
  return parse(base::as_bytes(body));
}

SpdyDecoder::Next SpdyDecoder::parse(Bytes body) {
  const bool fin = (flags_ & kFin) != 0;
  switch (type_) {
    case kSynStream: {
      TRY(auto fields, headers(body.subspan(10)));
      return SpdySynStream{stream_of(body), std::move(fields), fin};
    }
    case kSynReply: {
      TRY(auto fields, headers(body.subspan(4)));
      return SpdySynReply{stream_of(body), std::move(fields), fin};
    }
    case kHeaders: {
      TRY_VOID(headers(body.subspan(4)));
      return SpdyMoreHeaders{stream_of(body), fin};
    }
    case kRstStream:
      return SpdyReset{stream_of(body), read_u32(body.subspan(4))};
    case kSettings:
      return parse_settings(body);
    case kPing:
      return SpdyPing{read_u32(body)};
    case kGoAway:
      return SpdyGoAway{stream_of(body)};
    default:
      return SpdyWindowUpdate{stream_of(body), read_u32(body.subspan(4)) & kStreamMask};
  }
}

SpdyDecoder::Next SpdyDecoder::next(Bytes& input) {
  for (;;) {
    switch (state_) {
      case State::head:
        if (!gather(input, kHeadSize)) return std::nullopt;
        TRY_VOID(begin_frame());
        break;
      case State::control:
        if (!gather(input, left_)) return std::nullopt;
        return finish_control();
      case State::data:
        // An empty frame is one too: it carries the end.
        if (left_ > 0 && input.empty()) return std::nullopt;
        return take_data(input);
      case State::skip: {
        const auto count = std::min(left_, input.size());
        input = input.subspan(count);
        left_ -= count;
        if (left_ > 0) return std::nullopt;
        state_ = State::head;
      }
    }
  }
}

std::string SpdyEncoder::syn_stream(std::uint32_t stream, const SpdyHeaders& headers) {
  std::string body = two_numbers(stream, 0);
  append_u16(body, 0);  // priority and slot
  body += header_encoder_.encode(headers);
  return control(kSynStream, 0, body);
}

std::string SpdyEncoder::syn_reply(std::uint32_t stream, const SpdyHeaders& headers) {
  std::string body;
  append_u32(body, stream);
  body += header_encoder_.encode(headers);
  return control(kSynReply, 0, body);
}

std::string SpdyEncoder::reset(std::uint32_t stream, SpdyStatus status) {
  return control(kRstStream, 0, two_numbers(stream, static_cast<std::uint32_t>(status)));
}

std::string SpdyEncoder::settings_initial_window(std::uint32_t bytes) {
  std::string body;
  append_u32(body, 1);
  return control(kSettings, 0, body + two_numbers(kInitialWindowSetting, bytes));
}

std::string SpdyEncoder::ping(std::uint32_t id) {
  std::string body;
  append_u32(body, id);
  return control(kPing, 0, body);
}

std::string SpdyEncoder::go_away(std::uint32_t last_stream) {
  return control(kGoAway, 0, two_numbers(last_stream, 0));
}

std::string SpdyEncoder::window_update(std::uint32_t stream, std::uint32_t delta) {
  return control(kWindowUpdate, 0, two_numbers(stream, delta));
}

std::string SpdyEncoder::data_head(std::uint32_t stream, std::size_t size, bool fin) {
  std::string head;
  append_u32(head, stream);
  head += static_cast<char>(fin ? kFin : 0);
  append_u24(head, static_cast<std::uint32_t>(size));
  return head;
}

}  // namespace portforward
