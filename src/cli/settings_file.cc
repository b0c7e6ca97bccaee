#include "cli/settings_file.h"

#include <vector>

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include "cli/suggest.h"

namespace cli {
namespace {

using base::Code;

/// One item as parse_list() reads it back.
std::string quoted_item(const std::string& item) {
  if (!item.contains(',') && !item.contains('"')) return item;
  std::string out = "\"";
  for (const char c : item) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + '"';
}

}  // namespace

/// One document, while its keys are carried into flags.
class SettingsFile::Reader {
 public:
  Reader(const SettingsFile& file, std::string_view section, FlagSet& flags)
      : file_(file), section_(section), flags_(flags) {}

  base::Result<void> document(const YAML::Node& node) {
    if (node.IsNull()) return {};
    if (!node.IsMap()) return wrong(node, "", "must be a map of names of flags");
    // What is said for this command alone wins: it is set first.
    for (const auto& entry : node) {
      if (const Reaches* flags = section_at(entry.first)) {
        TRY_VOID(section(entry.second, entry.first.Scalar(), *flags));
      }
    }
    const std::vector<std::string> open = flags_.undecided();
    for (const auto& entry : node) {
      if (section_at(entry.first) != nullptr) continue;
      TRY_VOID(shared(entry.first));
      TRY_VOID(take(entry.second, entry.first.Scalar(), "", open));
    }
    return {};
  }

 private:
  /// The flags of the section that a key at the top names, or null.
  const Reaches* section_at(const YAML::Node& key) const {
    const auto place = file_.sections_.find(key.Scalar());
    return place == file_.sections_.end() ? nullptr : &place->second;
  }

  base::Result<void> section(const YAML::Node& node, const std::string& name,
                             const Reaches& flags) {
    if (node.IsNull()) return {};
    if (!node.IsMap()) return wrong(node, name, "must be a map of names of flags");
    const std::vector<std::string> open = flags_.undecided();
    for (const auto& entry : node) {
      const std::string key = entry.first.Scalar();
      const std::string shown = name + "." + key;
      const auto known = flags.find(key);
      if (known == flags.end()) {
        return wrong(entry.first, shown,
                     fmt::format("\"{}\" has no such flag{}", name, hint(key, names_of(flags))));
      }
      if (known->second == FlagReach::once)
        return wrong(entry.first, shown, "this flag is for the command line only");
      if (name == section_) TRY_VOID(take(entry.second, key, name + ".", open));
    }
    return {};
  }

  /// Whether a key may stand at the top.
  base::Result<void> shared(const YAML::Node& node) const {
    const std::string& key = node.Scalar();
    if (file_.shared_.contains(key)) return {};
    for (const auto& [name, flags] : file_.sections_) {
      const auto place = flags.find(key);
      if (place == flags.end()) continue;
      return wrong(
          node, key,
          place->second == FlagReach::once
              ? "this flag is for the command line only"
              : fmt::format("this flag is not one of all commands: put it under {}:", name));
    }
    return wrong(node, key, "no flag or command has this name" + hint(key, names_at_top()));
  }

  base::Result<void> take(const YAML::Node& node, const std::string& key, const std::string& within,
                          const std::vector<std::string>& open) {
    if (std::ranges::count(open, key) == 0) return {};
    if (within.empty() && flags_.flags().at(key).reach != FlagReach::all) return {};
    std::string text;
    if (node.IsSequence()) {
      for (const auto& item : node) {
        if (!item.IsScalar()) return wrong(item, within + key, "must be a list of texts");
        text += (text.empty() ? "" : ",") + quoted_item(item.Scalar());
      }
    } else if (node.IsScalar()) {
      text = node.Scalar();
    } else {
      return wrong(node, within + key, "must have a value");
    }
    auto done = flags_.set(key, text);
    return done ? base::Result<void>{} : wrong(node, within + key, done.error().message);
  }

  static std::string hint(const std::string& key, const std::vector<std::string_view>& names) {
    const std::string_view close = closest(key, names);
    return close.empty() ? "" : fmt::format("; did you mean {}?", close);
  }

  static std::vector<std::string_view> names_of(const Reaches& flags) {
    std::vector<std::string_view> names;
    for (const auto& [name, reach] : flags)
      if (reach != FlagReach::once) names.push_back(name);
    return names;
  }

  // Those of this command first: of names that are equally close the first is meant.
  std::vector<std::string_view> names_at_top() const {
    std::vector<std::string_view> names;
    for (const auto& [name, flag] : flags_.flags())
      if (file_.shared_.contains(name)) names.push_back(name);
    for (const auto& [name, flags] : file_.sections_) names.push_back(name);
    names.insert(names.end(), file_.shared_.begin(), file_.shared_.end());
    return names;
  }

  base::Result<void> wrong(const YAML::Node& node, const std::string& key,
                           std::string_view why) const {
    const std::string named = key.empty() ? "" : key + ": ";
    return base::fail(Code::invalid,
                      fmt::format("{}:{}: {}{}", file_.path_, node.Mark().line + 1, named, why));
  }

  const SettingsFile& file_;
  std::string_view section_;
  FlagSet& flags_;
};

SettingsFile::SettingsFile(std::string path, const Command& root) : path_(std::move(path)) {
  learn(root);
  // A name that a flag for all has too is the flag's.
  for (const std::string& name : shared_) sections_.erase(name);
}

void SettingsFile::learn(const Command& command) {
  for (const Command& each : command.commands) learn(each);
  if (command.settings.empty()) return;
  const std::unique_ptr<Action> action = command.make();
  for (const auto& [name, flag] : action->flags().flags()) {
    sections_[command.settings].emplace(name, flag.reach);
    if (flag.reach == FlagReach::all) shared_.insert(name);
  }
}

base::Result<void> SettingsFile::apply(const std::string& text, std::string_view section,
                                       FlagSet& flags) const {
  try {
    return Reader(*this, section, flags).document(YAML::Load(text));
  } catch (const YAML::Exception& error) {
    return base::fail(Code::invalid,
                      fmt::format("{}:{}: {}", path_, error.mark.line + 1, error.msg));
  }
}

}  // namespace cli
