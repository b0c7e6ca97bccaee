#include "tunnel/agent/tunnel_stream.h"

#include <utility>

namespace tunnel {

class TunnelStream::Handler : public http::H2StreamHandler {
 public:
  Handler(TunnelStream& end, http::H2Stream& stream) : end_(&end), stream_(stream) {}
  ~Handler() override {
    if (end_ != nullptr) end_->stream_ = nullptr;
  }

  void forget() { end_ = nullptr; }
  void leave() {
    forget();
    left_ = true;
  }

  void on_headers(const http::Headers& headers) override {
    const bool answer = !std::exchange(answered_, true);
    if (end_ != nullptr && answer) end_->owner_.on_answer(headers);
  }

  void on_data(base::Pieces pieces) override {
    if (left_) return stream_.reset(http::H2Error::cancel);
    if (end_ == nullptr) return stream_.consume(pieces.size());
    end_->owner_.on_bytes(pieces);
  }

  void on_end() override {
    if (end_ == nullptr || std::exchange(end_->ended_, true)) return;
    end_->owner_.on_end();
  }

  void on_drained() override {
    if (end_ != nullptr) end_->owner_.on_room();
  }

  void on_close(std::uint32_t error) override {
    TunnelStream* end = std::exchange(end_, nullptr);
    if (end == nullptr) return;
    end->stream_ = nullptr;
    const bool whole = error == 0 && end->finished_ && end->ended_;
    if (!whole) end->owner_.on_reset(static_cast<http::H2Error>(error));
  }

 private:
  TunnelStream* end_;  // null once its owner has gone
  http::H2Stream& stream_;
  bool answered_ = false;
  bool left_ = false;
};

TunnelStream::~TunnelStream() { reset(http::H2Error::cancel); }

std::unique_ptr<http::H2StreamHandler> TunnelStream::attach(http::H2Stream& stream) {
  stream.allow_half_close();
  auto handler = std::make_unique<Handler>(*this, stream);
  stream_ = &stream;
  handler_ = handler.get();
  return handler;
}

void TunnelStream::push(base::Buffer bytes) {
  if (stream_ != nullptr && !finished_) stream_->send(std::move(bytes));
}

std::size_t TunnelStream::space() const {
  return stream_ == nullptr ? kHigh : stream_->space(kHigh);
}

void TunnelStream::finish() {
  if (std::exchange(finished_, true) || stream_ == nullptr) return;
  stream_->end();
}

void TunnelStream::reset(http::H2Error error) {
  http::H2Stream* stream = std::exchange(stream_, nullptr);
  if (stream == nullptr) return;
  handler_->forget();
  if (!finished_ || !ended_) stream->reset(error);
}

void TunnelStream::leave() {
  finish();
  if (std::exchange(stream_, nullptr) != nullptr) handler_->leave();
}

void TunnelStream::refuse(const http::Headers& headers) {
  http::H2Stream* stream = std::exchange(stream_, nullptr);
  if (stream == nullptr) return;
  handler_->forget();
  stream->allow_half_close(false);
  stream->respond_and_end(headers);
}

void TunnelStream::consumed(std::size_t count) {
  if (stream_ != nullptr) stream_->consume(count);
}

}  // namespace tunnel
