#pragma once

#include <string>

#include "app/client_config.h"
#include "cli/flag_set.h"

namespace cli {

/// The flags that say how a command of the client reaches the server.
class ClientFlags {
 public:
  ClientFlags() = default;
  ClientFlags(const ClientFlags&) = delete;
  ClientFlags& operator=(const ClientFlags&) = delete;

  /// Adds the flags to `table`, which must not outlive this object.
  void add_to(FlagSet& table);

  /// Checks what was parsed.
  base::Result<app::ClientConfig> config() const;
  /// The same without a look at the files, for who tells what is wrong with them.
  base::Result<app::ClientConfig> config_of_any_files() const;

 private:
  base::Result<void> check_server(app::ClientConfig& config) const;
  base::Result<void> check_tls(const app::ClientConfig& config) const;

  std::string server_;
  std::string protocol_ = "auto";
  std::string ca_;
  std::string certificate_;
  std::string key_;
  std::string server_name_;
  bool plaintext_ = false;
  async::Duration limit_ = std::chrono::seconds(30);
  std::int64_t verbosity_ = 0;
};

/// How targets are named and agents chosen: for the texts of commands that take targets.
extern const std::string_view kAboutTargets;

}  // namespace cli
