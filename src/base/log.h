#pragma once

#include <concepts>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "base/result.h"

/// Logs are one line per decision: a short message, then key=value fields. Never payload, tokens or
/// keys.
///
///   LOG_INFO("agent connected", {"agent", id}, {"from", address});
///
/// Fields are formatted only when the level is enabled. Thread: any.
namespace base::log {

enum class Level { debug, info, warn, error, off };
enum class Format { text, json };

/// One key and its value, already formatted. `key` must outlive the statement (a literal).
struct Field {
  template <typename T>
  Field(std::string_view name, const T& content) : key(name), value(render(content)) {}

  std::string_view key;
  std::string value;

 private:
  template <typename T>
  static std::string render(const T& content) {
    if constexpr (std::convertible_to<const T&, std::string_view>) {
      return std::string(std::string_view(content));
    } else if constexpr (std::same_as<T, Error>) {
      return content.message;
    } else {
      return fmt::to_string(content);
    }
  }
};

struct Options {
  Level level = Level::info;
  Format format = Format::text;
  std::string file;  // empty = standard error
  std::size_t max_file_bytes =
      0;  // 0 = unlimited; else the file is rotated once when it would grow past this
};

/// Replaces the destination of all later lines. Fails when the file cannot be opened for append; a
/// missing directory is not made, since it is more often a misspelled one.
Result<void> configure(const Options& options);

bool enabled(Level level);
void write(Level level, std::string_view message, std::initializer_list<Field> fields);

/// The line as it is written, without time and level: `message key=value key="two words"`.
std::string format_line(std::string_view message, std::initializer_list<Field> fields);

}  // namespace base::log

#define BASE_LOG(level, message, ...) \
  (::base::log::enabled(level) ? ::base::log::write(level, message, {__VA_ARGS__}) : void(0))
#define LOG_DEBUG(message, ...) BASE_LOG(::base::log::Level::debug, message, __VA_ARGS__)
#define LOG_INFO(message, ...) BASE_LOG(::base::log::Level::info, message, __VA_ARGS__)
#define LOG_WARN(message, ...) BASE_LOG(::base::log::Level::warn, message, __VA_ARGS__)
#define LOG_ERROR(message, ...) BASE_LOG(::base::log::Level::error, message, __VA_ARGS__)
