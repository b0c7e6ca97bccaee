#include "kube/config.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

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

/// "a::b" gives a, b.
std::vector<std::string> split_paths(std::string_view text) {
  std::vector<std::string> paths;
  while (!text.empty()) {
    const auto end = std::min(text.find(':'), text.size());
    if (end > 0) paths.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return paths;
}

/// What find_config() did not find, one reason a source.
using Missed = std::vector<std::string>;

// Nothing when the variable is not set. One that is set is the user's word: nothing else is tried.
Result<std::optional<Config>> config_of_variable(const ConfigSources& sources, Missed& missed) {
  const auto list = sources.environment("KUBECONFIG");
  if (list.empty()) {
    missed.emplace_back("KUBECONFIG is not set");
    return std::nullopt;
  }
  auto config = load_kubeconfigs(split_paths(list), sources.context);
  if (config || !config.error().is(Code::not_found)) return config;
  return base::fail(Code::not_found,
                    fmt::format("no file of KUBECONFIG={} exists: correct it, or unset it", list));
}

Result<std::optional<Config>> config_of_home(const ConfigSources& sources, Missed& missed) {
  const auto home = sources.environment("HOME");
  if (home.empty()) {
    missed.emplace_back("HOME is not set");
    return std::nullopt;
  }
  const auto path = home + "/.kube/config";
  auto config = load_kubeconfig(path, sources.context);
  if (config || !config.error().is(Code::not_found)) return config;
  missed.push_back(config.error().message);
  return std::nullopt;
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
  TRY(auto config, parse_kubeconfig(*text, file, context));
  config.files = {file};
  config.context = context;
  return config;
}

Result<Config> load_kubeconfigs(const std::vector<std::string>& files, const std::string& context) {
  std::vector<KubeconfigText> texts;
  for (const auto& file : files) {
    auto text = read_file(file);
    if (text) {
      texts.push_back({file, std::move(*text)});
    } else if (!text.error().is(Code::not_found)) {
      return base::fail(text.error().within("kubeconfig"));
    }
  }
  if (texts.empty()) {
    return base::fail(Code::not_found,
                      fmt::format("kubeconfig: none of these exists: {}", fmt::join(files, ", ")));
  }
  TRY(auto config, merge_kubeconfigs(texts, context));
  config.files = files;
  config.context = context;
  return config;
}

Result<Config> reread(const Config& config) {
  if (config.files.empty()) return config;
  TRY(auto fresh, load_kubeconfigs(config.files, config.context));
  fresh.http1_only = config.http1_only;
  return fresh;
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

Result<Config> find_config(const ConfigSources& sources) {
  if (!sources.file.empty()) return load_kubeconfig(sources.file, sources.context);
  Missed missed;
  TRY(auto of_variable, config_of_variable(sources, missed));
  if (of_variable) return std::move(*of_variable);
  auto of_pod = in_cluster_config(sources.environment, sources.pod_folder);
  if (of_pod || !of_pod.error().is(Code::not_found)) return of_pod;
  missed.push_back(of_pod.error().message);
  TRY(auto of_home, config_of_home(sources, missed));
  if (of_home) return std::move(*of_home);
  return base::fail(
      Code::not_found,
      fmt::format("no configuration of a Kubernetes API server: {}; give --kubeconfig",
                  fmt::join(missed, "; ")));
}

Result<Config> load_config(const std::string& file) {
  return file.empty() ? in_cluster_config() : load_kubeconfig(file);
}

}  // namespace kube
