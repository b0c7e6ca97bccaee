#pragma once

#include <string>
#include <string_view>

#include <boost/json/object.hpp>

/// How an API server understands paths and writes: which objects a collection holds, and what a
/// write to an object or to a part of it changes.
namespace kube::testing {

namespace json = boost::json;

/// Whether the object at `path` is in `collection`: that of a namespace, of no namespace, or, for
/// objects with namespaces, that of all of them.
bool is_inside(std::string_view collection, std::string_view path);

/// "/apis/g/v1/things/a/status" is the object "/apis/g/v1/things/a" and its part "status".
struct Target {
  std::string path;
  std::string part;  // "" = the object without its status
};
Target target_of(std::string_view path);

/// The object as first stored: with a uid, a generation and the namespace of its collection.
json::object as_created(json::object object, std::string_view collection, const std::string& uid);
/// `current` after `wanted` was written to `part` of it.
json::object as_written(const json::object& current, json::object wanted, std::string_view part);

}  // namespace kube::testing
