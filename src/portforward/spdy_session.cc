#include "portforward/spdy_session.h"

#include <algorithm>
#include <limits>
#include <vector>

#include <fmt/format.h>

namespace portforward {

namespace {

using base::Bytes;
using base::Code;

constexpr std::int64_t kLargestWindow = 0x7fff'ffff;

std::string_view reason_of(std::uint32_t status) {
  switch (static_cast<SpdyStatus>(status)) {
    case SpdyStatus::protocol_error:
      return "protocol error";
    case SpdyStatus::invalid_stream:
      return "invalid stream";
    case SpdyStatus::refused_stream:
      return "refused";
    case SpdyStatus::cancel:
      return "cancelled";
    case SpdyStatus::internal_error:
      return "internal error";
    case SpdyStatus::flow_control_error:
      return "flow control error";
  }
  return "unknown reason";
}

}  // namespace

SpdySession::SpdySession(std::uint32_t window) : window_(window) {
  queue(SpdyEncoder::settings_initial_window(window_));
  // The bound is on each stream; together they are bounded by their number.
  queue(SpdyEncoder::window_update(0, kLargestWindow - kDefaultWindow));
}

std::uint32_t SpdySession::open(const SpdyHeaders& headers, SpdyStreamEvents& events) {
  const auto id = next_stream_;
  next_stream_ += 2;
  streams_.emplace(
      id,
      Stream{.events = &events, .send_window = peer_initial_window_, .receive_window = window_});
  queue(encoder_.syn_stream(id, headers));
  return id;
}

std::size_t SpdySession::sendable(std::uint32_t stream) const {
  const auto place = streams_.find(stream);
  if (place == streams_.end()) return 0;
  auto most = static_cast<std::int64_t>(kLargestSpdyData);
  if (peer_has_windows_) most = std::min(most, place->second.send_window);
  if (peer_has_connection_window_) most = std::min(most, connection_window_);
  return static_cast<std::size_t>(std::max<std::int64_t>(most, 0));
}

void SpdySession::send(std::uint32_t stream, Bytes bytes) {
  const auto place = streams_.find(stream);
  if (place == streams_.end() || bytes.empty()) return;
  place->second.send_window -= static_cast<std::int64_t>(bytes.size());
  connection_window_ -= static_cast<std::int64_t>(bytes.size());
  queue(SpdyEncoder::data_head(stream, bytes.size(), false));
  output_.append(bytes);
}

void SpdySession::finish(std::uint32_t stream) {
  const auto place = streams_.find(stream);
  if (place == streams_.end() || std::exchange(place->second.finished, true)) return;
  queue(SpdyEncoder::data_head(stream, 0, true));
  forget_if_over(stream);
}

void SpdySession::reset(std::uint32_t stream, SpdyStatus status) {
  if (streams_.erase(stream) > 0) queue(SpdyEncoder::reset(stream, status));
}

void SpdySession::consumed(std::uint32_t stream, std::size_t count) {
  const auto place = streams_.find(stream);
  if (place == streams_.end() || peer_ignores_windows_) return;
  auto& [id, state] = *place;
  state.unreported += static_cast<std::uint32_t>(count);
  if (state.unreported < window_ / 2 || state.ended) return;
  state.receive_window += state.unreported;
  queue(SpdyEncoder::window_update(id, std::exchange(state.unreported, 0)));
}

void SpdySession::ping() {
  queue(SpdyEncoder::ping(next_ping_));
  next_ping_ += 2;
}

base::Result<void> SpdySession::receive(Bytes input) {
  for (;;) {
    TRY(const auto frame, decoder_.next(input));
    if (!frame) return {};
    std::visit([this](const auto& known) { handle(known); }, *frame);
  }
}

void SpdySession::lose_all(const base::Error& error) {
  going_away_ = true;
  const auto lost = std::exchange(streams_, {});
  for (const auto& [id, stream] : lost) stream.events->on_lost(error);
}

void SpdySession::forget_if_over(std::uint32_t id) {
  const auto place = streams_.find(id);
  if (place != streams_.end() && place->second.finished && place->second.ended) {
    streams_.erase(place);
  }
}

void SpdySession::end(std::uint32_t id) {
  const auto place = streams_.find(id);
  if (place == streams_.end() || std::exchange(place->second.ended, true)) return;
  place->second.events->on_end();
  forget_if_over(id);
}

// Servers open no streams in port forwarding.
void SpdySession::handle(const SpdySynStream& frame) {
  queue(SpdyEncoder::reset(frame.stream, SpdyStatus::refused_stream));
}

void SpdySession::handle(const SpdySynReply& frame) {
  const auto place = streams_.find(frame.stream);
  if (place == streams_.end()) return;
  if (!std::exchange(place->second.replied, true)) place->second.events->on_reply();
  if (frame.fin) end(frame.stream);
}

void SpdySession::handle(const SpdyReset& frame) {
  const auto place = streams_.find(frame.stream);
  if (place == streams_.end()) return;
  auto* events = place->second.events;
  streams_.erase(place);
  events->on_lost(
      {Code::closed, fmt::format("the other end reset the stream ({})", reason_of(frame.status))});
}

void SpdySession::handle(const SpdySettings& frame) {
  if (!frame.initial_window) return;
  peer_has_windows_ = true;
  const auto change = *frame.initial_window - peer_initial_window_;
  peer_initial_window_ += change;
  for (auto& [id, stream] : streams_) stream.send_window += change;
}

void SpdySession::handle(const SpdyPing& frame) {
  if (frame.id % 2 == 1) {
    ++pongs_;
  } else {
    queue(SpdyEncoder::ping(frame.id));
  }
}

void SpdySession::handle(const SpdyGoAway&) { going_away_ = true; }

void SpdySession::handle(const SpdyMoreHeaders& frame) {
  if (frame.fin) end(frame.stream);
}

void SpdySession::handle(const SpdyWindowUpdate& frame) {
  if (frame.stream == 0) {
    peer_has_connection_window_ = true;
    connection_window_ += frame.delta;
    return;
  }
  peer_has_windows_ = true;
  const auto place = streams_.find(frame.stream);
  if (place != streams_.end()) place->second.send_window += frame.delta;
}

void SpdySession::handle(const SpdyData& frame) {
  const auto place = streams_.find(frame.stream);
  if (place == streams_.end() || place->second.ended) return;
  auto& stream = place->second;
  stream.receive_window -= static_cast<std::int64_t>(frame.bytes.size());
  if (stream.receive_window < 0) peer_ignores_windows_ = true;
  if (!frame.bytes.empty()) stream.events->on_data(frame.bytes);
  if (frame.fin) end(frame.stream);
}

}  // namespace portforward
