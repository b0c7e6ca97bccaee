#include "cli/go_values.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <optional>

#include <fmt/format.h>

namespace cli {
namespace {

using base::Code;

enum class Flaw { syntax, range };

std::unexpected<base::Error> bad_number(std::string_view function, std::string_view text,
                                        Flaw flaw) {
  return base::fail(Code::invalid,
                    fmt::format("strconv.{}: parsing \"{}\": {}", function, text,
                                flaw == Flaw::syntax ? "invalid syntax" : "value out of range"));
}

/// Strips the prefix that tells the base from `digits`.
int take_base(std::string_view& digits) {
  if (digits.size() < 2 || digits[0] != '0') return 10;
  switch (digits[1]) {
    case 'x':
    case 'X':
      digits.remove_prefix(2);
      return 16;
    case 'o':
    case 'O':
      digits.remove_prefix(2);
      return 8;
    case 'b':
    case 'B':
      digits.remove_prefix(2);
      return 2;
    default:
      digits.remove_prefix(1);
      return 8;
  }
}

/// Removes the underscores that Go allows between digits; nothing when one stands elsewhere.
std::optional<std::string> without_underscores(std::string_view digits, bool has_prefix) {
  if (digits.contains("__") || digits.ends_with('_')) return std::nullopt;
  if (digits.contains('_') && !has_prefix) return std::nullopt;
  std::string plain(digits);
  std::erase(plain, '_');
  return plain;
}

std::expected<std::uint64_t, Flaw> parse_magnitude(std::string_view text) {
  std::string_view digits = text;
  const int base = take_base(digits);
  const auto plain = without_underscores(digits, digits.size() != text.size());
  if (!plain) return std::unexpected(Flaw::syntax);
  std::uint64_t value = 0;
  const auto [end, error] =
      std::from_chars(plain->data(), plain->data() + plain->size(), value, base);
  if (error == std::errc::invalid_argument || end != plain->data() + plain->size()) {
    return std::unexpected(Flaw::syntax);
  }
  if (error == std::errc::result_out_of_range) return std::unexpected(Flaw::range);
  return value;
}

struct Unit {
  std::string_view name;
  std::int64_t nanoseconds;
};
constexpr std::array<Unit, 8> kUnits = {{{"ns", 1},
                                         {"us", 1'000},
                                         {"\u00b5s", 1'000},
                                         {"\u03bcs", 1'000},
                                         {"ms", 1'000'000},
                                         {"s", 1'000'000'000},
                                         {"m", 60'000'000'000},
                                         {"h", 3'600'000'000'000}}};

std::unexpected<base::Error> bad_duration(std::string_view text,
                                          std::string_view why = "invalid duration") {
  return base::fail(Code::invalid, fmt::format("time: {} \"{}\"", why, text));
}

bool is_number_part(char c) { return c == '.' || (c >= '0' && c <= '9'); }

/// Consumes one "1.5h" from the front of `rest`; `whole` is for the text of errors.
base::Result<std::int64_t> take_duration_part(std::string_view& rest, std::string_view whole) {
  const auto number_end =
      static_cast<std::size_t>(std::ranges::find_if_not(rest, is_number_part) - rest.begin());
  const std::string_view number = rest.substr(0, number_end);
  rest.remove_prefix(number_end);
  if (number.empty() || number == "." || std::ranges::count(number, '.') > 1)
    return bad_duration(whole);
  const auto unit_end =
      static_cast<std::size_t>(std::ranges::find_if(rest, is_number_part) - rest.begin());
  const std::string_view unit = rest.substr(0, unit_end);
  rest.remove_prefix(unit_end);
  if (unit.empty()) return bad_duration(whole, "missing unit in duration");
  const auto known = std::ranges::find(kUnits, unit, &Unit::name);
  if (known == kUnits.end())
    return bad_duration(whole, fmt::format("unknown unit \"{}\" in duration", unit));
  long double value = 0;
  std::from_chars(number.data(), number.data() + number.size(), value);
  value *= static_cast<long double>(known->nanoseconds);
  if (value > static_cast<long double>(std::numeric_limits<std::int64_t>::max()))
    return bad_duration(whole);
  return static_cast<std::int64_t>(value);
}

struct Suffix {
  std::string_view name;
  std::size_t factor;
};
constexpr std::array<Suffix, 6> kSuffixes = {{{"Ki", std::size_t{1} << 10},
                                              {"Mi", std::size_t{1} << 20},
                                              {"Gi", std::size_t{1} << 30},
                                              {"k", 1'000},
                                              {"M", 1'000'000},
                                              {"G", 1'000'000'000}}};

/// "1.5" for 1500 and 1000: at most nine digits, none of them superfluous.
std::string decimal(std::int64_t value, std::int64_t unit) {
  std::string text = fmt::format("{}", value / unit);
  if (std::int64_t rest = value % unit; rest != 0) {
    text += '.';
    for (; rest != 0; rest = rest * 10 % unit) text += static_cast<char>('0' + rest * 10 / unit);
  }
  return text;
}

}  // namespace

base::Result<bool> parse_go_bool(std::string_view text) {
  constexpr std::array<std::string_view, 6> kTrue = {"1", "t", "T", "true", "TRUE", "True"};
  constexpr std::array<std::string_view, 6> kFalse = {"0", "f", "F", "false", "FALSE", "False"};
  if (std::ranges::count(kTrue, text) > 0) return true;
  if (std::ranges::count(kFalse, text) > 0) return false;
  return bad_number("ParseBool", text, Flaw::syntax);
}

base::Result<std::int64_t> parse_go_int(std::string_view text) {
  std::string_view digits = text;
  const bool negative = digits.starts_with('-');
  if (negative || digits.starts_with('+')) digits.remove_prefix(1);
  const auto magnitude = parse_magnitude(digits);
  if (!magnitude) return bad_number("ParseInt", text, magnitude.error());
  constexpr std::uint64_t kMax = std::numeric_limits<std::int64_t>::max();
  if (*magnitude > kMax + (negative ? 1 : 0)) return bad_number("ParseInt", text, Flaw::range);
  return static_cast<std::int64_t>(negative ? ~*magnitude + 1 : *magnitude);
}

base::Result<std::uint64_t> parse_go_uint(std::string_view text) {
  const auto magnitude = parse_magnitude(text);
  if (!magnitude) return bad_number("ParseUint", text, magnitude.error());
  return *magnitude;
}

base::Result<double> parse_go_float(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc::result_out_of_range) return bad_number("ParseFloat", text, Flaw::range);
  const bool number = !text.empty() && !std::isalpha(static_cast<unsigned char>(text.back()));
  if (error != std::errc() || end != text.data() + text.size() || !number) {
    return bad_number("ParseFloat", text, Flaw::syntax);
  }
  return value;
}

base::Result<async::Duration> parse_go_duration(std::string_view text) {
  std::string_view rest = text;
  const bool negative = rest.starts_with('-');
  if (negative || rest.starts_with('+')) rest.remove_prefix(1);
  if (rest == "0") return async::Duration{0};
  if (rest.empty()) return bad_duration(text);
  std::int64_t total = 0;
  while (!rest.empty()) {
    TRY(const std::int64_t part, take_duration_part(rest, text));
    if (__builtin_add_overflow(total, part, &total)) return bad_duration(text);
  }
  return async::Duration{negative ? -total : total};
}

std::string format_go_duration(async::Duration duration) {
  const std::int64_t total = duration.count();
  if (total == 0) return "0s";
  if (total < 0)
    return "-" + format_go_duration(async::Duration{total == INT64_MIN ? INT64_MAX : -total});
  if (total < 1'000) return fmt::format("{}ns", total);
  if (total < 1'000'000) return decimal(total, 1'000) + "\u00b5s";
  if (total < 1'000'000'000) return decimal(total, 1'000'000) + "ms";
  const std::int64_t minutes = total / 60'000'000'000;
  std::string text = decimal(total % 60'000'000'000, 1'000'000'000) + "s";
  if (minutes > 0) text = fmt::format("{}m{}", minutes % 60, text);
  if (minutes >= 60) text = fmt::format("{}h{}", minutes / 60, text);
  return text;
}

base::Result<std::size_t> parse_byte_size(std::string_view text) {
  std::string_view digits = text;
  std::size_t factor = 1;
  for (const Suffix& suffix : kSuffixes) {
    if (!text.ends_with(suffix.name)) continue;
    factor = suffix.factor;
    digits.remove_suffix(suffix.name.size());
    break;
  }
  std::size_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error == std::errc() && end == digits.data() + digits.size() &&
      !__builtin_mul_overflow(value, factor, &value)) {
    return value;
  }
  return base::fail(Code::invalid, "want a number of bytes such as 67108864 or 64Mi");
}

std::string format_byte_size(std::size_t bytes) {
  for (const Suffix& suffix : {kSuffixes[2], kSuffixes[1], kSuffixes[0]}) {
    if (bytes != 0 && bytes % suffix.factor == 0)
      return fmt::format("{}{}", bytes / suffix.factor, suffix.name);
  }
  return fmt::to_string(bytes);
}

}  // namespace cli
