#include "pki/identity.h"

namespace pki {
namespace {

constexpr std::string_view kPrefix = "urn:open-cluster-management:cluster:";

}  // namespace

std::string cluster_uri(std::string_view cluster) { return std::string(kPrefix).append(cluster); }

std::vector<std::string> clusters_named(const std::vector<std::string>& uris) {
  std::vector<std::string> clusters;
  for (const std::string& uri : uris) {
    if (uri.starts_with(kPrefix) && uri.size() > kPrefix.size())
      clusters.push_back(uri.substr(kPrefix.size()));
  }
  return clusters;
}

}  // namespace pki
