#include "kube/json.h"

#include <exception>

#include <boost/json/parse_options.hpp>
#include <fmt/format.h>

namespace kube {

namespace {

const json::value* member(const json::object& parent, std::string_view name) {
  return parent.if_contains(json::string_view(name.data(), name.size()));
}

std::string_view metadata_text(const json::object& object, std::string_view name) {
  return text_at(object_at(object, "metadata"), name);
}

json::parse_options parse_options() {
  json::parse_options options;
  options.max_depth = 64;
  return options;
}

base::Error syntax_error(const boost::system::error_code& error) {
  return {base::Code::invalid, fmt::format("not valid JSON: {}", error.message())};
}

base::Error memory_error(const std::exception& exception) {
  return {base::Code::exhausted, fmt::format("cannot hold JSON: {}", exception.what())};
}

}  // namespace

JsonReader::JsonReader() : parser_({}, parse_options()) {}

base::Result<void> JsonReader::feed(std::string_view part) try {
  empty_ = false;
  boost::system::error_code error;
  parser_.write(part.data(), part.size(), error);
  if (error) return base::fail(syntax_error(error));
  return {};
} catch (const std::exception& exception) {
  return base::fail(memory_error(exception));
}

base::Result<json::value> JsonReader::finish() try {
  if (empty_) return json::value();
  boost::system::error_code error;
  parser_.finish(error);
  if (error) return base::fail(syntax_error(error));
  return parser_.release();
} catch (const std::exception& exception) {
  return base::fail(memory_error(exception));
}

base::Result<json::value> parse_json(std::string_view text) {
  JsonReader reader;
  TRY_VOID(reader.feed(text));
  return reader.finish();
}

const json::object& object_at(const json::object& parent, std::string_view name) {
  static const json::object empty;
  const auto* value = member(parent, name);
  const auto* object = value != nullptr ? value->if_object() : nullptr;
  return object != nullptr ? *object : empty;
}

std::string_view text_at(const json::object& parent, std::string_view name) {
  const auto* value = member(parent, name);
  const auto* text = value != nullptr ? value->if_string() : nullptr;
  return text != nullptr ? std::string_view(text->data(), text->size()) : std::string_view();
}

const json::array& array_at(const json::object& parent, std::string_view name) {
  static const json::array empty;
  const auto* value = member(parent, name);
  const auto* array = value != nullptr ? value->if_array() : nullptr;
  return array != nullptr ? *array : empty;
}

std::optional<std::int64_t> integer_at(const json::object& parent, std::string_view name) {
  const auto* value = member(parent, name);
  if (value == nullptr || !(value->is_int64() || value->is_uint64())) return std::nullopt;
  boost::system::error_code too_large;
  const auto number = value->to_number<std::int64_t>(too_large);
  return too_large ? std::nullopt : std::optional(number);
}

bool true_at(const json::object& parent, std::string_view name) {
  const auto* value = member(parent, name);
  const auto* truth = value != nullptr ? value->if_bool() : nullptr;
  return truth != nullptr && *truth;
}

std::string_view name_of(const json::object& object) { return metadata_text(object, "name"); }
std::string_view namespace_of(const json::object& object) {
  return metadata_text(object, "namespace");
}
std::string_view resource_version_of(const json::object& object) {
  return metadata_text(object, "resourceVersion");
}

}  // namespace kube
