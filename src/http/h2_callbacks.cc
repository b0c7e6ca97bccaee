#include "http/h2_callbacks.h"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

#include "http/h2_session.h"

namespace http {

constexpr std::size_t kFrameHead = 9;
// Smaller frames are gathered in shared blocks instead: fewer, larger writes.
constexpr std::size_t kWorthSharing = 8 * 1024;
// Larger than any block of ours; the peer's SETTINGS and windows decide.
constexpr ssize_t kLargestFrame = 64 * 1024;

// The private side of H2Session that libnghttp2 calls; nobody else sees it.
struct H2Callbacks {
  static H2Session& session_of(void* user) { return *static_cast<H2Session*>(user); }

  static bool opens_request(const nghttp2_frame* frame) {
    return frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST;
  }

  static int begin_headers(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    H2Session& session = session_of(user);
    if (opens_request(frame)) {
      session.streams_.emplace(frame->hd.stream_id,
                               std::make_unique<H2Stream>(session, frame->hd.stream_id));
    }
    if (H2Stream* stream = session.find_stream(frame->hd.stream_id)) {
      stream->incoming_.clear();
      stream->incoming_size_ = 0;
    }
    return 0;
  }

  static int header(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name,
                    std::size_t name_length, const std::uint8_t* value, std::size_t value_length,
                    std::uint8_t, void* user) {
    constexpr std::size_t kFieldOverhead = 32;  // RFC 9113, 6.5.2
    H2Session& session = session_of(user);
    if (H2Stream* stream = session.find_stream(frame->hd.stream_id)) {
      stream->incoming_size_ += name_length + value_length + kFieldOverhead;
      if (stream->incoming_size_ > session.header_limit_)
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
      stream->incoming_.push_back(
          {std::string(reinterpret_cast<const char*>(name), name_length),
           std::string(reinterpret_cast<const char*>(value), value_length)});
    }
    return 0;
  }

  static int frame_received(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    H2Session& session = session_of(user);
    switch (frame->hd.type) {
      case NGHTTP2_HEADERS:
        headers_received(session, frame);
        break;
      case NGHTTP2_DATA:
        end_received(session, frame);
        break;
      case NGHTTP2_PING:
        if ((frame->hd.flags & NGHTTP2_FLAG_ACK) != 0) ping_acknowledged(session, frame);
        break;
      case NGHTTP2_GOAWAY:
        goaway_received(session, frame->goaway);
        break;
      default:
        break;
    }
    return 0;
  }

  static void goaway_received(H2Session& session, const nghttp2_goaway& goaway) {
    note_violation(session, "the peer ends the connection", goaway);
    session.peer_left_ = true;
    session.events_.on_goaway(goaway.error_code);
  }

  // Go's clients say goodbye with the number of a stream of their own, where one of ours belongs.
  // It is a goodbye all the same; that the library then ends the session as broken is no news.
  static int invalid_frame(nghttp2_session*, const nghttp2_frame* frame, int, void* user) {
    if (frame->hd.type != NGHTTP2_GOAWAY) return 0;
    H2Session& session = session_of(user);
    goaway_received(session, frame->goaway);
    session.odd_goaway_ = true;
    return 0;
  }

  static void note_violation(H2Session& session, std::string_view what,
                             const nghttp2_goaway& goaway) {
    if (goaway.error_code == NGHTTP2_NO_ERROR || !session.violation_.empty()) return;
    session.violation_ =
        fmt::format("HTTP/2: {}: {}", what, nghttp2_http2_strerror(goaway.error_code));
    const auto* details = reinterpret_cast<const char*>(goaway.opaque_data);
    if (goaway.opaque_data_len > 0)
      session.violation_ += fmt::format(" ({})", printable({details, goaway.opaque_data_len}));
  }

  // What peers write may stand in a log line, as far as it is short.
  static std::string printable(std::string_view text) {
    constexpr std::size_t kLongest = 200;
    std::string out(text.substr(0, kLongest));
    std::ranges::replace_if(out, [](char c) { return c < 0x20 || c > 0x7e; }, '?');
    return out;
  }

