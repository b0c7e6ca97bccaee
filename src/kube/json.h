#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/stream_parser.hpp>
#include <boost/json/value.hpp>

#include "base/result.h"

/// Reading Kubernetes objects: what is missing or of another kind reads as empty, never as an
/// exception.
namespace kube {

namespace json = boost::json;

/// Parses a whole text; Code::invalid names where it is wrong. Depth is bounded.
base::Result<json::value> parse_json(std::string_view text);

/// Parses a text that comes in parts, so that it need not be held as a whole. Errors as
/// parse_json().
class JsonReader {
 public:
  JsonReader();
  base::Result<void> feed(std::string_view part);
  /// The value; null for a text without any part.
  base::Result<json::value> finish();

 private:
  json::stream_parser parser_;
  bool empty_ = true;
};

/// The member `name` if it is an object; an empty one otherwise.
const json::object& object_at(const json::object& parent, std::string_view name);
/// The member `name` if it is text; "" otherwise. A view into `parent`.
std::string_view text_at(const json::object& parent, std::string_view name);
/// The member `name` if it is an array; an empty one otherwise.
const json::array& array_at(const json::object& parent, std::string_view name);
std::optional<std::int64_t> integer_at(const json::object& parent, std::string_view name);
bool true_at(const json::object& parent, std::string_view name);

/// metadata.name, .namespace and .resourceVersion of an object. Views into it.
std::string_view name_of(const json::object& object);
std::string_view namespace_of(const json::object& object);
std::string_view resource_version_of(const json::object& object);

}  // namespace kube
