#pragma once

#include <string>
#include <string_view>

#include "addon/canonical_json.h"
#include "base/result.h"

namespace addon {

/// "quay.io/ocm/cluster-proxy:v1" taken apart as the agent's chart wants it: registry
/// "quay.io/ocm", image "cluster-proxy", tag "v1".
struct ImageReference {
  std::string registry;
  std::string image;
  std::string tag = "latest";

  /// The reference again, for a digest too.
  std::string text() const;
};
/// Fails on an empty text and on more than one ":" in the last part without a digest.
base::Result<ImageReference> parse_image(std::string_view text);

/// `image` as the cluster's annotation `open-cluster-management.io/image-registries` moves it to
/// another registry: the last matching source wins, each tried on the original name. Fails on
/// malformed JSON.
base::Result<std::string> override_image(std::string_view image,
                                         const json::object& managed_cluster);

}  // namespace addon
