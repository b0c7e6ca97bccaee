#include "cli/complete.h"

#include <algorithm>
#include <optional>

#include "cli/settings.h"

namespace cli {
namespace {

/// Where the words before the last have led.
class Walk {
 public:
  explicit Walk(const Command& root) : root_(root), command_(&root) { enter(root); }

  void take(const std::string& word) {
    if (awaited_ != nullptr) {
      awaited_ = nullptr;
    } else if (word == "--") {
      flags_over_ = true;
    } else if (word.starts_with('-') && !flags_over_) {
      awaited_ = valued_flag(word);
    } else if (const Command* next = command_->find(word)) {
      enter(*next);
    } else {
      ++arguments_;
    }
  }

  Completion at(const std::string& word) const {
    if (awaited_ != nullptr) return values(*awaited_, "", word);
    const std::size_t equals = word.find('=');
    if (!word.starts_with('-') || flags_over_) return names(word);
    if (equals == word.npos) return flags(word);
    const std::string name = word.substr(0, equals);
    const Flag* flag = flag_named(name);
    if (flag == nullptr) return {};
    return values(*flag, name + "=", word.substr(equals + 1));
  }

 private:
  void enter(const Command& command) {
    command_ = command.about_commands ? &root_ : &command;
    if (command.about_commands) return;
    action_ = command.make ? command.make() : nullptr;
    settings_.reset();
    if (action_) settings_.emplace(command, action_->flags());
    arguments_ = 0;
  }

  /// The flag that takes the next word as its value, or null.
  const Flag* valued_flag(const std::string& word) const {
    const Flag* flag = word.contains('=') ? nullptr : flag_named(word);
    return flag == nullptr || flag->is_switch ? nullptr : flag;
  }

  /// The flag that is written so, "--output" or "-o", or null.
  const Flag* flag_named(const std::string& word) const {
    if (!action_) return nullptr;
    for (const auto& [name, flag] : action_->flags().flags()) {
      if (word == "--" + name) return &flag;
      if (flag.shorthand != 0 && word == std::string{'-', flag.shorthand}) return &flag;
    }
    return nullptr;
  }

  /// What may stand behind `before`, which names the flag or is empty.
  static Completion values(const Flag& flag, const std::string& before, const std::string& word) {
    if (flag.choices.empty()) return {.files = true};
    Completion found;
    for (const std::string& choice : flag.choices) {
      if (choice.starts_with(word)) found.candidates.push_back({before + choice, ""});
    }
    return found;
  }

  Completion flags(const std::string& word) const {
    Completion found;
    if (std::string_view("--help").starts_with(word))
      found.candidates.push_back({"--help", "Explain the command."});
    if (!action_) return found;
    for (const auto& [name, flag] : action_->flags().flags()) {
      if (flag.hidden || !flag.deprecated.empty()) continue;
      if (("--" + name).starts_with(word)) found.candidates.push_back({"--" + name, flag.usage});
    }
    return found;
  }

  Completion names(const std::string& word) const {
    Completion found;
    if (arguments_ > 0) return found;
    for (const Command& each : command_->commands) {
      if (each.hidden || !each.name.starts_with(word)) continue;
      found.candidates.push_back({each.name, each.summary});
    }
    for (const std::string& choice : command_->choices) {
      if (choice.starts_with(word)) found.candidates.push_back({choice, ""});
    }
    return found;
  }

  const Command& root_;
  const Command* command_;
  bool flags_over_ = false;           // after "--"
  std::unique_ptr<Action> action_;    // null where there are subcommands
  std::optional<Settings> settings_;  // of the action
  const Flag* awaited_ = nullptr;     // the flag whose value comes next
  int arguments_ = 0;
};

}  // namespace

Completion complete(const Command& root, std::span<const std::string> words) {
  Walk walk(root);
  if (words.empty()) return walk.at("");
  for (const std::string& word : words.first(words.size() - 1)) walk.take(word);
  return walk.at(words.back());
}

}  // namespace cli
