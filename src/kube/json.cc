#include "kube/json.h"

#include <exception>

#include <boost/json/parse.hpp>
#include <fmt/format.h>

namespace kube {

namespace {

const json::value* member(const json::object& parent, std::string_view name) {
  return parent.if_contains(json::string_view(name.data(), name.size()));
}

std::string_view metadata_text(const json::object& object, std::string_view name) {
  return text_at(object_at(object, "metadata"), name);
}

}  // namespace

base::Result<json::value> parse_json(std::string_view text) try {
  json::parse_options options;
  options.max_depth = 64;
  boost::system::error_code error;
  auto value = json::parse(json::string_view(text.data(), text.size()), error, {}, options);
  if (error) {
    return base::fail(base::Code::invalid, fmt::format("not valid JSON: {}", error.message()));
  }
  return value;
} catch (const std::exception& exception) {
  return base::fail(base::Code::exhausted, fmt::format("cannot hold JSON: {}", exception.what()));
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

std::optional<std::int64_t> integer_at(const json::object& parent, std::string_view name) {
  const auto* value = member(parent, name);
  const auto* number = value != nullptr ? value->if_int64() : nullptr;
  return number != nullptr ? std::optional(*number) : std::nullopt;
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
