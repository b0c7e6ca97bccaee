#pragma once

#include <string>
#include <string_view>
#include <vector>

/// Which cluster a certificate is for: a URI among its alternative names says so.
namespace pki {

/// "urn:open-cluster-management:cluster:<name>".
std::string cluster_uri(std::string_view cluster);

/// The clusters that such URIs name; others are skipped, and so is one without a name.
std::vector<std::string> clusters_named(const std::vector<std::string>& uris);

}  // namespace pki
