#pragma once

#include <chrono>
#include <optional>
#include <string>

#include <boost/json/object.hpp>

#include "kube/labels.h"
#include "kube/request.h"
#include "kube/time.h"

namespace kube {

/// Leases (coordination.k8s.io/v1) of `in_namespace`.
Api lease_api(std::string in_namespace);

/// When a lease ends: renewTime, or else acquireTime, plus leaseDurationSeconds. Nothing when one
/// of them is missing: such a lease counts as expired.
std::optional<WallTime> lease_end(const boost::json::object& lease);

inline bool lease_is_valid(const boost::json::object& lease, WallTime now) {
  const auto end = lease_end(lease);
  return end && *end > now;
}

/// What a lease of ours says.
struct LeaseClaim {
  std::string name;
  std::string in_namespace;
  std::string holder;
  std::chrono::seconds duration{30};
  Labels labels;
};

/// A new lease, renewed at `now`.
boost::json::object new_lease(const LeaseClaim& claim, WallTime now);
/// `lease` as last seen, renewed at `now`; its labels become those of `claim`, all else stays.
boost::json::object renewed_lease(boost::json::object lease, const LeaseClaim& claim, WallTime now);

}  // namespace kube
