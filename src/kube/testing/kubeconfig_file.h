#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include <fmt/format.h>

namespace kube::testing {

/// A kubeconfig on disk that goes with the object.
class KubeconfigFile {
 public:
  KubeconfigFile() {
    auto pattern = std::filesystem::temp_directory_path().string() + "/kubeconfig-XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
  }
  KubeconfigFile(const KubeconfigFile&) = delete;
  ~KubeconfigFile() { std::filesystem::remove_all(folder_); }

  std::string path() const { return folder_ + "/config"; }
  void write(std::string_view text) const { std::ofstream(path()) << text; }
  void lead_to(std::string_view server, std::string_view token) const {
    write(fmt::format(R"(current-context: c
contexts: [{{name: c, context: {{cluster: k, user: u}}}}]
clusters: [{{name: k, cluster: {{server: "{}"}}}}]
users: [{{name: u, user: {{token: "{}"}}}}]
)",
                      server, token));
  }

 private:
  std::string folder_;
};

}  // namespace kube::testing
