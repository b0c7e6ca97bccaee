#pragma once

#include <map>
#include <string>

#include "differences.h"
#include "stage.h"

namespace golden {

/// Compares one stage after another, and counts.
class Comparison {
 public:
  /// Fails the running test for every place that differs and is not listed.
  void same(const Stage& stage, const std::string& object, const json::value& reference,
            const json::value& ours);

  /// For places that are no objects: a text that the reference gives, and ours.
  void same_text(const Stage& stage, const std::string& object, std::string_view reference,
                 std::string_view ours);

  ListedDifferences& listed() { return listed_; }
  /// Kind of object -> how many were compared, and how many of them were equal in every place.
  struct Count {
    int compared = 0;
    int equal = 0;
  };
  const std::map<std::string, Count>& counts() const { return counts_; }

 private:
  ListedDifferences listed_;
  std::map<std::string, Count> counts_;
};

// hub_checks.cc
void check_proxy_server(const Stage& stage, Comparison& comparison);
void check_certificates(const Stage& stage, Comparison& comparison);
void check_hub_rbac(const Stage& stage, Comparison& comparison);
void check_load_balancer(const Stage& stage, Comparison& comparison);
void check_profiles(const Stage& stage, Comparison& comparison);

// agent_checks.cc
void check_agents(const Stage& stage, Comparison& comparison);
void check_requests(const Stage& stage, Comparison& comparison);

// status_checks.cc
void check_addon_status(const Stage& stage, Comparison& comparison);
void check_management_addon(const Stage& stage, Comparison& comparison);

}  // namespace golden
