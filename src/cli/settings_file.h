#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>

#include "cli/command.h"

namespace cli {

/// The YAML file with values of flags, for the use of one command.
///
/// Its keys at the top are flags of every command that has them (FlagReach::all); a key that names
/// a section (Command::settings) holds flags of the section's commands, which win.
class SettingsFile {
 public:
  /// Reads the table of commands once; `path` is for errors.
  SettingsFile(std::string path, const Command& root);

  /// Sets flags of `flags` that are not decided yet, for a command of `section`. Errors name file,
  /// line and key, of other commands' sections too.
  base::Result<void> apply(const std::string& text, std::string_view section, FlagSet& flags) const;

 private:
  class Reader;
  using Reaches = std::map<std::string, FlagReach, std::less<>>;

  void learn(const Command& command);

  std::string path_;
  std::map<std::string, Reaches, std::less<>> sections_;  // their flags
  std::set<std::string, std::less<>> shared_;             // flags for the top
};

}  // namespace cli
