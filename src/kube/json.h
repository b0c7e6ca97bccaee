#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "base/result.h"

/// Reading Kubernetes objects: what is missing or of another kind reads as empty, never as an
/// exception.
namespace kube {

namespace json = boost::json;

/// Parses a whole text; Code::invalid names where it is wrong. Depth is bounded.
base::Result<json::value> parse_json(std::string_view text);

/// The member `name` if it is an object; an empty one otherwise.
const json::object& object_at(const json::object& parent, std::string_view name);
/// The member `name` if it is text; "" otherwise. A view into `parent`.
std::string_view text_at(const json::object& parent, std::string_view name);
std::optional<std::int64_t> integer_at(const json::object& parent, std::string_view name);
bool true_at(const json::object& parent, std::string_view name);

/// metadata.name, .namespace and .resourceVersion of an object. Views into it.
std::string_view name_of(const json::object& object);
std::string_view namespace_of(const json::object& object);
std::string_view resource_version_of(const json::object& object);

}  // namespace kube
