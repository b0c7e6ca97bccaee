#include "kube/lease.h"

#include <algorithm>
#include <utility>

#include "kube/json.h"

namespace kube {

namespace {

// Keeps sums of times in range; nobody means more.
constexpr std::int64_t kMaxDuration = 10LL * 365 * 24 * 3600;

json::object labels_object(const Labels& labels) {
  json::object object;
  for (const auto& [key, value] : labels) object[key] = value;
  return object;
}

/// The member `name` as an object, made one if it is none.
json::object& object_in(json::object& parent, json::string_view name) {
  auto& value = parent[name];
  return value.is_object() ? value.get_object() : value.emplace_object();
}

}  // namespace

Api lease_api(std::string in_namespace) {
  return {{"coordination.k8s.io", "v1", "leases"}, std::move(in_namespace)};
}

std::optional<WallTime> lease_end(const json::object& lease) {
  const auto& spec = object_at(lease, "spec");
  auto start = parse_time(text_at(spec, "renewTime"));
  if (!start) start = parse_time(text_at(spec, "acquireTime"));
  const auto duration = integer_at(spec, "leaseDurationSeconds");
  if (!start || !duration) return std::nullopt;
  return *start + std::chrono::seconds(std::clamp<std::int64_t>(*duration, 0, kMaxDuration));
}

json::object new_lease(const LeaseClaim& claim, WallTime now) {
  const json::object metadata{{"name", claim.name}, {"namespace", claim.in_namespace}};
  json::object lease{
      {"apiVersion", "coordination.k8s.io/v1"}, {"kind", "Lease"}, {"metadata", metadata}};
  return renewed_lease(std::move(lease), claim, now);
}

json::object renewed_lease(json::object lease, const LeaseClaim& claim, WallTime now) {
  object_in(lease, "metadata")["labels"] = labels_object(claim.labels);
  auto& spec = object_in(lease, "spec");
  spec["holderIdentity"] = claim.holder;
  spec["leaseDurationSeconds"] = claim.duration.count();
  spec["renewTime"] = format_micro_time(now);
  return lease;
}

}  // namespace kube
