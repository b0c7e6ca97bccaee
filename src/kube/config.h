#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace kube {

/// Contents, or a file that holds them and may change.
struct Material {
  std::string inline_data;
  std::string file;  // absolute; used when there is no inline data
  bool empty() const { return inline_data.empty() && file.empty(); }
  bool operator==(const Material&) const = default;
};

/// A program that prints credentials (client.authentication.k8s.io).
struct ExecPlugin {
  std::string api_version;
  std::string command;  // a path, or a name to look up in PATH
  std::vector<std::string> args;
  std::map<std::string, std::string> env;  // added to ours
  std::string install_hint;
  bool provide_cluster_info = false;

  bool operator==(const ExecPlugin&) const = default;
};

/// An API server and how to believe it.
struct ClusterConfig {
  std::string server;           // URL
  std::string tls_server_name;  // "" = the host of `server`
  bool insecure_skip_tls_verify = false;
  Material certificate_authority;  // empty = the system's roots
  std::string proxy_url;           // "" = direct

  bool operator==(const ClusterConfig&) const = default;
};

/// Who we are to the API server.
struct UserConfig {
  Material client_certificate;
  Material client_key;
  Material token;
  std::string username;
  std::string password;
  std::optional<ExecPlugin> exec;
  // Impersonation
  std::string as;
  std::string as_uid;
  std::vector<std::string> as_groups;
  std::map<std::string, std::vector<std::string>> as_extra;

  bool operator==(const UserConfig&) const = default;
};

/// One context of a kubeconfig, or the credentials of a pod.
struct Config {
  std::string source;  // for messages: the file name, or "in-cluster"
  // The kubeconfigs it was read from, those of higher precedence first, and the context that was
  // asked for; see reread(). Whoever changes more than http1_only clears them: what they say would
  // come back.
  std::vector<std::string> files;
  std::string context;
  ClusterConfig cluster;
  UserConfig user;
  std::string default_namespace = "default";
  bool http1_only = false;  // for connections that are switched to another protocol

  bool operator==(const Config&) const = default;
};

/// Reads the context `context` ("" = current-context) out of kubeconfig text. Relative file names
/// count from the folder of `file`, which also names the text in errors: 'kubeconfig /x/config:
/// user "u": ...'. Files named inside are not opened.
base::Result<Config> parse_kubeconfig(std::string_view text, const std::string& file,
                                      const std::string& context = "");

/// A kubeconfig file as it was read.
struct KubeconfigText {
  std::string file;
  std::string text;
};

/// The same from several files as if they were one: of two entries with the same name the one of
/// the earlier file counts, and so does its current-context. Relative file names count from the
/// folder of the file they stand in. Empty files are skipped.
base::Result<Config> merge_kubeconfigs(const std::vector<KubeconfigText>& files,
                                       const std::string& context = "");

/// parse_kubeconfig() from the file.
base::Result<Config> load_kubeconfig(const std::string& file, const std::string& context = "");

/// merge_kubeconfigs() from the files, those that do not exist left out; Code::not_found when none
/// does.
base::Result<Config> load_kubeconfigs(const std::vector<std::string>& files,
                                      const std::string& context = "");

/// What the files of `config` say now; `config` itself where it comes from none.
base::Result<Config> reread(const Config& config);

/// Looks up an environment variable; "" when it is unset.
using Environment = std::function<std::string(const char*)>;
std::string process_environment(const char* name);

/// The credentials of the pod we run in: KUBERNETES_SERVICE_HOST and _PORT, and the files `token`,
/// `ca.crt` and `namespace` in `folder`.
base::Result<Config> in_cluster_config(
    const Environment& environment = process_environment,
    const std::string& folder = "/var/run/secrets/kubernetes.io/serviceaccount");

/// load_kubeconfig(file), or in_cluster_config() when `file` is "".
base::Result<Config> load_config(const std::string& file);

/// Where find_config() looks.
struct ConfigSources {
  std::string file;     // of --kubeconfig; "" = was not given
  std::string context;  // of a kubeconfig; "" = current-context
  Environment environment = process_environment;
  std::string pod_folder = "/var/run/secrets/kubernetes.io/serviceaccount";
};

/// The configuration of a program in client-go's order: `file`; the files of KUBECONFIG, merged,
/// those that do not exist left out; that of the pod we run in; ~/.kube/config. A source that is
/// there but wrong is an error; Code::not_found tells all that was tried.
base::Result<Config> find_config(const ConfigSources& sources = {});

/// The contents of a small file; Code::not_found and others name it.
base::Result<std::string> read_file(const std::string& path);

}  // namespace kube
