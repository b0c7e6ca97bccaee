#include "base/log.h"

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <exception>
#include <fcntl.h>
#include <memory>
#include <unistd.h>

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/rotating_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

namespace base::log {
namespace {

std::atomic<Level> threshold = Level::info;
std::atomic<Format> layout = Format::text;

constexpr char kTextPattern[] = "%Y-%m-%dT%H:%M:%S.%eZ %L %v";
constexpr char kRawPattern[] = "%v";

std::shared_ptr<spdlog::logger> make_logger(spdlog::sink_ptr sink) {
  auto logger = std::make_shared<spdlog::logger>("cluster-proxy", std::move(sink));
  logger->set_level(spdlog::level::trace);
  logger->flush_on(spdlog::level::trace);
  logger->set_formatter(
      std::make_unique<spdlog::pattern_formatter>(kTextPattern, spdlog::pattern_time_type::utc));
  return logger;
}

std::shared_ptr<spdlog::logger>& logger() {
  static auto instance = make_logger(std::make_shared<spdlog::sinks::stderr_sink_mt>());
  return instance;
}

spdlog::level::level_enum to_spdlog(Level level) {
  switch (level) {
    case Level::debug:
      return spdlog::level::debug;
    case Level::info:
      return spdlog::level::info;
    case Level::warn:
      return spdlog::level::warn;
    case Level::error:
      return spdlog::level::err;
    case Level::off:
      return spdlog::level::off;
  }
  return spdlog::level::off;
}

std::string_view name_of(Level level) {
  switch (level) {
    case Level::debug:
      return "debug";
    case Level::info:
      return "info";
    case Level::warn:
      return "warn";
    case Level::error:
      return "error";
    case Level::off:
      return "off";
  }
  return "off";
}

// Control characters would let a peer's text forge lines; they are always escaped.
void append_escaped(std::string& out, std::string_view text) {
  for (const char c : text) {
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
          fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned char>(c));
        } else {
          out += c;
        }
    }
  }
}

bool needs_quotes(std::string_view text) {
  if (text.empty()) return true;
  for (const char c : text) {
    if (c <= ' ' || c == '"' || c == '\\' || c == '=' || c == 0x7f) return true;
  }
  return false;
}

void append_value(std::string& out, std::string_view text) {
  if (!needs_quotes(text)) {
    out += text;
    return;
  }
  out += '"';
  append_escaped(out, text);
  out += '"';
}

std::string format_json(Level level, std::string_view message,
                        std::initializer_list<Field> fields) {
  spdlog::memory_buf_t time;
  static thread_local spdlog::pattern_formatter clock("%Y-%m-%dT%H:%M:%S.%eZ",
                                                      spdlog::pattern_time_type::utc, "");
  clock.format(spdlog::details::log_msg("", spdlog::level::info, ""), time);
  std::string line =
      fmt::format(R"({{"time":"{}","level":"{}","msg":")", fmt::to_string(time), name_of(level));
  append_escaped(line, message);
  line += '"';
  for (const Field& field : fields) {
    line += ",\"";
    append_escaped(line, field.key);
    line += "\":\"";
    append_escaped(line, field.value);
    line += '"';
  }
  line += '}';
  return line;
}

std::unexpected<Error> cannot_open(const std::string& file, int number) {
  const std::string_view way_out = number == ENOENT ? "make its directory, or correct the path"
                                                    : "check the path and its permissions";
  Error error =
      system_error(number, fmt::format("cannot open the log file {} for appending", file));
  error.message += fmt::format("; {}", way_out);
  return fail(std::move(error));
}

// spdlog would make the directories that are missing.
Result<void> check_appendable(const std::string& file) {
  if (file.empty()) return {};
  const int descriptor = ::open(file.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
  if (descriptor < 0) return cannot_open(file, errno);
  ::close(descriptor);
  return {};
}

spdlog::sink_ptr open_sink(const Options& options) {
  if (options.file.empty()) return std::make_shared<spdlog::sinks::stderr_sink_mt>();
  if (options.max_file_bytes == 0)
    return std::make_shared<spdlog::sinks::basic_file_sink_mt>(options.file);
  return std::make_shared<spdlog::sinks::rotating_file_sink_mt>(options.file,
                                                                options.max_file_bytes, 1);
}

// A full disk must not cost more than the lines themselves. Where standard error is the log there
// is nobody to tell.
void tell_once(const std::string& reason) {
  static std::atomic<bool> told = false;
  if (told.exchange(true)) return;
  std::fprintf(stderr, "cannot write the log, lines are lost until there is room: %s\n",
               reason.c_str());
}

}  // namespace

Result<void> configure(const Options& options) {
  TRY_VOID(check_appendable(options.file));
  threshold = options.level;
  layout = options.format;
  try {
    logger() = make_logger(open_sink(options));
  } catch (const std::exception& exception) {
    return fail(Code::io, fmt::format("cannot log to {}: {}", options.file, exception.what()));
  }
  logger()->set_error_handler(tell_once);
  if (options.format == Format::json) logger()->set_pattern(kRawPattern);
  return {};
}

bool enabled(Level level) { return level >= threshold.load(std::memory_order_relaxed); }

std::string format_line(std::string_view message, std::initializer_list<Field> fields) {
  std::string line;
  for (const char c : message) line += c < ' ' ? ' ' : c;
  for (const Field& field : fields) {
    line += ' ';
    line += field.key;
    line += '=';
    append_value(line, field.value);
  }
  return line;
}

void write(Level level, std::string_view message, std::initializer_list<Field> fields) {
  const std::string line =
      layout == Format::json ? format_json(level, message, fields) : format_line(message, fields);
  logger()->log(to_spdlog(level), "{}", line);
}

}  // namespace base::log
