#include "cli/settings.h"

#include <algorithm>
#include <cctype>
#include <exception>
#include <filesystem>

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include "cli/suggest.h"
#include "pki/pem.h"

namespace cli {
namespace {

using base::Code;

/// All flags that keys of a file may name: those of commands that read it.
std::set<std::string, std::less<>> known_flags(const Command& root) {
  std::set<std::string, std::less<>> names;
  for (const Command& each : root.commands) {
    names.merge(known_flags(each));
    if (!each.settings) continue;
    const std::unique_ptr<Action> action = each.make();
    for (const auto& [name, flag] : action->flags().flags()) names.insert(name);
  }
  return names;
}

bool reads_settings(const Command& command) {
  return command.settings || std::ranges::any_of(command.commands, reads_settings);
}

bool covers(const Command& section, const Command& command) {
  return &section == &command || std::ranges::any_of(section.commands, [&](const Command& each) {
    return covers(each, command);
  });
}

/// One item as parse_list() reads it back.
std::string quoted_item(const std::string& item) {
  if (!item.contains(',') && !item.contains('"')) return item;
  std::string out = "\"";
  for (const char c : item) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + '"';
}

/// The document of one file, while its keys are carried into flags.
class SettingsFile {
 public:
  SettingsFile(std::string path, FlagSet& flags, std::set<std::string, std::less<>> known)
      : path_(std::move(path)), flags_(flags), known_(std::move(known)) {}

  base::Result<void> apply(const std::string& text, const Command& root, const Command& command) {
    for (const Command& each : root.commands)
      if (reads_settings(each)) commands_.push_back(each.name);
    try {
      return document(YAML::Load(text), root, command);
    } catch (const YAML::Exception& error) {
      return base::fail(Code::invalid,
                        fmt::format("{}:{}: {}", path_, error.mark.line + 1, error.msg));
    }
  }

 private:
  base::Result<void> document(const YAML::Node& node, const Command& root, const Command& command) {
    if (node.IsNull()) return {};
    if (!node.IsMap()) return wrong(node, "", "must be a map of names of flags");
    // What is said for this command alone wins: it is set first.
    for (const auto& entry : node) {
      const std::string key = entry.first.Scalar();
      const Command* named = section_of(root, key);
      if (named == nullptr) continue;
      TRY_VOID(section(entry.second, key, covers(*named, command)));
    }
    return pairs(node, "", root, true);
  }

  /// A name that a flag has too is the flag's: `server: hub:8090`.
  const Command* section_of(const Command& root, const std::string& key) const {
    const Command* named = known_.contains(key) ? nullptr : root.find(key);
    return named != nullptr && reads_settings(*named) ? named : nullptr;
  }

  base::Result<void> section(const YAML::Node& node, const std::string& name, bool ours) {
    if (node.IsNull()) return {};
    if (!node.IsMap()) return wrong(node, name, "must be a map of names of flags");
    return pairs(node, name + ".", {}, ours);
  }

  /// The flags in `map`; keys that name a command of `sections` are passed over.
  base::Result<void> pairs(const YAML::Node& map, const std::string& within,
                           const Command& sections, bool apply) {
    for (const auto& entry : map) {
      const std::string key = entry.first.Scalar();
      if (!known_.contains(key)) {
        if (section_of(sections, key) != nullptr) continue;
        return unknown(entry.first, within + key, key);
      }
      if (!apply || !flags_.flags().contains(key) || flags_.changed(key)) continue;
      TRY_VOID(value(entry.second, within + key, key));
    }
    return {};
  }

  base::Result<void> value(const YAML::Node& node, const std::string& shown,
                           const std::string& key) {
    std::string text;
    if (node.IsSequence()) {
      for (const auto& item : node) {
        if (!item.IsScalar()) return wrong(item, shown, "must be a list of texts");
        text += (text.empty() ? "" : ",") + quoted_item(item.Scalar());
      }
    } else if (node.IsScalar()) {
      text = node.Scalar();
    } else {
      return wrong(node, shown, "must have a value");
    }
    auto done = flags_.set(key, text);
    return done ? base::Result<void>{} : wrong(node, shown, done.error().message);
  }

