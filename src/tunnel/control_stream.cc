#include "tunnel/control_stream.h"

#include <utility>

#include <fmt/format.h>

namespace tunnel {

void ControlStream::send(const ControlMessage& message) {
  stream_.send(base::as_bytes(encode_control(message)));
}

void ControlStream::on_data(base::Pieces pieces) {
  stream_.consume(pieces.size());
  for (const base::Bytes bytes : pieces) {
    if (!why_.empty()) return;
    read(bytes);
  }
}

void ControlStream::read(base::Bytes bytes) {
  auto read =
      reader_.feed(bytes, [this](const ControlMessage& message) { owner_.on_control(message); });
  if (read) return;
  why_ = read.error().message;
  stream_.reset(http::H2Error::protocol);
}

void ControlStream::on_end() {
  if (why_.empty()) why_ = "the peer ended the link";
  stream_.end();
}

void ControlStream::on_close(std::uint32_t error) {
  const bool lost = error == static_cast<std::uint32_t>(http::H2Error::connection_lost);
  if (why_.empty() && !lost)
    why_ = fmt::format("the control stream was reset with error {}", error);
  owner_.on_control_over(why_);
}

}  // namespace tunnel
