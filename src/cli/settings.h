#pragma once

#include <string>

#include "cli/command.h"

namespace cli {

/// Where flags that the command line leaves out come from: the environment, then a YAML file. For
/// commands with a section (Command::settings); for others all of this does nothing.
///
/// --server of dial is CLUSTER_PROXY_DIAL_SERVER in the environment and `server: ...` under `dial:`
/// in the file. A flag with FlagReach::all is also CLUSTER_PROXY_SERVER, and a key at the top of
/// the file, for every command that has it; what is said for one command wins. The file is --config
/// or CLUSTER_PROXY_CONFIG, which must exist, else $XDG_CONFIG_HOME (or
/// ~/.config)/cluster-proxy/config.yaml, if it does.
class Settings {
 public:
  /// Adds --config to `flags`. Both outlive the object.
  Settings(const Command& command, FlagSet& flags);
  Settings(const Settings&) = delete;
  Settings& operator=(const Settings&) = delete;

  /// Sets what the command line has left out. Errors name variable, or file, line and key. `root`
  /// tells which keys other commands know.
  base::Result<void> apply(const Command& root, const Console& console);
  /// Explains these sources, for the end of a help text.
  std::string help() const;

 private:
  bool active() const { return !command_.settings.empty(); }
  base::Result<void> apply_environment(const Console& console);
  base::Result<void> apply_file(const Command& root, const Console& console);

  const Command& command_;
  FlagSet& flags_;
  std::string file_;
};

/// "CLUSTER_PROXY_DIAL_CA_CERT" for "ca-cert" of "dial", "CLUSTER_PROXY_CA_CERT" for that of "".
std::string variable_of(std::string_view section, std::string_view flag);

}  // namespace cli
