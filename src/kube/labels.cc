#include "kube/labels.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>

#include <fmt/format.h>

#include "kube/json.h"

namespace kube {

using base::Code;

namespace {

constexpr std::size_t kMaxName = 63;
constexpr std::size_t kMaxPrefix = 253;

bool is_lower_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }
bool is_alphanumeric(char c) { return is_lower_or_digit(c) || (c >= 'A' && c <= 'Z'); }

bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= kMaxName && is_alphanumeric(text.front()) &&
         is_alphanumeric(text.back()) && std::ranges::all_of(text, [](char c) {
           return is_alphanumeric(c) || c == '-' || c == '_' || c == '.';
         });
}

bool is_dns_label(std::string_view text) {
  return !text.empty() && is_lower_or_digit(text.front()) && is_lower_or_digit(text.back()) &&
         std::ranges::all_of(text, [](char c) { return is_lower_or_digit(c) || c == '-'; });
}

bool is_dns_subdomain(std::string_view text) {
  if (text.size() > kMaxPrefix) return false;
  for (;;) {
    const auto dot = std::min(text.find('.'), text.size());
    if (!is_dns_label(text.substr(0, dot))) return false;
    if (dot == text.size()) return true;
    text.remove_prefix(dot + 1);
  }
}

base::Result<std::pair<std::string, std::string>> parse_pair(std::string_view pair) {
  const auto equals = pair.find('=');
  if (equals == std::string_view::npos || pair.find('=', equals + 1) != std::string_view::npos) {
    return base::fail(Code::invalid,
                      fmt::format("label \"{}\" is not of the form key=value", pair));
  }
  const auto key = pair.substr(0, equals);
  const auto value = pair.substr(equals + 1);
  if (!is_label_key(key)) {
    return base::fail(Code::invalid, fmt::format("\"{}\" is not a valid label key", key));
  }
  if (!is_label_value(value)) {
    return base::fail(Code::invalid, fmt::format("\"{}\" is not a valid label value", value));
  }
  return std::pair(std::string(key), std::string(value));
}

std::optional<std::int64_t> integer(std::string_view text) {
  std::int64_t number = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || error != std::errc{} || stop != text.data() + text.size())
    return std::nullopt;
  return number;
}

}  // namespace

bool is_label_key(std::string_view text) {
  const auto slash = text.find('/');
  if (slash == std::string_view::npos) return is_name(text);
  return is_dns_subdomain(text.substr(0, slash)) && is_name(text.substr(slash + 1));
}

bool is_label_value(std::string_view text) { return text.empty() || is_name(text); }

Labels labels_of(const json::object& object) {
  Labels labels;
  for (const auto& member : object_at(object_at(object, "metadata"), "labels")) {
    if (const auto* text = member.value().if_string()) {
      labels.emplace(std::string(member.key()), std::string(text->data(), text->size()));
    }
  }
  return labels;
}