  base::Result<void> unknown(const YAML::Node& node, const std::string& shown,
                             const std::string& key) const {
    const std::string_view close = closest(key, candidates());
    const std::string hint = close.empty() ? "" : fmt::format("; did you mean {}?", close);
    return wrong(node, shown, fmt::format("no flag or command has this name{}", hint));
  }

  base::Result<void> wrong(const YAML::Node& node, const std::string& key,
                           std::string_view why) const {
    const std::string named = key.empty() ? "" : key + ": ";
    return base::fail(Code::invalid,
                      fmt::format("{}:{}: {}{}", path_, node.Mark().line + 1, named, why));
  }

  // Those of this command first: of names that are equally close the first is meant.
  std::vector<std::string_view> candidates() const {
    std::vector<std::string_view> names;
    for (const auto& [name, flag] : flags_.flags()) names.push_back(name);
    names.insert(names.end(), commands_.begin(), commands_.end());
    names.insert(names.end(), known_.begin(), known_.end());
    return names;
  }

  std::string path_;
  FlagSet& flags_;
  std::set<std::string, std::less<>> known_;
  std::vector<std::string_view> commands_;  // that may be sections
};

std::string default_file(const Console& console) {
  std::string folder = console.environment("XDG_CONFIG_HOME");
  if (folder.empty()) {
    const std::string home = console.environment("HOME");
    if (home.empty()) return "";
    folder = home + "/.config";
  }
  const std::string path = folder + "/cluster-proxy/config.yaml";
  std::error_code ignored;
  return std::filesystem::exists(path, ignored) ? path : "";
}

}  // namespace

std::string variable_of(std::string_view flag) {
  std::string name = "CLUSTER_PROXY_";
  for (const char c : flag)
    name += c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return name;
}

Settings::Settings(const Command& command, FlagSet& flags) : command_(command), flags_(flags) {
  if (!command.settings) return;
  flags_.section("Settings flags");
  flags_.add_string("config", file_, "YAML file with values of flags.");
}

base::Result<void> Settings::apply(const Command& root, const Console& console) {
  if (!command_.settings) return {};
  TRY_VOID(apply_environment(console));
  return apply_file(root, console);
}

base::Result<void> Settings::apply_environment(const Console& console) {
  for (const auto& [name, flag] : flags_.flags()) {
    if (flag.changed) continue;
    const std::string variable = variable_of(name);
    const std::string text = console.environment(variable);
    if (text.empty()) continue;
    if (auto done = flags_.set(name, text); !done) {
      return base::fail(Code::invalid,
                        fmt::format("invalid value \"{}\" of the environment variable {}: {}", text,
                                    variable, done.error().message));
    }
  }
  return {};
}

base::Result<void> Settings::apply_file(const Command& root, const Console& console) {
  const std::string path = file_.empty() ? default_file(console) : file_;
  if (path.empty()) return {};
  auto text = pki::read_file(path);
  if (!text) return base::fail(std::move(text).error().within("settings file " + path));
  return SettingsFile(path, flags_, known_flags(root)).apply(*text, root, command_);
}

std::string Settings::help() const {
  if (!command_.settings) return "";
  return "\n" +
         wrapped_text(
             "Flags may also be set by environment variables, --server by CLUSTER_PROXY_SERVER, "
             "and in a YAML file by their names, \"server: hub:8090\"; under the name of a command "
             "for that command alone. The file is that of --config, else "
             "$XDG_CONFIG_HOME/cluster-proxy/config.yaml (~/.config when that is not set). The "
             "command line wins over the environment, and the environment over the file.",
             0, 110);
}

}  // namespace cli
