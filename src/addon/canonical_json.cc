#include "addon/canonical_json.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <ranges>
#include <vector>

#include <fmt/format.h>

#include "pki/digest.h"

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

/// What stands for itself. 0xe2 begins U+2028 and U+2029, and others.
bool is_plain(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x20 && byte != 0xe2 && !std::string_view("\"\\<>&").contains(c);
}

/// Writes the character at the front of `text` that is not plain; how many bytes it was.
std::size_t write_special(std::string& out, std::string_view text) {
  constexpr std::string_view kLineSeparator = "\xe2\x80\xa8";
  constexpr std::string_view kParagraphSeparator = "\xe2\x80\xa9";
  if (text.starts_with(kLineSeparator) || text.starts_with(kParagraphSeparator)) {
    out += text.starts_with(kLineSeparator) ? "\\u2028" : "\\u2029";
    return 3;
  }
  const auto escape = escape_of(static_cast<unsigned char>(text.front()));
  out += escape.empty() ? std::string(1, text.front()) : escape;
  return 1;
}

void write_text(std::string& out, std::string_view text) {
  out += '"';
  while (!text.empty()) {
    const auto* end = std::find_if_not(text.begin(), text.end(), is_plain);
    out.append(text.begin(), end);
    text.remove_prefix(static_cast<std::size_t>(end - text.begin()));
    if (!text.empty()) text.remove_prefix(write_special(out, text));
  }
  out += '"';
}

/// "-1.25e+02" as its parts.
struct Digits {
  std::string sign;
  std::string digits;  // "125", without a point
  int exponent = 0;    // of the first digit
};

/// The shortest that read back as the same number.
Digits shortest(double number) {
  std::array<char, 40> buffer{};
  const auto* end =
      std::to_chars(buffer.begin(), buffer.end(), number, std::chars_format::scientific).ptr;
  const std::string_view text(buffer.data(), static_cast<std::size_t>(end - buffer.data()));
  Digits parts;
  for (const char c : text.substr(0, text.find('e'))) {
    if (c == '-') parts.sign = "-";
    if (c >= '0' && c <= '9') parts.digits += c;
  }
  const auto exponent = text.substr(text.find('e') + 1);
  const bool plus = exponent.starts_with('+');
  std::from_chars(exponent.data() + (plus ? 1 : 0), end, parts.exponent);
  return parts;
}

/// The digits with a point, and zeros up to it.
std::string positional(const std::string& digits, int exponent) {
  if (exponent < 0) {
    return "0." + std::string(static_cast<std::size_t>(-exponent - 1), '0') + digits;
  }
  const auto whole = static_cast<std::size_t>(exponent) + 1;
  if (digits.size() <= whole) return digits + std::string(whole - digits.size(), '0');
  return digits.substr(0, whole) + "." + digits.substr(whole);
}

/// encoding/json: an exponent only below 1e-6 and from 1e21 on.
void write_number(std::string& out, double number) {
  const auto [sign, digits, exponent] = shortest(number);
  const double size = std::abs(number);
  const bool scientific = size != 0 && (size < 1e-6 || size >= 1e21);
  out += sign;
  if (scientific) {
    out += positional(digits, 0) + fmt::format("e{:+}", exponent);
  } else {
    out += positional(digits, exponent);
  }
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
    case json::kind::uint64:  // beyond int64, where Go holds a float
      write_number(out, static_cast<double>(value.get_uint64()));
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

std::string spec_hash(const json::object& object) {
  json::object hashed = object;
  for (const auto* dropped : {"apiVersion", "kind", "metadata", "status"}) hashed.erase(dropped);
  return pki::sha256_hex(canonical_json(hashed));
}

}  // namespace addon
