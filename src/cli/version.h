#pragma once

#include <string_view>

namespace cli {

#ifndef CLUSTER_PROXY_VERSION
#error "the build defines CLUSTER_PROXY_VERSION"
#endif
inline constexpr std::string_view kVersion = CLUSTER_PROXY_VERSION;
/// The version of konnectivity whose flags, metrics and wire format we keep.
inline constexpr std::string_view kKonnectivityVersion = "v0.36.0";

}  // namespace cli
