#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/object.hpp>

#include "base/result.h"

namespace kube {

using Labels = std::map<std::string, std::string, std::less<>>;

/// metadata.labels of an object.
Labels labels_of(const boost::json::object& object);

/// "a=1,b=2", as konnectivity's --lease-label takes it: each pair has exactly one "=", and the keys
/// and values are valid labels. An empty text gives no labels.
base::Result<Labels> parse_labels(std::string_view text);
/// "a=1,b=2" in the order of keys: also a selector for exactly these labels.
std::string format_labels(const Labels& labels);

/// A qualified name: [dns subdomain "/"] name of at most 63 letters, digits, "-", "_", ".".
bool is_label_key(std::string_view text);
bool is_label_value(std::string_view text);

/// A label selector in Kubernetes' full syntax: "a=1,b==2,c!=3,d in (x,y),e notin
/// (z),f,!g,h>1,i<2".
class LabelSelector {
 public:
  /// Selects everything.
  LabelSelector() = default;
  /// Code::invalid names the place. An empty text selects everything.
  static base::Result<LabelSelector> parse(std::string_view text);

  bool matches(const Labels& labels) const;
  bool selects_everything() const { return requirements_.empty(); }

 private:
  friend class SelectorParser;
  enum class Operator { in, not_in, exists, absent, greater, less };
  struct Requirement {
    std::string key;
    Operator op = Operator::exists;
    std::vector<std::string> values;
    bool matches(const Labels& labels) const;
  };
  std::vector<Requirement> requirements_;
};

}  // namespace kube
