#include "http/h2_session.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "base/check.h"
#include "http/h2_callbacks.h"

namespace http {
namespace {

using base::Code;
using base::fail;
using base::Result;

// A client may cancel every one of its streams (konnectivity's reusable tunnel does); the library's
// own limit against rapid resets would end the connection of a busy one.
constexpr std::uint64_t kResetBurst = 100'000;
constexpr std::uint64_t kResetRate = 10'000;  // per second

struct OptionDeleter {
  void operator()(nghttp2_option* option) const { nghttp2_option_del(option); }
};

using OptionPtr = std::unique_ptr<nghttp2_option, OptionDeleter>;

OptionPtr make_options(bool any_message) {
  nghttp2_option* option = nullptr;
  nghttp2_option_new(&option);
  nghttp2_option_set_no_auto_window_update(option, 1);
  nghttp2_option_set_no_http_messaging(option, any_message ? 1 : 0);
  nghttp2_option_set_no_closed_streams(option, 1);
  nghttp2_option_set_max_continuations(option, 1024);
  nghttp2_option_set_peer_max_concurrent_streams(option, 1 << 20);
  nghttp2_option_set_stream_reset_rate_limit(option, kResetBurst, kResetRate);
  return OptionPtr(option);
}

}  // namespace

const std::string* find(const Headers& headers, std::string_view name) {
  const auto found = std::ranges::find(headers, name, &HeaderField::name);
  return found == headers.end() ? nullptr : &found->value;
}

std::size_t count(const Headers& headers, std::string_view name) {
  return static_cast<std::size_t>(std::ranges::count(headers, name, &HeaderField::name));
}

H2Session::H2Session(const Options& options, Events& events)
    : events_(events),
      role_(options.role),
      header_limit_(options.header_limit),
      stream_window_(options.stream_window),
      windows_(options.windows),
      connection_window_(options.connection_window),
      connection_window_told_(windows_ == nullptr ? options.connection_window
                                                  : connection_window_.size({})),
      budget_(options.budget) {
  static const OptionPtr strict = make_options(false), tolerant = make_options(true);
  const auto create =
      role_ == Role::server ? nghttp2_session_server_new2 : nghttp2_session_client_new2;
  CHECK(create(&session_, h2_callbacks(), this, (options.any_message ? tolerant : strict).get()) ==
        0);
  submit_settings(options);
}

H2Session::~H2Session() {
  close_streams(H2Error::connection_lost);
  nghttp2_session_del(session_);
}

void H2Session::submit_settings(const Options& options) {
  std::vector<nghttp2_settings_entry> entries{
      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, options.stream_window},
      {NGHTTP2_SETTINGS_MAX_FRAME_SIZE, options.max_frame_size},
      {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, options.header_limit}};
  if (options.max_streams > 0)
    entries.push_back({NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, options.max_streams});
  if (role_ == Role::client) entries.push_back({NGHTTP2_SETTINGS_ENABLE_PUSH, 0});
  nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, entries.data(), entries.size());
  nghttp2_session_set_local_window_size(session_, NGHTTP2_FLAG_NONE, 0,
                                        static_cast<std::int32_t>(connection_window_told_));
}

Result<void> H2Session::receive(base::Bytes bytes) {
  const ssize_t taken = nghttp2_session_mem_recv(session_, bytes.data(), bytes.size());
  hand_over();
  announce_output();
  if (taken == NGHTTP2_ERR_BAD_CLIENT_MAGIC) {
    constexpr std::uint8_t kTlsHandshake = 0x16;  // the first byte of a TLS connection
    return fail(Code::invalid, bytes[0] == kTlsHandshake
                                   ? "the peer speaks TLS; this socket speaks without it: turn TLS "
                                     "off at the peer"
                                   : "the peer does not speak HTTP/2; this port is for gRPC");
  }
  if (taken < 0) {
    return fail(Code::invalid,
                fmt::format("HTTP/2: {}", nghttp2_strerror(static_cast<int>(taken))));
  }
  return {};
}

// Frames of one stream in a row reach its owner together, who may write them in one go.
void H2Session::collect(H2Stream& stream, base::Bytes bytes) {
  constexpr std::size_t kTogether = 16;
  if (receiving_ != &stream || pieces_.size() == kTogether) hand_over();
  receiving_ = &stream;
  pieces_.push_back(bytes);
}

void H2Session::hand_over() {
  const H2Stream* stream = std::exchange(receiving_, nullptr);
  if (stream == nullptr) return;
  stream->handler_->on_data(std::span<const base::Bytes>(pieces_));
  pieces_.clear();
}

// Most of what comes, and most windows that are returned, make nothing to be said at once.
void H2Session::announce_output() {
  if (nghttp2_session_want_write(session_) != 0 || nghttp2_session_want_read(session_) == 0)
    events_.on_output();
}

