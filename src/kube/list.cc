#include "kube/list.h"

#include <utility>

namespace kube {

namespace {

constexpr std::string_view kListSuffix = "List";

void set_if_missing(json::object& object, json::string_view name, std::string_view value) {
  if (value.empty() || object.contains(name)) return;
  object.emplace(name, json::string_view(value.data(), value.size()));
}

/// One page; the items go behind those of `list`. Gives the token of the next page.
Task<std::string> add_page(Client& client, http::ClientRequest request, ObjectList& list,
                           const PageObserver& observer) {
  const auto began = client.clock().now();
  auto page = co_await client.send_for_object(std::move(request));
  if (observer) observer(page ? nullptr : &page.error(), client.clock().now() - began);
  if (!page) co_return std::unexpected(std::move(page).error());
  take_items(*page, list.objects);
  const auto& metadata = object_at(*page, "metadata");
  if (list.resource_version.empty()) list.resource_version = text_at(metadata, "resourceVersion");
  co_return std::string(text_at(metadata, "continue"));
}

}  // namespace

void take_items(json::object& page, std::vector<json::object>& objects) {
  const std::string version(text_at(page, "apiVersion"));
  std::string kind(text_at(page, "kind"));
  kind.resize(kind.ends_with(kListSuffix) ? kind.size() - kListSuffix.size() : 0);
  auto* items = page.if_contains("items");
  if (items == nullptr || !items->is_array()) return;
  objects.reserve(objects.size() + items->get_array().size());
  for (auto& item : items->get_array()) {
    if (!item.is_object()) continue;
    auto& object = objects.emplace_back(std::move(item.get_object()));
    set_if_missing(object, "kind", kind);
    set_if_missing(object, "apiVersion", version);
  }
}

Task<ObjectList> list_all(Client& client, Api api, ListOptions options, PageObserver observer) {
  ObjectList list;
  for (;;) {
    auto next = co_await add_page(client, api.list(options), list, observer);
    const bool later_page = !options.continue_token.empty();
    options.resource_version.clear();
    options.resource_version_match.clear();
    if (next) {
      if (next->empty()) co_return list;
      options.continue_token = std::move(*next);
    } else if (later_page && next.error().is_gone()) {
      list = {};
      options.limit = 0;
      options.continue_token.clear();
    } else {
      co_return std::unexpected(std::move(next).error());
    }
  }
}

}  // namespace kube
