#include "cli/complete.h"

#include <algorithm>

namespace cli {
namespace {

/// Where the words before the last have led.
class Walk {
 public:
  explicit Walk(const Command& root) : command_(&root) { enter(root); }

  void take(const std::string& word) {
    if (awaited_ != nullptr) {
      awaited_ = nullptr;
    } else if (word.starts_with('-')) {
      awaited_ = valued_flag(word);
    } else if (const Command* next = command_->find(word)) {
      enter(*next);
    } else {
      ++arguments_;
    }
  }

  Completion at(const std::string& word) const {
    if (awaited_ != nullptr) return {.files = true};
    if (word.starts_with('-')) return word.contains('=') ? Completion{.files = true} : flags(word);
    return names(word);
  }

 private:
  void enter(const Command& command) {
    command_ = &command;
    action_ = command.make ? command.make() : nullptr;
    arguments_ = 0;
  }

  /// The flag that takes the next word as its value, or null.
  const Flag* valued_flag(const std::string& word) const {
    if (!action_ || word.contains('=')) return nullptr;
    for (const auto& [name, flag] : action_->flags().flags()) {
      const bool named =
          word == "--" + name || (flag.shorthand != 0 && word == std::string{'-', flag.shorthand});
      if (named) return flag.is_switch ? nullptr : &flag;
    }
    return nullptr;
  }

  Completion flags(const std::string& word) const {
    Completion found;
    if (!action_) return found;
    for (const auto& [name, flag] : action_->flags().flags()) {
      if (flag.hidden || !flag.deprecated.empty()) continue;
      if (("--" + name).starts_with(word)) found.candidates.push_back({"--" + name, flag.usage});
    }
    return found;
  }

  Completion names(const std::string& word) const {
    Completion found;
    for (const Command& each : command_->commands) {
      if (each.hidden || !each.name.starts_with(word)) continue;
      found.candidates.push_back({each.name, each.summary});
    }
    if (arguments_ > 0) return found;
    for (const std::string& choice : command_->choices) {
      if (choice.starts_with(word)) found.candidates.push_back({choice, ""});
    }
    return found;
  }

  const Command* command_;
  std::unique_ptr<Action> action_;  // null where there are subcommands
  const Flag* awaited_ = nullptr;   // the flag whose value comes next
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
