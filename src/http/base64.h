#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace http {

/// RFC 4648, section 4, with padding.
std::string base64_encode(std::string_view bytes);

/// The bytes, or nothing when `text` is not padded base64. Line breaks are skipped, as in YAML
/// block text.
std::optional<std::string> base64_decode(std::string_view text);

}  // namespace http
