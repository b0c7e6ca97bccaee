#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "grpc/status.h"

namespace grpc {

/// What precedes each message on the wire: one flag byte and the length, four bytes big-endian.
inline constexpr std::size_t kPrefixBytes = 5;
/// The largest message that peers built with grpc-go accept.
inline constexpr std::size_t kMaxMessageBytes = 4 * 1024 * 1024;

void write_prefix(std::uint8_t* out, std::size_t message_bytes);

/// Cuts a stream of bytes into gRPC messages, without I/O.
class MessageReader {
 public:
  class Sink {
   public:
    virtual ~Sink() = default;
    /// A view, valid during the call: into the bytes fed if the message lies in them whole.
    virtual void on_message(base::Bytes message) = 0;
  };
  explicit MessageReader(std::size_t limit = kMaxMessageBytes) : limit_(limit) {}

  /// A message above the limit is an error as soon as its length is known. After a status that is
  /// not ok nothing more may be fed.
  Status feed(base::Bytes bytes, Sink& sink);
  /// True between two messages: an end of the stream here cuts nothing off.
  bool at_boundary() const { return prefix_size_ == 0 && missing_ == 0; }
  /// Bytes held of a message that is not complete.
  std::size_t held() const { return partial_.size(); }

 private:
  Status take_prefix(base::Bytes& bytes);
  void take_body(base::Bytes& bytes, Sink& sink);

  std::size_t limit_;
  std::array<std::uint8_t, kPrefixBytes> prefix_{};
  std::size_t prefix_size_ = 0;
  std::vector<std::uint8_t> partial_;  // of the current message
  std::size_t size_ = 0;               // of the current message
  std::size_t missing_ = 0;            // bytes of it still to come
  bool in_message_ = false;
};

}  // namespace grpc
