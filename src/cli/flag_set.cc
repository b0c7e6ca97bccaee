#include "cli/flag_set.h"

#include <algorithm>
#include <limits>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/check.h"
#include "cli/go_values.h"

namespace cli {
namespace {

using base::Code;

/// A flag whose text `parse` turns into the value of `target`.
template <typename T, typename Parse>
Flag make_flag(std::string name, std::string type, T& target, std::string usage, Parse parse) {
  Flag flag{.name = std::move(name), .type = std::move(type), .usage = std::move(usage)};
  flag.set = [&target, parse](std::string_view text) -> base::Result<void> {
    TRY(target, parse(text));
    return {};
  };
  return flag;
}

base::Result<std::string> parse_string(std::string_view text) { return std::string(text); }

base::Result<std::string> take_quoted(std::string_view& rest) {
  std::string item;
  rest.remove_prefix(1);
  for (std::size_t i = 0; i < rest.size(); ++i) {
    if (rest[i] != '"') {
      item += rest[i];
    } else if (i + 1 < rest.size() && rest[i + 1] == '"') {
      item += rest[i++];
    } else {
      rest.remove_prefix(i + 1);
      if (rest.empty() || rest.front() == ',') return item;
      break;
    }
  }
  return base::fail(Code::invalid, "extraneous or missing \" in quoted-field");
}

base::Result<std::string> take_plain(std::string_view& rest) {
  const std::size_t end = std::min(rest.find(','), rest.size());
  std::string item(rest.substr(0, end));
  rest.remove_prefix(end);
  if (item.contains('"')) return base::fail(Code::invalid, "bare \" in non-quoted-field");
  return item;
}

/// "auto, http1, http2 or grpc"
std::string one_of(const std::vector<std::string>& choices) {
  const auto last = choices.end() - 1;
  return fmt::format("{} or {}", fmt::join(choices.begin(), last, ", "), *last);
}

std::string csv(const std::vector<std::string>& items) {
  return fmt::format("{}", fmt::join(items, ","));
}

}  // namespace

base::Result<std::vector<std::string>> parse_list(std::string_view text) {
  std::vector<std::string> items;
  if (text.empty()) return items;
  while (true) {
    TRY(std::string item, text.starts_with('"') ? take_quoted(text) : take_plain(text));
    items.push_back(std::move(item));
    if (text.empty()) return items;
    text.remove_prefix(1);
  }
}

Flag& FlagSet::add(Flag flag) {
  flag.section = section_;
  flag.reach = reach_;
  if (std::ranges::count(sections_, section_) == 0) sections_.push_back(section_);
  const std::string name = flag.name;
  const auto [place, fresh] = flags_.emplace(name, std::move(flag));
  CHECK(fresh);
  return place->second;
}

void FlagSet::set_shorthand(Flag& flag, char letter) {
  CHECK(shorthands_.emplace(letter, &flag).second);
  flag.shorthand = letter;
}

Flag& FlagSet::add_string(std::string name, std::string& target, std::string usage) {
  Flag flag = make_flag(std::move(name), "string", target, std::move(usage), parse_string);
  flag.fallback = target;
  return add(std::move(flag));
}

Flag& FlagSet::add_choice(std::string name, std::string& target, std::vector<std::string> choices,
                          std::string usage) {
  const auto pick = [choices](std::string_view text) -> base::Result<std::string> {
    if (std::ranges::count(choices, text) > 0) return std::string(text);
    return base::fail(Code::invalid, fmt::format("want {}", one_of(choices)));
  };
  Flag flag = make_flag(std::move(name), "string", target, std::move(usage), pick);
  flag.fallback = target;
  flag.choices = std::move(choices);
  return add(std::move(flag));
}

Flag& FlagSet::add_list(std::string name, std::vector<std::string>& target, std::string usage) {
  Flag flag{.name = std::move(name),
            .type = "strings",
            .fallback = csv(target),
            .usage = std::move(usage)};
  flag.set = [&target, first = true](std::string_view text) mutable -> base::Result<void> {
    TRY(std::vector<std::string> items, parse_list(text));
    if (std::exchange(first, false)) target.clear();
    target.insert(target.end(), items.begin(), items.end());
    return {};
  };
  return add(std::move(flag));
}

Flag& FlagSet::add_array(std::string name, std::vector<std::string>& target, std::string usage) {
  Flag flag{.name = std::move(name), .type = "stringArray", .usage = std::move(usage)};
  flag.set = [&target](std::string_view text) -> base::Result<void> {
    target.emplace_back(text);
    return {};
  };
  return add(std::move(flag));
}

Flag& FlagSet::add_switch(std::string name, bool& target, std::string usage) {
  Flag flag = make_flag(std::move(name), "", target, std::move(usage), parse_go_bool);
  flag.fallback = target ? "true" : "false";
  flag.is_switch = true;
  return add(std::move(flag));
}

Flag& FlagSet::add_int(std::string name, std::int64_t& target, std::string usage) {
  Flag flag = make_flag(std::move(name), "int", target, std::move(usage), parse_go_int);
  flag.fallback = fmt::to_string(target);
  return add(std::move(flag));
}

Flag& FlagSet::add_uint(std::string name, std::uint64_t& target, std::string usage) {
  Flag flag = make_flag(std::move(name), "uint", target, std::move(usage), parse_go_uint);
  flag.fallback = fmt::to_string(target);
  return add(std::move(flag));
}

Flag& FlagSet::add_float(std::string name, double& target, std::string usage) {
  Flag flag = make_flag(std::move(name), "float", target, std::move(usage), parse_go_float);
  flag.fallback = fmt::to_string(target);
  return add(std::move(flag));
}

Flag& FlagSet::add_duration(std::string name, async::Duration& target, std::string usage) {
  Flag flag = make_flag(std::move(name), "duration", target, std::move(usage), parse_go_duration);
  flag.fallback = format_go_duration(target);
  return add(std::move(flag));
}

Flag& FlagSet::add_bytes(std::string name, std::size_t& target, std::string usage) {
  Flag flag = make_flag(std::move(name), "bytes", target, std::move(usage), parse_byte_size);
  flag.fallback = format_byte_size(target);
  return add(std::move(flag));
}

base::Result<void> FlagSet::set(std::string_view name, std::string_view text) {
  const auto place = flags_.find(name);
  CHECK(place != flags_.end());
  TRY_VOID(place->second.set(text));
  place->second.changed = true;
  place->second.last = text;
  return {};
}

void FlagSet::set_rivals(std::string_view one, std::string_view other) {
  flags_.find(one)->second.rival = other;
  flags_.find(other)->second.rival = one;
}

bool FlagSet::changed(std::string_view name) const {
  const auto place = flags_.find(name);
  return place != flags_.end() && place->second.changed;
}

std::vector<std::string> FlagSet::undecided() const {
  std::vector<std::string> names;
  for (const auto& [name, flag] : flags_)
    if (!flag.changed && !changed(flag.rival)) names.push_back(name);
  return names;
}

std::string FlagSet::listing() const {
  std::string text;
  for (const auto& [name, flag] : flags_) {
    if (!flag.changed || flag.last == flag.fallback) continue;
    text += fmt::format("{}--{}={}", text.empty() ? "" : " ", name, flag.last);
  }
  return text;
}

}  // namespace cli
