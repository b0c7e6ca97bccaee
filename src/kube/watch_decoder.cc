#include "kube/watch_decoder.h"

#include <algorithm>

#include <fmt/format.h>

#include "kube/json.h"

namespace kube {

using base::Code;
using base::Result;

namespace {

// A watch lives for long, and one large burst must not cost memory for as long.
constexpr std::size_t kKeptCapacity = 16 * 1024;

std::optional<WatchEvent::Type> type_of(std::string_view name) {
  using Type = WatchEvent::Type;
  if (name == "ADDED") return Type::added;
  if (name == "MODIFIED") return Type::modified;
  if (name == "DELETED") return Type::deleted;
  if (name == "BOOKMARK") return Type::bookmark;
  if (name == "ERROR") return Type::error;
  return std::nullopt;
}

Result<WatchEvent> decode(std::string_view line) {
  TRY(auto value, parse_json(line));
  auto* event = value.if_object();
  if (event == nullptr) return base::fail(Code::io, "watch: an event is not an object");
  const auto type = type_of(text_at(*event, "type"));
  if (!type) {
    return base::fail(Code::io,
                      fmt::format("watch: unknown type of event \"{}\"", text_at(*event, "type")));
  }
  auto* object = event->if_contains("object");
  if (object == nullptr || !object->is_object()) {
    return base::fail(Code::io, "watch: an event without an object");
  }
  return WatchEvent{*type, std::move(object->get_object())};
}

}  // namespace

Result<std::optional<WatchEvent>> WatchDecoder::next() {
  for (;;) {
    const auto end = pending_.find('\n', std::max(scanned_, start_));
    if (end == std::string::npos) {
      pending_.erase(0, std::exchange(start_, 0));
      scanned_ = pending_.size();
      if (pending_.capacity() > kKeptCapacity && scanned_ < kKeptCapacity) pending_.shrink_to_fit();
      if (scanned_ <= max_line_) return std::nullopt;
      return base::fail(Code::exhausted,
                        fmt::format("watch: an event is longer than {} bytes", max_line_));
    }
    const auto line = std::string_view(pending_).substr(start_, end - start_);
    start_ = end + 1;
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    TRY(auto event, decode(line));
    return event;
  }
}

}  // namespace kube
