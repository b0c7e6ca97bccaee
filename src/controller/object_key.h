#pragma once

#include <compare>
#include <string>

#include <boost/json/object.hpp>
#include <fmt/format.h>

#include "kube/json.h"

namespace controller {

/// Which object of a kind: what queues and stores know objects by. Cluster-scoped objects have no
/// namespace.
struct ObjectKey {
  std::string in_namespace;
  std::string name;

  auto operator<=>(const ObjectKey&) const = default;
};

inline ObjectKey key_of(const kube::json::object& object) {
  return {std::string(kube::namespace_of(object)), std::string(kube::name_of(object))};
}

}  // namespace controller

/// "namespace/name", or "name" alone.
template <>
struct fmt::formatter<controller::ObjectKey> : fmt::formatter<fmt::string_view> {
  template <typename Context>
  auto format(const controller::ObjectKey& key, Context& context) const {
    if (key.in_namespace.empty()) return fmt::format_to(context.out(), "{}", key.name);
    return fmt::format_to(context.out(), "{}/{}", key.in_namespace, key.name);
  }
};