  static void ping_acknowledged(H2Session& session, const nghttp2_frame* frame) {
    std::uint64_t sent = 0;
    std::memcpy(&sent, frame->ping.opaque_data, sizeof(sent));
    session.ping_acknowledged(sent);
  }

  static void headers_received(H2Session& session, const nghttp2_frame* frame) {
    session.hand_over();
    H2Stream* stream = session.find_stream(frame->hd.stream_id);
    if (stream == nullptr) return;
    const Headers headers = std::move(stream->incoming_);
    stream->incoming_.clear();
    if (opens_request(frame)) {
      auto handler = session.events_.on_request(*stream, headers);
      if (!handler) {
        stream->reset(H2Error::refused_stream);
        return;
      }
      stream->handler_ = std::move(handler);
    } else if (stream->handler_) {
      stream->handler_->on_headers(headers);
    }
    end_received(session, frame);
  }

  static void end_received(H2Session& session, const nghttp2_frame* frame) {
    if ((frame->hd.flags & NGHTTP2_FLAG_END_STREAM) == 0) return;
    session.hand_over();
    H2Stream* stream = session.find_stream(frame->hd.stream_id);
    if (stream != nullptr && stream->handler_) stream->handler_->on_end();
  }

  // A server that has answered in full reads nothing more of the request (RFC 9113, 8.1).
  static int frame_sent(nghttp2_session* native, const nghttp2_frame* frame, void* user) {
    if (frame->hd.type == NGHTTP2_GOAWAY && !session_of(user).odd_goaway_)
      note_violation(session_of(user), "the peer broke the protocol", frame->goaway);
    const bool ends = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0 &&
                      (frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA);
    H2Session& session = session_of(user);
    if (!ends || session.role_ != H2Session::Role::server) return 0;
    const H2Stream* stream = session.find_stream(frame->hd.stream_id);
    const bool half_close = stream != nullptr && stream->half_close_;
    if (!half_close && nghttp2_session_get_stream_remote_close(native, frame->hd.stream_id) == 0) {
      nghttp2_submit_rst_stream(native, NGHTTP2_FLAG_NONE, frame->hd.stream_id, NGHTTP2_NO_ERROR);
    }
    return 0;
  }

  static int data_received(nghttp2_session* native, std::uint8_t, std::int32_t id,
                           const std::uint8_t* data, std::size_t length, void* user) {
    H2Session& session = session_of(user);
    H2Stream* stream = session.find_stream(id);
    session.arrived(stream, length);
    nghttp2_session_consume_connection(native, length);
    if (stream != nullptr && stream->handler_) {
      session.collect(*stream, {data, length});
    } else {
      nghttp2_session_consume_stream(native, id, length);
    }
    return 0;
  }

  static int stream_closed(nghttp2_session*, std::int32_t id, std::uint32_t error, void* user) {
    session_of(user).hand_over();
    session_of(user).close_stream(id, error);
    return 0;
  }

  // How many bytes the next DATA frame may take from a stream's queue; they are copied in
  // send_data().
  static ssize_t body_limit(nghttp2_session*, std::uint8_t, std::int32_t,
                            std::int32_t session_window, std::int32_t stream_window,
                            std::uint32_t peer_frame_size, void*) {
    const ssize_t window = std::min(session_window, stream_window);
    return std::min({window, static_cast<ssize_t>(peer_frame_size), kLargestFrame});
  }

  static ssize_t read_body(nghttp2_session* native, std::int32_t id, std::uint8_t*,
                           std::size_t length, std::uint32_t* flags, nghttp2_data_source* source,
                           void*) {
    auto& stream = *static_cast<H2Stream*>(source->ptr);
    const std::size_t front = stream.queue_.front().size();
    const std::size_t size =
        std::min(length, front >= kWorthSharing ? front : stream.queue_.size());
    *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
    if (size == stream.queue_.size() && stream.ending_) {
      *flags |= NGHTTP2_DATA_FLAG_EOF;
      if (!stream.trailers_.empty()) submit_trailers(native, id, stream.trailers_, flags);
      return static_cast<ssize_t>(size);
    }
    if (size > 0) return static_cast<ssize_t>(size);
    stream.deferred_ = true;
    return NGHTTP2_ERR_DEFERRED;
  }

