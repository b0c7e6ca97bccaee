#include "grpc/message_reader.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace grpc {

void write_prefix(std::uint8_t* out, std::size_t message_bytes) {
  out[0] = 0;
  for (int i = 0; i < 4; ++i) out[1 + i] = static_cast<std::uint8_t>(message_bytes >> (24 - 8 * i));
}

Status MessageReader::feed(base::Bytes bytes, Sink& sink) {
  while (!bytes.empty()) {
    if (!in_message_) {
      if (Status status = take_prefix(bytes); !status.ok()) return status;
      if (!in_message_) return {};
    }
    take_body(bytes, sink);
  }
  return {};
}

Status MessageReader::take_prefix(base::Bytes& bytes) {
  const std::size_t take = std::min(bytes.size(), kPrefixBytes - prefix_size_);
  std::copy_n(bytes.begin(), take, prefix_.begin() + prefix_size_);
  prefix_size_ += take;
  bytes = bytes.subspan(take);
  if (prefix_size_ < kPrefixBytes) return {};
  if (prefix_[0] == 1)
    return {StatusCode::unimplemented, "grpc: compressed messages are not supported"};
  if (prefix_[0] != 0) return {StatusCode::internal, "grpc: malformed message prefix"};
  size_ = 0;
  for (std::size_t i = 1; i < kPrefixBytes; ++i) size_ = (size_ << 8) | prefix_[i];
  prefix_size_ = 0;
  if (size_ > limit_) {
    return {StatusCode::resource_exhausted,
            fmt::format("grpc: received message larger than max ({} vs. {})", size_, limit_)};
  }
  missing_ = size_;
  in_message_ = true;
  return {};
}

void MessageReader::take_body(base::Bytes& bytes, Sink& sink) {
  const base::Bytes part = bytes.first(std::min(bytes.size(), missing_));
  bytes = bytes.subspan(part.size());
  const bool whole = part.size() == size_;
  missing_ -= part.size();
  if (!whole) partial_.insert(partial_.end(), part.begin(), part.end());
  if (missing_ > 0) return;
  in_message_ = false;
  const std::vector<std::uint8_t> assembled = std::exchange(partial_, {});
  sink.on_message(whole ? part : base::Bytes(assembled));
}

}  // namespace grpc
