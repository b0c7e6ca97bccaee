#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace tunnel {

/// One message of the control stream (docs/protocol.md, 3).
struct ControlMessage {
  enum class Type { welcome, refused, more_links, draining, unknown };
  Type type = Type::unknown;
  std::string reason;      // refused
  std::int64_t count = 0;  // more_links
  bool far = false;        // more_links: for a long path, whatever cores there are

  bool operator==(const ControlMessage&) const = default;
};

/// The message as a line, with its line feed.
std::string encode_control(const ControlMessage& message);

/// Cuts the bytes of a control stream into messages.
class ControlReader {
 public:
  static constexpr std::size_t kLongest = 16 * 1024;  // bytes of a line

  /// Calls `on_message` for each message that is whole; those of unknown type are left out. After
  /// an error (Code::invalid, with what is wrong) the stream is of no more use.
  base::Result<void> feed(base::Bytes bytes,
                          const std::function<void(const ControlMessage&)>& on_message);

 private:
  std::string line_;
};

}  // namespace tunnel
