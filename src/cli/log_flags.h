#pragma once

#include <cstdint>
#include <string>

#include "app/common_config.h"
#include "cli/flag_set.h"

namespace cli {

/// The logging flags of klog, with dashes, and ours. Which of them have an effect:
/// docs/decisions/0005-log-levels.md.
class LogFlags {
 public:
  /// `verbosity` is the default of -v: 4 in konnectivity's programs, 0 in the add-on's.
  explicit LogFlags(std::int64_t verbosity = 4) : verbosity_(verbosity) {}

  /// Adds the flags to `table`, which must not outlive this object.
  void add_to(FlagSet& table);

  /// `program` names the file under --log-dir.
  base::Result<app::LogConfig> config(std::string_view program) const;

 private:
  void add_klog_files(FlagSet& table);
  void add_klog_accepted(FlagSet& table);
  std::string log_file(std::string_view program) const;

  std::int64_t verbosity_;
  std::string format_ = "text";
  bool access_log_ = true;

  bool to_stderr_ = true;
  std::string directory_;
  std::string file_;
  std::uint64_t max_megabytes_ = 1800;

  // Accepted and checked for form, without effect.
  bool ignored_ = false;
  bool legacy_threshold_ = true;
};

}  // namespace cli
