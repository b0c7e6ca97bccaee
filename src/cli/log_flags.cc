#include "cli/log_flags.h"

#include <algorithm>
#include <array>
#include <limits>

#include <fmt/format.h>

#include "cli/go_values.h"
#include "cli/rules.h"

namespace cli {
namespace {

using base::Code;

base::Result<void> check_severity(std::string_view text) {
  constexpr std::array<std::string_view, 5> kNames = {"", "INFO", "WARNING", "ERROR", "FATAL"};
  std::string upper(text);
  std::ranges::transform(upper, upper.begin(), [](unsigned char c) { return std::toupper(c); });
  if (std::ranges::count(kNames, upper) > 0) return {};
  TRY_VOID(parse_go_int(text));
  return {};
}

base::Result<void> check_vmodule(std::string_view text) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(','), text.size());
    const std::string_view item = text.substr(0, end);
    const std::size_t equals = item.find('=');
    const bool named = equals != item.npos && equals > 0;
    if (!item.empty() && (!named || !parse_go_int(item.substr(equals + 1)))) {
      return base::fail(Code::invalid, "syntax error: expect comma-separated list of filename=N");
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return {};
}

base::Result<void> check_backtrace(std::string_view text) {
  if (text.empty() || text == ":0") return {};
  const std::size_t colon = text.rfind(':');
  const bool has_file = colon != text.npos && text.substr(0, colon).contains('.');
  if (has_file && parse_go_int(text.substr(colon + 1)).value_or(0) > 0) return {};
  return base::fail(Code::invalid, "syntax error: expect file.go:234");
}

constexpr std::string_view kNoEffect = "Accepted for compatibility, without effect.";

void add_accepted(FlagSet& table, std::string name, std::string type, std::string fallback,
                  base::Result<void> (*check)(std::string_view)) {
  table.add({.name = std::move(name),
             .type = std::move(type),
             .fallback = std::move(fallback),
             .usage = std::string(kNoEffect),
             .set = check});
}

}  // namespace

void LogFlags::add_to(FlagSet& table) {
  table.section("Logging flags");
  Flag& level = table.add_int(
      "v", verbosity_,
      "How much is logged. 0: decisions and errors; 1 to 4: also a line per ended connection; "
      "5 and more: debugging.");
  if (table.syntax() == FlagSyntax::pflag) table.set_shorthand(level, 'v');
  level.type = "Level";
  table.add_string("log-format", format_, "Form of log lines: text (key=value) or json.")
      .choices = {"text", "json"};
  table.add_switch(
      "access-log", access_log_,
      "Log one line per ended connection: who, where to, bytes each way, how it ended.");
  add_klog_files(table);
  add_klog_accepted(table);
}

void LogFlags::add_klog_files(FlagSet& table) {
  table.add_switch("logtostderr", to_stderr_, "Log to standard error instead of to files.");
  table.add_string("log-dir", directory_,
                   "With --logtostderr=false: write the log into this directory.");
  table.add_string("log-file", file_, "With --logtostderr=false: write the log to this file.");
  table.add_uint(
      "log-file-max-size", max_megabytes_,
      "Megabytes after which the log file is rotated; one old file is kept. 0 means unlimited.");
}

void LogFlags::add_klog_accepted(FlagSet& table) {
  for (const char* name :
       {"alsologtostderr", "add-dir-header", "skip-headers", "skip-log-headers", "one-output"}) {
    table.add_switch(name, ignored_, std::string(kNoEffect));
  }
  table.add_switch("legacy-stderr-threshold-behavior", legacy_threshold_, std::string(kNoEffect));
  add_accepted(table, "stderrthreshold", "severity", "2", check_severity);
  add_accepted(table, "alsologtostderrthreshold", "severity", "0", check_severity);
  add_accepted(table, "vmodule", "moduleSpec", "", check_vmodule);
  add_accepted(table, "log-backtrace-at", "traceLocation", ":0", check_backtrace);
}

std::string LogFlags::log_file(std::string_view program) const {
  if (to_stderr_) return "";
  if (!file_.empty()) return file_;
  return directory_.empty() ? "" : fmt::format("{}/{}.log", directory_, program);
}

base::Result<app::LogConfig> LogFlags::config(std::string_view program) const {
  app::LogConfig config;
  if (format_ != "text" && format_ != "json")
    return bad_flag("--log-format", format_, "want text or json");
  config.sink.format = format_ == "json" ? base::log::Format::json : base::log::Format::text;
  config.sink.level = verbosity_ >= 5 ? base::log::Level::debug : base::log::Level::info;
  config.sink.file = log_file(program);
  constexpr std::uint64_t kMost = std::numeric_limits<std::int64_t>::max() >> 20;
  config.sink.max_file_bytes = static_cast<std::size_t>(std::min(max_megabytes_, kMost) << 20);
  config.verbosity = static_cast<int>(std::clamp<std::int64_t>(verbosity_, -1, 100));
  config.access_log = access_log_ && verbosity_ > 0;
  return config;
}

}  // namespace cli