base::Result<Labels> parse_labels(std::string_view text) {
  Labels labels;
  while (!text.empty()) {
    const auto comma = std::min(text.find(','), text.size());
    TRY(auto pair, parse_pair(text.substr(0, comma)));
    labels.insert_or_assign(std::move(pair.first), std::move(pair.second));
    if (comma + 1 == text.size()) {
      return base::fail(Code::invalid, "a label is missing after the last comma");
    }
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return labels;
}

std::string format_labels(const Labels& labels) {
  std::string text;
  for (const auto& [key, value] : labels) {
    text += fmt::format("{}{}={}", text.empty() ? "" : ",", key, value);
  }
  return text;
}

/// Recursive descent over the words, commas, operators and parentheses of a selector.
class SelectorParser {
 public:
  explicit SelectorParser(std::string_view text) : whole_(text), rest_(text) {}

  base::Result<LabelSelector> parse() {
    LabelSelector selector;
    if (at_end()) return selector;
    for (;;) {
      TRY(auto requirement, parse_requirement());
      selector.requirements_.push_back(std::move(requirement));
      if (at_end()) return selector;
      if (!skip(',')) return fail("expected ',' or the end");
    }
  }

 private:
  using Operator = LabelSelector::Operator;
  using Requirement = LabelSelector::Requirement;

  base::Result<Requirement> parse_requirement() {
    Requirement requirement;
    if (skip('!')) requirement.op = Operator::absent;
    requirement.key = word();
    if (!is_label_key(requirement.key)) {
      return fail(fmt::format("\"{}\" is not a valid label key", requirement.key));
    }
    if (requirement.op == Operator::absent || at_end() || rest_[0] == ',') return requirement;
    TRY_VOID(parse_operator(requirement));
    return requirement;
  }

  base::Result<void> parse_operator(Requirement& into) {
    if (skip('!')) {
      into.op = Operator::not_in;
      if (!skip('=')) return fail("expected '=' after '!'");
      return parse_value(into);
    }
    if (skip('=')) {
      into.op = Operator::in;
      (void)skip('=', false);  // "==" means the same
      return parse_value(into);
    }
    if (skip('>')) return parse_number(into, Operator::greater);
    if (skip('<')) return parse_number(into, Operator::less);
    const auto name = word();
    if (name != "in" && name != "notin") {
      return fail(fmt::format("\"{}\" is not an operator: use =, ==, !=, in, notin, >, <", name));
    }
    into.op = name == "in" ? Operator::in : Operator::not_in;
    return parse_set(into);
  }

  base::Result<void> parse_value(Requirement& into) {
    into.values.push_back(word());
    if (is_label_value(into.values.back())) return {};
    return fail(fmt::format("\"{}\" is not a valid label value", into.values.back()));
  }

  base::Result<void> parse_number(Requirement& into, Operator op) {
    into.op = op;
    into.values.push_back(word());
    if (integer(into.values.back())) return {};
    return fail(fmt::format("\"{}\" is not an integer", into.values.back()));
  }

  base::Result<void> parse_set(Requirement& into) {
    if (!skip('(')) return fail("expected '('");
    for (;;) {
      TRY_VOID(parse_value(into));
      if (skip(')')) return {};
      if (!skip(',')) return fail("expected ',' or ')'");
    }
  }

  void skip_blanks() {
    const auto start = rest_.find_first_not_of(" \t\r\n");
    rest_.remove_prefix(std::min(start, rest_.size()));
  }
  bool at_end() {
    skip_blanks();
    return rest_.empty();
  }
  bool skip(char wanted, bool blanks = true) {
    if (blanks) skip_blanks();
    if (!rest_.starts_with(wanted)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  std::string word() {
    skip_blanks();
    const auto end = std::min(rest_.find_first_of(" \t\r\n,()=!<>"), rest_.size());
    std::string taken(rest_.substr(0, end));
    rest_.remove_prefix(end);
    return taken;
  }
  std::unexpected<base::Error> fail(std::string_view reason) const {
    return base::fail(Code::invalid, fmt::format("label selector \"{}\", at column {}: {}", whole_,
                                                 whole_.size() - rest_.size() + 1, reason));
  }

  std::string_view whole_;
  std::string_view rest_;
};

base::Result<LabelSelector> LabelSelector::parse(std::string_view text) {
  return SelectorParser(text).parse();
}

bool LabelSelector::matches(const Labels& labels) const {
  return std::ranges::all_of(requirements_,
                             [&](const Requirement& each) { return each.matches(labels); });
}

bool LabelSelector::Requirement::matches(const Labels& labels) const {
  const auto found = labels.find(key);
  const bool there = found != labels.end();
  const bool listed = there && std::ranges::find(values, found->second) != values.end();
  switch (op) {
    case Operator::exists:
      return there;
    case Operator::absent:
      return !there;
    case Operator::in:
      return listed;
    case Operator::not_in:
      return !listed;
    case Operator::greater:
    case Operator::less:
      break;
  }
  const auto have = there ? integer(found->second) : std::nullopt;
  const auto limit = integer(values.front());
  if (!have) return false;
  return op == Operator::greater ? *have > *limit : *have < *limit;
}

}  // namespace kube
