#pragma once

#include <string_view>

#include "controller/informer.h"
#include "kube/client.h"

namespace controller {

/// Writes objects of one kind, and tells the informer of that kind what the server made of them, so
/// that the next reconcile sees its own writes.
///
/// Thread: that of the loop. Both references outlive it.
class Writer {
 public:
  Writer(kube::Client& client, Informer& informer) : client_(client), informer_(informer) {}

  kube::Task<ObjectPtr> create(json::object object);
  /// A whole object with the resource version it was read at; `subresource` may be "".
  kube::Task<ObjectPtr> update(json::object object, std::string subresource = "");
  /// A merge patch (RFC 7386).
  kube::Task<ObjectPtr> patch(ObjectKey key, json::object body, std::string subresource = "");
  /// Well when it has gone already. `uid` keeps from deleting another object of that name.
  kube::Task<void> remove(ObjectKey key, std::string uid = "");

 private:
  kube::Task<ObjectPtr> send(http::ClientRequest request);
  kube::Api api_in(const std::string& in_namespace) const;

  kube::Client& client_;
  Informer& informer_;
};

}  // namespace controller