Result<void> H2Session::produce(base::BufferQueue& out, std::size_t limit) {
  out_ = &out;
  out_limit_ = limit;
  ssize_t length = 0;
  do {
    const std::uint8_t* frames = nullptr;
    length = nghttp2_session_mem_send(session_, &frames);
    if (length > 0) out.append({frames, static_cast<std::size_t>(length)});
    if (length > 0 && out.size() < limit) continue;
    // Who hears that its bytes have gone may have more to say.
    const bool told = notify_sent();
    if (length == 0 && told && out.size() < limit && nghttp2_session_want_write(session_) != 0)
      length = 1;
  } while (length > 0 && out.size() < limit);
  out_ = nullptr;
  if (length < 0)
    return fail(Code::internal,
                fmt::format("HTTP/2: {}", nghttp2_strerror(static_cast<int>(length))));
  return {};
}

bool H2Session::notify_sent() {
  if (sent_.empty()) return false;
  for (const std::int32_t id : std::exchange(sent_, {})) {
    H2Stream* stream = find_stream(id);
    if (stream == nullptr || !stream->handler_) continue;
    stream->handler_->on_sent(std::exchange(stream->sent_, 0));
    stream = find_stream(id);
    if (stream != nullptr && std::exchange(stream->drained_, false)) stream->handler_->on_drained();
  }
  return true;
}

Result<H2Stream*> H2Session::request(const Headers& headers,
                                     std::unique_ptr<H2StreamHandler> handler) {
  return request(headers, [&](H2Stream&) { return std::move(handler); });
}

Result<H2Stream*> H2Session::request(const Headers& headers, const MakeHandler& make) {
  return open(headers, make, false);
}

Result<H2Stream*> H2Session::request_and_end(const Headers& headers, const MakeHandler& make) {
  return open(headers, make, true);
}

