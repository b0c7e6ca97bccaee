#include "addon/manifest.h"

#include <charconv>
#include <map>

#include <yaml-cpp/yaml.h>

#include "addon/embedded.h"
#include "addon/object.h"
#include "base/check.h"

namespace addon {
namespace {

template <typename Number>
bool read_number(std::string_view text, Number& number) {
  const auto* end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, number);
  return result.ec == std::errc() && result.ptr == end;
}

json::value scalar(const YAML::Node& node) {
  const auto& text = node.Scalar();
  if (node.Tag() == "!") return json::value(text);  // quoted
  if (text.empty() || text == "null" || text == "~") return nullptr;
  if (text == "true" || text == "false") return text == "true";
  if (std::int64_t integer = 0; read_number(text, integer)) return integer;
  if (double number = 0; read_number(text, number)) return number;
  return json::value(text);
}

json::value convert(const YAML::Node& node) {
  if (node.IsMap()) {
    json::object object;
    for (const auto& member : node) object[member.first.Scalar()] = convert(member.second);
    return object;
  }
  if (node.IsSequence()) {
    json::array array;
    for (const auto& element : node) array.push_back(convert(element));
    return array;
  }
  return node.IsScalar() ? scalar(node) : json::value();
}

const json::value& variable(const json::object& variables, std::string_view name) {
  const auto* value = variables.if_contains(json::string_view(name.data(), name.size()));
  CHECK(value != nullptr);
  return *value;
}

std::string spliced(std::string_view text, const json::object& variables) {
  std::string out;
  for (auto start = text.find("${"); start != text.npos; start = text.find("${")) {
    const auto end = text.find('}', start);
    CHECK(end != text.npos);
    const auto& value = variable(variables, text.substr(start + 2, end - start - 2));
    CHECK(value.is_string() || value.is_int64());
    out += text.substr(0, start);
    out += value.is_string() ? std::string(value.get_string()) : std::to_string(value.get_int64());
    text = text.substr(end + 1);
  }
  return out.append(text);
}

json::value filled(const json::value& value, const json::object& variables);

json::value filled_text(const json::string& string, const json::object& variables) {
  const std::string_view text = string;
  const bool whole = text.starts_with("${") && text.find('}') == text.size() - 1;
  if (whole) return variable(variables, text.substr(2, text.size() - 3));
  return json::value(spliced(text, variables));
}

json::object filled_object(const json::object& object, const json::object& variables) {
  json::object result;
  for (const auto& member : object) {
    if (auto value = filled(member.value(), variables); !value.is_null()) {
      result[member.key()] = std::move(value);
    }
  }
  return result;
}

json::array filled_array(const json::array& array, const json::object& variables) {
  json::array result;
  for (const auto& element : array) {
    if (auto value = filled(element, variables); !value.is_null())
      result.push_back(std::move(value));
  }
  return result;
}

json::value filled(const json::value& value, const json::object& variables) {
  if (value.is_string()) return filled_text(value.get_string(), variables);
  if (value.is_object()) return filled_object(value.get_object(), variables);
  if (value.is_array()) return filled_array(value.get_array(), variables);
  return value;
}

using Templates = std::map<std::string_view, json::value>;

const Templates& templates() {
  static const Templates parsed = [] {
    Templates all;
    for (const auto& file : embedded_manifests()) {
      all[file.name] = convert(YAML::Load(std::string(file.yaml)));
      CHECK(all[file.name].is_object());
    }
    return all;
  }();
  return parsed;
}

}  // namespace

json::object manifest(std::string_view name, const json::object& variables) {
  const auto found = templates().find(name);
  CHECK(found != templates().end());
  return filled_object(found->second.get_object(), variables);
}

}  // namespace addon
