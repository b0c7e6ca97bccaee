#include "cli/settings.h"

#include <cctype>
#include <filesystem>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/settings_file.h"
#include "pki/pem.h"

namespace cli {
namespace {

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

std::string variable_of(std::string_view section, std::string_view flag) {
  const std::string both =
      section.empty() ? std::string(flag) : fmt::format("{}-{}", section, flag);
  std::string name = "CLUSTER_PROXY_";
  for (const char c : both)
    name += c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return name;
}

Settings::Settings(const Command& command, FlagSet& flags) : command_(command), flags_(flags) {
  if (!active()) return;
  flags_.section("Settings flags");
  flags_.reach(FlagReach::all);
  flags_.add_string("config", file_, "YAML file with values of flags.");
}

base::Result<void> Settings::apply(const Command& root, const Console& console) {
  if (!active()) return {};
  TRY_VOID(apply_environment(console));
  return apply_file(root, console);
}

base::Result<void> Settings::apply_environment(const Console& console) {
  for (const std::string& name : flags_.undecided()) {
    const FlagReach reach = flags_.flags().at(name).reach;
    if (reach == FlagReach::once) continue;
    std::string variable = variable_of(command_.settings, name);
    std::string text = console.environment(variable);
    if (text.empty() && reach == FlagReach::all) {
      variable = variable_of("", name);
      text = console.environment(variable);
    }
    if (text.empty()) continue;
    if (auto done = flags_.set(name, text); !done) {
      return base::fail(base::Code::invalid,
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
  return SettingsFile(path, root).apply(*text, command_.settings, flags_);
}

std::string Settings::help() const {
  if (!active()) return "";
  std::string example;  // the first flag that is for all, else the first that is for this command
  bool shared = false;
  std::vector<std::string> once;
  for (const auto& [name, flag] : flags_.flags()) {
    if (name == "config") continue;
    if (flag.reach == FlagReach::once) {
      once.push_back("--" + name);
    } else if (example.empty() || (flag.reach == FlagReach::all && !shared)) {
      example = name;
      shared = flag.reach == FlagReach::all;
    }
  }
  std::string text = fmt::format(
      "Flags may also be set by the environment and a YAML file: --{0} by {1}, or by \"{0}: ...\" "
      "under \"{2}:\" in the file{3}. The file is that of --config, else "
      "$XDG_CONFIG_HOME/cluster-proxy/config.yaml (~/.config when that is not set). The command "
      "line wins over the environment, and the environment over the file.",
      example, variable_of(command_.settings, example), command_.settings,
      shared ? fmt::format(
                   "; for all commands by {}, or at the top of the file. What is said for one wins",
                   variable_of("", example))
             : "");
  if (!once.empty()) text += fmt::format(" Only the command line has {}.", fmt::join(once, ", "));
  return "\n" + wrapped_text(text, 0, 110);
}

}  // namespace cli
