#include "kube/request.h"

#include <utility>

#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "http/url.h"
#include "kube/json.h"

namespace kube {

using http::ClientRequest;
using http::percent_encode;
using http::Query;

namespace {

ClientRequest without_body(std::string method, std::string path, const Query& query) {
  if (!query.empty()) path += "?" + query.text();
  ClientRequest request{.method = std::move(method), .target = std::move(path)};
  request.set("Accept", "application/json");
  return request;
}

ClientRequest with_body(std::string method, std::string path, const Query& query,
                        const json::value& body, std::string_view type) {
  auto request = without_body(std::move(method), std::move(path), query);
  request.set("Content-Type", std::string(type));
  request.body = json::serialize(body);
  return request;
}

constexpr std::string_view kJson = "application/json";

std::string_view content_type(PatchType type) {
  switch (type) {
    case PatchType::merge:
      return "application/merge-patch+json";
    case PatchType::json:
      return "application/json-patch+json";
    case PatchType::strategic:
      return "application/strategic-merge-patch+json";
    case PatchType::apply:
      return "application/apply-patch+yaml";  // JSON is YAML
  }
  std::unreachable();
}

json::object delete_body(const DeleteOptions& options) {
  json::object preconditions;
  if (!options.uid.empty()) preconditions["uid"] = options.uid;
  if (!options.resource_version.empty())
    preconditions["resourceVersion"] = options.resource_version;
  json::object body{{"kind", "DeleteOptions"}, {"apiVersion", "v1"}};
  if (!preconditions.empty()) body["preconditions"] = std::move(preconditions);
  if (!options.propagation.empty()) body["propagationPolicy"] = options.propagation;
  if (options.grace_period_seconds) body["gracePeriodSeconds"] = *options.grace_period_seconds;
  return body;
}

}  // namespace

Api::Api(Resource resource, std::string in_namespace)
    : resource_(std::move(resource)), namespace_(std::move(in_namespace)) {}

std::string Api::collection() const {
  const auto& [group, version, plural] = resource_;
  auto path =
      group.empty() ? fmt::format("/api/{}", version) : fmt::format("/apis/{}/{}", group, version);
  if (!namespace_.empty()) path += "/namespaces/" + percent_encode(namespace_);
  return path + "/" + plural;
}

std::string Api::member(std::string_view name, std::string_view subresource) const {
  auto path = collection() + "/" + percent_encode(name);
  if (!subresource.empty()) path += fmt::format("/{}", subresource);
  return path;
}

ClientRequest Api::get(std::string_view name, std::string_view subresource) const {
  return without_body("GET", member(name, subresource), {});
}

ClientRequest Api::list(const ListOptions& options) const {
  Query query;
  query.add_if("labelSelector", options.label_selector);
  query.add_if("fieldSelector", options.field_selector);
  query.add_if("resourceVersion", options.resource_version);
  query.add_if("resourceVersionMatch", options.resource_version_match);
  if (options.limit != 0) query.add("limit", std::to_string(options.limit));
  query.add_if("continue", options.continue_token);
  return without_body("GET", collection(), query);
}

ClientRequest Api::watch(const WatchOptions& options) const {
  Query query;
  query.add("watch", "true");
  query.add_if("labelSelector", options.label_selector);
  query.add_if("fieldSelector", options.field_selector);
  query.add_if("resourceVersion", options.resource_version);
  query.add_if("resourceVersionMatch", options.resource_version_match);
  if (options.allow_bookmarks) query.add("allowWatchBookmarks", "true");
  if (options.send_initial_events) query.add("sendInitialEvents", "true");
  if (options.timeout.count() > 0) {
    query.add("timeoutSeconds", std::to_string(options.timeout.count()));
  }
  return without_body("GET", collection(), query);
}

ClientRequest Api::create(const json::object& object, std::string_view field_manager) const {
  Query query;
  query.add_if("fieldManager", field_manager);
  return with_body("POST", collection(), query, object, kJson);
}

ClientRequest Api::create_subresource(std::string_view name, std::string_view subresource,
                                      const json::object& object) const {
  return with_body("POST", member(name, subresource), {}, object, kJson);
}

ClientRequest Api::update(const json::object& object, std::string_view subresource) const {
  return with_body("PUT", member(name_of(object), subresource), {}, object, kJson);
}

ClientRequest Api::patch(std::string_view name, const json::value& patch,
                         const PatchOptions& options) const {
  Query query;
  query.add_if("fieldManager", options.field_manager);
  if (options.force) query.add("force", "true");
  return with_body("PATCH", member(name, options.subresource), query, patch,
                   content_type(options.type));
}

ClientRequest Api::remove(std::string_view name, const DeleteOptions& options) const {
  return with_body("DELETE", member(name, ""), {}, delete_body(options), kJson);
}

ClientRequest get_path(std::string path) { return without_body("GET", std::move(path), {}); }

}  // namespace kube
