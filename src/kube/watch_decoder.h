#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/object.hpp>

#include "base/result.h"

namespace kube {

/// One line of a watch.
struct WatchEvent {
  enum class Type { added, modified, deleted, bookmark, error };
  Type type = Type::error;
  boost::json::object object;  // of an error: a Status
};

/// Cuts the body of a watch into events, fed with bytes as they come. No I/O.
class WatchDecoder {
 public:
  /// A line longer than `max_line` bytes is an error: no object of an API server is (etcd
  /// allows 1.5 MiB).
  explicit WatchDecoder(std::size_t max_line = 16 * 1024 * 1024) : max_line_(max_line) {}

  void feed(std::string_view bytes) { pending_ += bytes; }
  /// The next whole event; nothing when more bytes are needed. After an error the rest is useless.
  base::Result<std::optional<WatchEvent>> next();

 private:
  std::size_t max_line_;
  std::string pending_;
  std::size_t scanned_ = 0;  // bytes of pending_ known to hold no line end
  std::size_t start_ = 0;    // where the next line begins in pending_
};

}  // namespace kube