Result<H2Stream*> H2Session::open(const Headers& headers, const MakeHandler& make, bool ends) {
  const auto limit =
      nghttp2_session_get_remote_settings(session_, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
  if (streams_.size() >= limit)
    return fail(Code::exhausted, fmt::format("the peer allows {} streams at once", limit));
  auto stream = std::make_unique<H2Stream>(*this, 0);
  stream->ending_ = ends;
  const auto fields = h2_fields(headers);
  const nghttp2_data_provider body = h2_body(*stream);
  const std::int32_t id = nghttp2_submit_request(session_, nullptr, fields.data(), fields.size(),
                                                 ends ? nullptr : &body, nullptr);
  if (id < 0) return fail(Code::unavailable, fmt::format("HTTP/2: {}", nghttp2_strerror(id)));
  stream->id_ = id;
  stream->handler_ = make(*stream);
  H2Stream* opened = stream.get();
  streams_.emplace(id, std::move(stream));
  events_.on_output();
  return opened;
}

// A ping carries the time it was made, so that its answer tells the round trip.
void H2Session::ping() {
  std::array<std::uint8_t, sizeof(std::uint64_t)> payload{};
  if (windows_ != nullptr) {
    const auto now = static_cast<std::uint64_t>(windows_->clock.now().time_since_epoch().count());
    std::memcpy(payload.data(), &now, sizeof(now));
    pings_.push_back(now);
  }
  nghttp2_submit_ping(session_, NGHTTP2_FLAG_NONE, payload.data());
  events_.on_output();
}

// Streams that move want to know how long the way is now.
void H2Session::measure(async::TimePoint now) {
  constexpr async::Duration kFresh = std::chrono::seconds(1);
  if (now - measured_ < kFresh) return;
  measured_ = now;
  ping();
}

void H2Session::arrived(H2Stream* stream, std::size_t count) {
  if (windows_ == nullptr) return;
  const async::TimePoint now = windows_->clock.now();
  measure(now);
  if (stream != nullptr && crowd_.says_little(now, stream->place_, count))
    connection_window_.interactive(now);
  connection_window_.arrived(now, count);
  resize_connection_window(now);
}

void H2Session::resize_connection_window(async::TimePoint now) {
  const std::uint32_t size = connection_window_.size(now);
  if (std::exchange(connection_window_told_, size) == size) return;
  nghttp2_session_set_local_window_size(session_, NGHTTP2_FLAG_NONE, 0,
                                        static_cast<std::int32_t>(size));
}

void H2Session::note_interactive() {
  if (windows_ != nullptr) connection_window_.interactive(windows_->clock.now());
}

void H2Session::ping_acknowledged(std::uint64_t payload) {
  if (!pings_.empty() && pings_.front() == payload) {
    pings_.pop_front();
    const async::TimePoint then{async::Duration(static_cast<std::int64_t>(payload))};
    const async::TimePoint now = windows_->clock.now();
    const async::Duration took = now - then;
    connection_window_.measured(now, took);
    if (round_trip_.count() == 0 || took < round_trip_) {
      round_trip_ = took;
    } else {
      round_trip_ += (took - round_trip_) / 8;
    }
  }
  events_.on_ping_acknowledged();
}

void H2Session::goaway() {
  nghttp2_submit_goaway(session_, NGHTTP2_FLAG_NONE,
                        nghttp2_session_get_last_proc_stream_id(session_), NGHTTP2_NO_ERROR,
                        nullptr, 0);
  events_.on_output();
}

void H2Session::close_streams(H2Error error) {
  while (!streams_.empty())
    close_stream(streams_.begin()->first, static_cast<std::uint32_t>(error));
}

void H2Session::close_stream(std::int32_t id, std::uint32_t error) {
  const auto found = streams_.find(id);
  if (found == streams_.end()) return;
  const std::unique_ptr<H2Stream> stream = std::move(found->second);
  streams_.erase(found);
  if (stream->window_ > stream_window_) windows_->grown.remove(stream->window_ - stream_window_);
  if (stream->handler_) stream->handler_->on_close(error);
}

H2Stream* H2Session::find_stream(std::int32_t id) {
  const auto found = streams_.find(id);
  return found == streams_.end() ? nullptr : found->second.get();
}

bool H2Session::finished() const {
  return nghttp2_session_want_read(session_) == 0 && nghttp2_session_want_write(session_) == 0;
}

base::Error H2Session::why_over(std::string_view ordinary) const {
  if (!violation_.empty()) return {Code::invalid, violation_};
  return {Code::closed, peer_left_ ? "the peer ended the connection" : std::string(ordinary)};
}

H2Stream::H2Stream(H2Session& session, std::int32_t id)
    : session_(session), id_(id), queue_(session.budget_) {}

void H2Stream::respond(const Headers& headers) {
  const auto fields = h2_fields(headers);
  const nghttp2_data_provider body = h2_body(*this);
  nghttp2_submit_response(session_.session_, id_, fields.data(), fields.size(), &body);
  session_.events_.on_output();
}

void H2Stream::respond_and_end(const Headers& headers) {
  ending_ = true;
  const auto fields = h2_fields(headers);
  nghttp2_submit_response(session_.session_, id_, fields.data(), fields.size(), nullptr);
  session_.events_.on_output();
}

void H2Stream::send(base::Buffer bytes) {
  queue_.push(std::move(bytes));
  wake();
}

void H2Stream::send(base::Bytes bytes) {
  queue_.append(bytes);
  wake();
}

std::size_t H2Stream::space(std::size_t limit) const {
  constexpr std::int32_t kAtOnce = 512 * 1024;
  const std::int32_t window =
      std::min(nghttp2_session_get_stream_remote_window_size(session_.session_, id_),
               nghttp2_session_get_remote_window_size(session_.session_));
  const auto most = std::max(limit, static_cast<std::size_t>(std::clamp(window, 0, kAtOnce)));
  return most - std::min(most, queue_.size());
}

void H2Stream::end(Headers trailers) {
  if (ending_) return;
  ending_ = true;
  trailers_ = std::move(trailers);
  wake();
}

void H2Stream::wake() {
  if (std::exchange(deferred_, false)) nghttp2_session_resume_data(session_.session_, id_);
  if (session_.out_ == nullptr) session_.events_.on_output();
}

void H2Stream::reset(H2Error error) {
  nghttp2_submit_rst_stream(session_.session_, NGHTTP2_FLAG_NONE, id_,
                            static_cast<std::uint32_t>(error));
  session_.events_.on_output();
}

void H2Stream::consume(std::size_t count) {
  if (count == 0) return;
  if (session_.windows_ != nullptr) {
    consumed_ += count;
    const std::uint32_t window = std::max(window_, session_.stream_window_);
    if (consumed_ >= window / 2) widen();
  }
  nghttp2_session_consume_stream(session_.session_, id_, count);
  session_.announce_output();
}

// At least half of the window has been used up. A sender that the window limits sends between half
// of it and all in a round trip, as it is told of what was read by halves; one that sends a third
// or more may be limited by it.
void H2Stream::widen() {
  const H2Session::WindowPolicy& policy = *session_.windows_;
  const async::TimePoint now = policy.clock.now();
  session_.measure(now);
  const std::uint32_t window = std::max(window_, session_.stream_window_);
  const auto took = static_cast<double>((now - looked_).count());
  const auto round_trip = static_cast<double>(session_.round_trip_.count());
  const bool limits = took * window < 3 * round_trip * static_cast<double>(consumed_);
  consumed_ = 0;
  looked_ = now;
  if (!limits || window > policy.largest / 2) return;
  if (policy.grown.used() + window > policy.grown.limit()) return;
  policy.grown.add(window);
  window_ = window * 2;
  nghttp2_session_set_local_window_size(session_.session_, NGHTTP2_FLAG_NONE, id_,
                                        static_cast<std::int32_t>(window_));
}

// Weights are ours alone: the library serves its streams by them, the peer never hears of it.
void H2Stream::schedule_as(bool bulk) {
  if (std::exchange(bulk_, bulk) == bulk) return;
  nghttp2_priority_spec place;
  nghttp2_priority_spec_init(&place, 0, bulk ? NGHTTP2_MIN_WEIGHT : NGHTTP2_DEFAULT_WEIGHT, 0);
  nghttp2_session_change_stream_priority(session_.session_, id_, &place);
}

}  // namespace http
