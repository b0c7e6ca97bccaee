#include "addon/canonical_json.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <ranges>
#include <vector>

#include <fmt/format.h>
#include <openssl/sha.h>

namespace addon {
namespace {

/// The escape of one of the characters that Go always escapes; "" for all others.
std::string escape_of(unsigned char byte) {
  switch (byte) {
    case '"':
      return "\\\"";
    case '\\':
      return "\\\\";
    case '\b':
      return "\\b";
    case '\f':
      return "\\f";
    case '\n':
      return "\\n";
    case '\r':
      return "\\r";
    case '\t':
      return "\\t";
    default:
      break;
  }
  const bool html = byte == '<' || byte == '>' || byte == '&';
  return byte < 0x20 || html ? fmt::format("\\u{:04x}", byte) : std::string();
}

void write_text(std::string& out, std::string_view text) {
  constexpr std::string_view kSeparators = "\xe2\x80\xa8\xe2\x80\xa9";  // U+2028 U+2029
  out += '"';
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto three = text.substr(i, 3);
    if (three == kSeparators.substr(0, 3) || three == kSeparators.substr(3)) {
      out += three == kSeparators.substr(0, 3) ? "\\u2028" : "\\u2029";
      i += 2;
    } else if (auto escape = escape_of(static_cast<unsigned char>(text[i])); !escape.empty()) {
      out += escape;
    } else {
      out += text[i];
    }
  }
  out += '"';
}

/// encoding/json: the shortest digits that read back, with an exponent only below 1e-6 and from
/// 1e21 on, and an exponent of one digit after a minus where one is enough.
void write_number(std::string& out, double number) {
  const double size = std::abs(number);
  const bool exponent = size != 0 && (size < 1e-6 || size >= 1e21);
  std::array<char, 400> digits{};
  const auto end =
      std::to_chars(digits.begin(), digits.end(), number,
                    exponent ? std::chars_format::scientific : std::chars_format::fixed)
          .ptr;
  std::string text(digits.begin(), end);
  if (const auto zero = text.find("e-0"); zero != text.npos) text.erase(zero + 2, 1);
  out += text;
}

void write(std::string& out, const json::value& value);

void write_object(std::string& out, const json::object& object) {
  std::vector<const json::key_value_pair*> members;
  for (const auto& member : object) members.push_back(&member);
  std::ranges::sort(members, {},
                    [](const auto* member) { return std::string_view(member->key()); });
  out += '{';
  for (const auto* member : members) {
    if (member != members.front()) out += ',';
    write_text(out, member->key());
    out += ':';
    write(out, member->value());
  }
  out += '}';
}

void write_array(std::string& out, const json::array& array) {
  out += '[';
  for (const auto& element : array) {
    if (&element != array.begin()) out += ',';
    write(out, element);
  }
  out += ']';
}

void write(std::string& out, const json::value& value) {
  switch (value.kind()) {
    case json::kind::null:
      out += "null";
      break;
    case json::kind::bool_:
      out += value.get_bool() ? "true" : "false";
      break;
    case json::kind::int64:
      out += std::to_string(value.get_int64());
      break;
    case json::kind::uint64:
      out += std::to_string(value.get_uint64());
      break;
    case json::kind::double_:
      write_number(out, value.get_double());
      break;
    case json::kind::string:
      write_text(out, value.get_string());
      break;
    case json::kind::array:
      write_array(out, value.get_array());
      break;
    case json::kind::object:
      write_object(out, value.get_object());
      break;
  }
}

}  // namespace

std::string canonical_json(const json::value& value) {
  std::string out;
  write(out, value);
  return out;
}

std::string sha256_hex(std::string_view bytes) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), digest.data());
  return fmt::format("{:02x}", fmt::join(digest, ""));
}

std::string spec_hash(const json::object& object) {
  json::object hashed = object;
  for (const auto* dropped : {"apiVersion", "kind", "metadata", "status"}) hashed.erase(dropped);
  return sha256_hex(canonical_json(hashed));
}

}  // namespace addon