  static void submit_trailers(nghttp2_session* native, std::int32_t id, const Headers& trailers,
                              std::uint32_t* flags) {
    const auto fields = to_native(trailers);
    if (nghttp2_submit_trailer(native, id, fields.data(), fields.size()) == 0) {
      *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
    }
  }

  static std::vector<nghttp2_nv> to_native(const Headers& headers) {
    std::vector<nghttp2_nv> fields;
    fields.reserve(headers.size());
    for (const HeaderField& field : headers) {
      fields.push_back({reinterpret_cast<std::uint8_t*>(const_cast<char*>(field.name.data())),
                        reinterpret_cast<std::uint8_t*>(const_cast<char*>(field.value.data())),
                        field.name.size(), field.value.size(), NGHTTP2_NV_FLAG_NONE});
    }
    return fields;
  }

  // A stream that keeps its queue filled for so long is bulk, until it runs dry.
  static void account(H2Stream& stream, std::size_t length) {
    constexpr std::size_t kBulk = 256 * 1024;
    if (stream.sent_ == 0) stream.session_.sent_.push_back(stream.id_);
    stream.sent_ += length;
    stream.sent_in_a_row_ += length;
    if (stream.queue_.size() == length) {
      stream.sent_in_a_row_ = 0;
      stream.schedule_as(false);
    } else if (stream.sent_in_a_row_ > kBulk) {
      stream.schedule_as(true);
    }
  }

  static void copy_out(H2Session& session, H2Stream& stream, std::size_t length) {
    while (length > 0) {
      const base::Bytes part =
          stream.queue_.front().first(std::min(length, stream.queue_.front().size()));
      session.out_->append(part);
      length -= part.size();
      stream.queue_.consume(part.size());
    }
  }

  // A frame that is exactly one large block goes out as that block.
  static int send_data(nghttp2_session*, nghttp2_frame*, const std::uint8_t* head,
                       std::size_t length, nghttp2_data_source* source, void* user) {
    H2Session& session = session_of(user);
    auto& stream = *static_cast<H2Stream*>(source->ptr);
    if (session.out_->size() >= session.out_limit_) return NGHTTP2_ERR_WOULDBLOCK;
    const bool was_high = stream.queue_.size() >= H2Stream::kLowWater;
    account(stream, length);
    if (length >= kWorthSharing && length == stream.queue_.front().size()) {
      base::Buffer block = stream.queue_.pop();
      if (block.headroom() >= kFrameHead) {
        block.prepend({head, kFrameHead});
      } else {
        session.out_->append({head, kFrameHead});
      }
      session.out_->push(std::move(block));
    } else {
      session.out_->append({head, kFrameHead});
      copy_out(session, stream, length);
    }
    const bool low = stream.queue_.size() < H2Stream::kLowWater;
    stream.drained_ |= low && (was_high || stream.queue_.empty());
    return 0;
  }
};

const nghttp2_session_callbacks* h2_callbacks() {
  static nghttp2_session_callbacks* const shared = [] {
    nghttp2_session_callbacks* made = nullptr;
    nghttp2_session_callbacks_new(&made);
    nghttp2_session_callbacks_set_on_begin_headers_callback(made, H2Callbacks::begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(made, H2Callbacks::header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(made, H2Callbacks::frame_received);
    nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(made, H2Callbacks::invalid_frame);
    nghttp2_session_callbacks_set_on_frame_send_callback(made, H2Callbacks::frame_sent);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(made, H2Callbacks::data_received);
    nghttp2_session_callbacks_set_on_stream_close_callback(made, H2Callbacks::stream_closed);
    nghttp2_session_callbacks_set_data_source_read_length_callback(made, H2Callbacks::body_limit);
    nghttp2_session_callbacks_set_send_data_callback(made, H2Callbacks::send_data);
    return made;
  }();
  return shared;
}

std::vector<nghttp2_nv> h2_fields(const Headers& headers) {
  return H2Callbacks::to_native(headers);
}

nghttp2_data_provider h2_body(H2Stream& stream) {
  nghttp2_data_provider provider{};
  provider.source.ptr = &stream;
  provider.read_callback = H2Callbacks::read_body;
  return provider;
}

}  // namespace http
