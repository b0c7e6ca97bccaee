#include "kube/config.h"

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <fmt/format.h>

#include "http/url.h"
#include "net/address.h"

namespace kube {

using base::Code;
using base::Result;

namespace {

std::string trimmed(std::string text) {
  const auto last = text.find_last_not_of(" \t\r\n");
  text.resize(last == std::string::npos ? 0 : last + 1);
  return text;
}

}  // namespace

Result<std::string> read_file(const std::string& path) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file) return base::fail(base::system_error(errno, "read " + path));
  std::string text{std::istreambuf_iterator<char>(file), {}};
  if (file.bad()) return base::fail(base::system_error(EIO, "read " + path));
  return text;
}

Result<Config> load_kubeconfig(const std::string& file, const std::string& context) {
  auto text = read_file(file);
  if (!text) return base::fail(text.error().within("kubeconfig"));
  return parse_kubeconfig(*text, file, context);
}

std::string process_environment(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

Result<Config> in_cluster_config(const Environment& environment, const std::string& folder) {
  const auto host = environment("KUBERNETES_SERVICE_HOST");
  const auto port = environment("KUBERNETES_SERVICE_PORT");
  if (host.empty() || port.empty()) {
    return base::fail(
        Code::not_found,
        "not in a cluster: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not "
        "both set; outside of a pod, give --kubeconfig");
  }
  TRY(const auto address,
      net::parse_host_port((host.contains(':') ? "[" + host + "]:" : host + ":") + port));
  Config config{.source = "in-cluster"};
  config.cluster.server = "https://" + net::join_host_port(address.host, address.port);
  config.cluster.certificate_authority.file = folder + "/ca.crt";
  config.user.token.file = folder + "/token";
  if (auto token = read_file(config.user.token.file); !token) {
    return base::fail(token.error().within("in-cluster service account"));
  }
  if (auto space = read_file(folder + "/namespace")) {
    config.default_namespace = trimmed(std::move(*space));
  }
  return config;
}

Result<Config> load_config(const std::string& file) {
  return file.empty() ? in_cluster_config() : load_kubeconfig(file);
}

}  // namespace kube
