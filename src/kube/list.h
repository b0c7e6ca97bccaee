#pragma once

#include <functional>
#include <string>
#include <vector>

#include "kube/client.h"
#include "kube/request.h"

namespace kube {

/// The objects of a list, and the state of the world that they are of.
struct ObjectList {
  std::string resource_version;
  std::vector<json::object> objects;
};

/// Moves the items of the answer `page` behind `objects`. Items of a list lack kind and apiVersion;
/// they get those that the list's own stand for.
void take_items(json::object& page, std::vector<json::object>& objects);

/// Hears of each request for a page: null and how long it took, or the error.
using PageObserver = std::function<void(const Error*, async::Duration)>;

/// Asks for all pages of a list, `options.limit` objects each. All objects are of the state that
/// the first page is of; when the server no longer has it for a later page, the whole list is asked
/// for anew, at once. `client` and what `observer` refers to outlive the task.
Task<ObjectList> list_all(Client& client, Api api, ListOptions options, PageObserver observer = {});

}  // namespace kube
