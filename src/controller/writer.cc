#include "controller/writer.h"

#include <utility>

namespace controller {

kube::Api Writer::api_in(const std::string& in_namespace) const {
  return {informer_.api().resource(), in_namespace};
}

kube::Task<ObjectPtr> Writer::send(http::ClientRequest request) {
  CO_TRY(auto answer, co_await client_.send(std::move(request)));
  if (!answer.is_object()) {
    co_return std::unexpected(
        kube::Error(base::Code::io, "the API server answered a write without the object"));
  }
  const auto key = key_of(answer.get_object());
  informer_.learn(std::move(answer.get_object()));
  co_return informer_.store().get(key);
}

kube::Task<ObjectPtr> Writer::create(json::object object) {
  co_return co_await send(api_in(key_of(object).in_namespace).create(object));
}

kube::Task<ObjectPtr> Writer::update(json::object object, std::string subresource) {
  co_return co_await send(api_in(key_of(object).in_namespace).update(object, subresource));
}

kube::Task<ObjectPtr> Writer::patch(ObjectKey key, json::object body, std::string subresource) {
  kube::PatchOptions options;
  options.subresource = std::move(subresource);
  co_return co_await send(api_in(key.in_namespace).patch(key.name, std::move(body), options));
}

kube::Task<void> Writer::remove(ObjectKey key, std::string uid) {
  const auto answer =
      co_await client_.send(api_in(key.in_namespace).remove(key.name, {.uid = std::move(uid)}));
  if (!answer && !answer.error().is_not_found()) co_return std::unexpected(answer.error());
  if (!answer) informer_.learn_removed(key);
  co_return kube::Result<void>{};
}

}  // namespace controller
