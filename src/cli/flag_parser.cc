#include <algorithm>

#include <fmt/format.h>

#include "cli/flag_set.h"
#include "cli/suggest.h"

namespace cli {

using base::Code;

/// One walk over the command line.
class FlagSet::Parser {
 public:
  Parser(FlagSet& set, std::span<const std::string> arguments) : set_(set), rest_(arguments) {}

  base::Result<Parsed> run() {
    while (!rest_.empty() && !parsed_.help) {
      const std::string& argument = take();
      if (argument == "--") break;
      if (argument.starts_with("--")) {
        TRY_VOID(long_flag(argument));
      } else if (argument.size() > 1 && argument.starts_with('-')) {
        TRY_VOID(short_flags(argument));
      } else {
        parsed_.arguments.push_back(argument);
      }
    }
    if (!parsed_.help)
      parsed_.arguments.insert(parsed_.arguments.end(), rest_.begin(), rest_.end());
    return std::move(parsed_);
  }

 private:
  const std::string& take() {
    const std::string& first = rest_.front();
    rest_ = rest_.subspan(1);
    return first;
  }

  base::Result<void> long_flag(std::string_view argument) {
    const std::string_view body = argument.substr(2);
    const std::size_t equals = body.find('=');
    const std::string_view name = body.substr(0, equals);
    if (name.empty() || name.starts_with('-')) {
      return base::fail(Code::invalid, fmt::format("bad flag syntax: {}", argument));
    }
    const auto place = set_.flags_.find(name);
    if (place == set_.flags_.end()) return unknown_long(name);
    Flag& flag = place->second;
    if (equals != body.npos) return assign(flag, body.substr(equals + 1));
    if (flag.is_switch) return assign(flag, "true");
    if (rest_.empty())
      return base::fail(Code::invalid, fmt::format("flag needs an argument: --{}", name));
    return assign(flag, take());
  }

  base::Result<void> unknown_long(std::string_view name) {
    if (name == "help") {
      parsed_.help = true;
      return {};
    }
    return base::fail(Code::invalid, fmt::format("unknown flag: --{}{}", name, set_.hint(name)));
  }

  /// Whoever knows Go's own flags writes "-name" for "--name".
  base::Result<void> unknown_short(char letter, std::string_view argument) const {
    const std::string_view name = argument.substr(1, argument.find('=') - 1);
    const std::string hint =
        set_.flags_.contains(name) ? fmt::format("; did you mean --{}?", name) : "";
    return base::fail(Code::invalid,
                      fmt::format("unknown shorthand flag: '{}' in {}{}", letter, argument, hint));
  }

  /// "-v4", "-v=4", "-v 4"; switches may be joined: "-ab".
  base::Result<void> short_flags(std::string_view argument) {
    std::string_view letters = argument.substr(1);
    while (!letters.empty() && !parsed_.help) {
      const char letter = letters.front();
      letters.remove_prefix(1);
      const auto place = set_.shorthands_.find(letter);
      if (place == set_.shorthands_.end() && letter == 'h') {
        parsed_.help = true;
        return {};
      }
      if (place == set_.shorthands_.end()) {
        return unknown_short(letter, argument);
      }
      TRY_VOID(short_value(*place->second, letters, argument));
    }
    return {};
  }

  base::Result<void> short_value(Flag& flag, std::string_view& letters, std::string_view argument) {
    if (flag.is_switch && !letters.starts_with('=')) return assign(flag, "true");
    const std::string_view joined = std::exchange(letters, {});
    if (joined.starts_with('=')) return assign(flag, joined.substr(1));
    if (!joined.empty()) return assign(flag, joined);
    if (!rest_.empty()) return assign(flag, take());
    return base::fail(Code::invalid,
                      fmt::format("flag needs an argument: '{}' in {}", flag.shorthand, argument));
  }

  base::Result<void> assign(Flag& flag, std::string_view value) {
    if (auto done = flag.set(value); !done) {
      const std::string shown = flag.shorthand == 0
                                    ? fmt::format("--{}", flag.name)
                                    : fmt::format("-{}, --{}", flag.shorthand, flag.name);
      return base::fail(Code::invalid, fmt::format("invalid argument \"{}\" for \"{}\" flag: {}",
                                                   value, shown, done.error().message));
    }
    if (!flag.deprecated.empty() && !flag.changed) {
      parsed_.notices.push_back(
          fmt::format("Flag --{} has been deprecated, {}", flag.name, flag.deprecated));
    }
    flag.changed = true;
    flag.last = value;
    return {};
  }

  FlagSet& set_;
  std::span<const std::string> rest_;
  Parsed parsed_;
};

/// The same for Go's flag package.
class FlagSet::GoParser {
 public:
  GoParser(FlagSet& set, std::span<const std::string> arguments) : set_(set), rest_(arguments) {}

  base::Result<Parsed> run() {
    while (!rest_.empty() && !parsed_.help) {
      const std::string& argument = rest_.front();
      if (argument.size() < 2 || !argument.starts_with('-')) break;
      rest_ = rest_.subspan(1);
      if (argument == "--") break;
      TRY_VOID(flag(argument));
    }
    if (!parsed_.help) parsed_.arguments.assign(rest_.begin(), rest_.end());
    return std::move(parsed_);
  }

 private:
  base::Result<void> flag(std::string_view argument) {
    const std::string_view body = argument.substr(argument.starts_with("--") ? 2 : 1);
    const std::size_t equals = body.find('=');
    std::string name(body.substr(0, equals));
    if (name.empty() || name.starts_with('-')) {
      return base::fail(Code::invalid, fmt::format("bad flag syntax: {}", argument));
    }
    std::ranges::replace(name, '_', '-');
    const auto place = set_.flags_.find(name);
    if (place == set_.flags_.end()) return unknown(name);
    if (equals != body.npos) return assign(place->second, body.substr(equals + 1));
    return without_value(place->second);
  }

  base::Result<void> without_value(Flag& flag) {
    if (flag.is_switch) return assign(flag, "true");
    if (rest_.empty()) {
      return base::fail(Code::invalid, fmt::format("flag needs an argument: -{}", flag.name));
    }
    const std::string& value = rest_.front();
    rest_ = rest_.subspan(1);
    return assign(flag, value);
  }

  base::Result<void> unknown(std::string_view name) {
    parsed_.help = name == "help" || name == "h";
    if (parsed_.help) return {};
    return base::fail(Code::invalid,
                      fmt::format("flag provided but not defined: -{}{}", name, set_.hint(name)));
  }

  base::Result<void> assign(Flag& flag, std::string_view value) {
    if (auto done = flag.set(value); !done) {
      const std::string_view kind = flag.is_switch ? "boolean value" : "value";
      return base::fail(Code::invalid, fmt::format("invalid {} \"{}\" for flag -{}: {}", kind,
                                                   value, flag.name, done.error().message));
    }
    flag.changed = true;
    flag.last = value;
    return {};
  }

  FlagSet& set_;
  std::span<const std::string> rest_;
  Parsed parsed_;
};

std::string FlagSet::hint(std::string_view name) const {
  std::vector<std::string_view> known;
  for (const auto& [candidate, flag] : flags_) {
    if (!flag.hidden && flag.deprecated.empty()) known.push_back(candidate);
  }
  const std::string_view close = closest(name, known);
  return close.empty() ? "" : fmt::format("; did you mean --{}?", close);
}

base::Result<FlagSet::Parsed> FlagSet::parse(std::span<const std::string> arguments) {
  if (syntax_ == FlagSyntax::go) return GoParser(*this, arguments).run();
  return Parser(*this, arguments).run();
}

}  // namespace cli
