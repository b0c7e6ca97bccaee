#include "portforward/pods.h"

#include <algorithm>

#include <fmt/format.h>

#include "kube/json.h"

namespace portforward {

namespace json = kube::json;

namespace {

PodName name_of(const json::object& pod) {
  return {std::string(kube::namespace_of(pod)), std::string(kube::name_of(pod))};
}

bool is_ready(const json::object& status) {
  const auto* conditions = status.if_contains("conditions");
  if (conditions == nullptr || !conditions->is_array()) return false;
  return std::ranges::any_of(conditions->get_array(), [](const json::value& condition) {
    return condition.is_object() && kube::text_at(condition.get_object(), "type") == "Ready" &&
           kube::text_at(condition.get_object(), "status") == "True";
  });
}

}  // namespace

kube::Api pod_api(std::string in_namespace) {
  return {{"", "v1", "pods"}, std::move(in_namespace)};
}

Pods::State Pods::state_of(const json::object& pod) {
  const auto& status = kube::object_at(pod, "status");
  return {
      .phase = std::string(kube::text_at(status, "phase")),
      .ready = is_ready(status),
      .deleting = !kube::text_at(kube::object_at(pod, "metadata"), "deletionTimestamp").empty()};
}

void Pods::replace(std::vector<json::object> objects) {
  const auto before = std::exchange(pods_, {});
  for (auto& object : objects) apply(std::move(object));
  for (const auto& [name, state] : before) {
    if (on_gone_ && !pods_.contains(name)) on_gone_(name);
  }
}

void Pods::apply(json::object object) { pods_[name_of(object)] = state_of(object); }

void Pods::remove(const json::object& object) {
  const auto name = name_of(object);
  if (pods_.erase(name) > 0 && on_gone_) on_gone_(name);
}

std::vector<PodName> Pods::candidates() const {
  const bool any_ready = std::ranges::any_of(
      pods_, [](const auto& pod) { return pod.second.usable() && pod.second.ready; });
  std::vector<PodName> names;
  for (const auto& [name, state] : pods_) {
    if (state.usable() && (state.ready || !any_ready)) names.push_back(name);
  }
  return names;
}

std::string Pods::describe() const {
  std::string text;
  for (const auto& [name, state] : pods_) {
    text += fmt::format("{}{} is {}", text.empty() ? "" : ", ", name.name,
                        state.deleting ? "being deleted" : state.phase);
  }
  return text.empty() ? "there is no pod" : text;
}

}  // namespace portforward
