#pragma once

#include <span>
#include <string_view>

namespace addon {

/// A file of deploy/, as it was at build time.
struct EmbeddedFile {
  std::string_view name;  // "agent/deployment"
  std::string_view yaml;
};

std::span<const EmbeddedFile> embedded_manifests();

}  // namespace addon
