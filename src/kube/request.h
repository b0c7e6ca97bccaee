#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include <boost/json/object.hpp>

#include "http/client.h"

namespace kube {

/// A kind of objects as the API server serves it.
struct Resource {
  std::string group;  // "" = the core group
  std::string version;
  std::string plural;  // "leases"
};

struct ListOptions {
  std::string label_selector;
  std::string field_selector;
  std::string resource_version;  // "" = the newest; "0" = whatever the server has in its cache
  std::string resource_version_match;  // "Exact" or "NotOlderThan"
  unsigned limit = 0;
  std::string continue_token;
};

struct WatchOptions {
  std::string label_selector;
  std::string field_selector;
  std::string resource_version;
  std::string resource_version_match;
  bool allow_bookmarks = true;
  bool send_initial_events = false;  // the state first, then a bookmark, then changes
  std::chrono::seconds timeout{0};   // after which the server ends the watch; 0 = its own choice
};

enum class PatchType { merge, json, strategic, apply };

struct PatchOptions {
  PatchType type = PatchType::merge;
  std::string field_manager;
  bool force = false;  // of apply only: take over fields that others own
  std::string subresource;
};

struct DeleteOptions {
  std::string uid;               // must match, unless ""
  std::string resource_version;  // must match, unless ""
  std::string propagation;  // "Background", "Foreground", "Orphan" or "" for the server's default
  std::optional<unsigned> grace_period_seconds;
};

/// Makes the requests about the objects of one resource in one namespace ("" = all namespaces, or
/// objects without one). No I/O: a request is a value for Client::send().
class Api {
 public:
  Api(Resource resource, std::string in_namespace);

  http::ClientRequest get(std::string_view name, std::string_view subresource = "") const;
  http::ClientRequest list(const ListOptions& options = {}) const;
  http::ClientRequest watch(const WatchOptions& options = {}) const;
  http::ClientRequest create(const boost::json::object& object,
                             std::string_view field_manager = "") const;
  /// Creates a subresource of `name`, such as the token of a service account.
  http::ClientRequest create_subresource(std::string_view name, std::string_view subresource,
                                         const boost::json::object& object) const;
  /// Replaces the object of metadata.name; the resource version in it must be the server's.
  http::ClientRequest update(const boost::json::object& object,
                             std::string_view subresource = "") const;
  http::ClientRequest patch(std::string_view name, const boost::json::value& patch,
                            const PatchOptions& options = {}) const;
  http::ClientRequest remove(std::string_view name, const DeleteOptions& options = {}) const;

  const Resource& resource() const { return resource_; }

 private:
  std::string collection() const;
  std::string member(std::string_view name, std::string_view subresource) const;

  Resource resource_;
  std::string namespace_;
};

/// A request for any path, such as "/version" or "/readyz".
http::ClientRequest get_path(std::string path);

}  // namespace kube
