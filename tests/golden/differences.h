#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "addon/canonical_json.h"

namespace golden {

namespace json = kube::json;

/// A place where two values differ.
struct Difference {
  std::string path;  // "spec.template.spec.containers[0].image"
  std::string reference;
  std::string ours;
};
std::vector<Difference> compare(const json::value& reference, const json::value& ours);

/// docs/addon-differences.yaml: what may differ from the reference, and why. Whatever is not listed
/// must be equal; whatever is listed must be seen.
class ListedDifferences {
 public:
  ListedDifferences();

  /// Whether some entry covers the place, in a stage and an object such as
  /// "Deployment/cluster-proxy".
  bool allows(std::string_view stage, std::string_view object, std::string_view path);

  /// Identifiers of the entries with a place that no comparison has met.
  std::vector<std::string> unused() const;
  std::map<std::string, int> uses() const { return uses_; }

 private:
  struct Place {
    std::string id;
    std::string stage;
    std::string object;
    std::string path;
  };
  std::vector<Place> places_;
  std::map<std::string, int> uses_;
};

}  // namespace golden
