// Reads kubeconfig YAML (or JSON, which is YAML) into a Config.
#include <algorithm>
#include <exception>
#include <filesystem>

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include "http/base64.h"
#include "http/url.h"
#include "kube/config.h"

namespace kube {

using base::Code;
using base::Result;

namespace {

/// What yaml-cpp throws and what we find wrong, on the way to parse_kubeconfig().
struct Refused {
  std::string message;
};

[[noreturn]] void refuse(std::string message) { throw Refused{std::move(message)}; }

/// One entry of a kubeconfig, with the words that name it in messages.
struct Entry {
  YAML::Node node;
  std::string name;  // 'user "u"'
  std::filesystem::path folder;

  [[noreturn]] void refuse(std::string_view field, std::string_view reason) const {
    kube::refuse(fmt::format("{}: {} {}", name, field, reason));
  }
  std::string text(const char* field) const;
  bool flag(const char* field) const;
  std::vector<std::string> texts(const char* field) const;
  /// A path, or a name without a folder which is looked up in PATH.
  std::string path(const char* field) const;
  Material material(const char* data_field, const char* file_field, bool base64) const;
};

YAML::Node member(const YAML::Node& node, const char* field) {
  return node.IsMap() ? node[field] : YAML::Node(YAML::NodeType::Undefined);
}

std::string Entry::text(const char* field) const {
  const auto value = member(node, field);
  if (!value.IsDefined() || value.IsNull()) return {};
  if (!value.IsScalar()) refuse(field, "must be a text");
  return value.Scalar();
}

bool Entry::flag(const char* field) const {
  const auto value = text(field);
  if (!value.empty() && value != "true" && value != "false") refuse(field, "must be true or false");
  return value == "true";
}

std::vector<std::string> Entry::texts(const char* field) const {
  std::vector<std::string> list;
  const auto value = member(node, field);
  if (!value.IsDefined() || value.IsNull()) return list;
  if (!value.IsSequence()) refuse(field, "must be a list of texts");
  for (const auto& each : value) {
    if (!each.IsScalar()) refuse(field, "must be a list of texts");
    list.push_back(each.Scalar());
  }
  return list;
}

std::string Entry::path(const char* field) const {
  const auto value = text(field);
  return value.empty() ? value : (folder / value).lexically_normal().string();
}

Material Entry::material(const char* data_field, const char* file_field, bool base64) const {
  Material material{.inline_data = text(data_field), .file = path(file_field)};
  if (!base64 || material.inline_data.empty()) return material;
  auto decoded = http::base64_decode(material.inline_data);
  if (!decoded) {
    refuse(data_field, fmt::format("is not base64; encode it, or name a file in {}", file_field));
  }
  if (decoded->empty()) {
    refuse(data_field, fmt::format("is empty; remove it, or name a file in {}", file_field));
  }
  material.inline_data = std::move(*decoded);
  return material;
}

/// One kubeconfig file, parsed.
struct Document {
  YAML::Node root;
  std::filesystem::path folder;
};
/// In the order in which they count.
using Documents = std::vector<Document>;

/// The names of the entries of `list`, for messages.
std::string names_in(const Documents& documents, const char* list) {
  constexpr std::size_t kShown = 8;
  std::vector<std::string> names;
  for (const auto& document : documents) {
    const auto entries = member(document.root, list);
    if (!entries.IsDefined() || !entries.IsSequence()) continue;
    for (const auto& each : entries) {
      const auto label = member(each, "name");
      if (label.IsDefined() && label.IsScalar()) names.push_back(label.Scalar());
    }
  }
  if (names.empty()) return "nothing";
  const std::string_view more = names.size() > kShown ? ", ..." : "";
  names.resize(std::min(names.size(), kShown));
  return fmt::format("{}{}", fmt::join(names, ", "), more);
}

/// The entry called `name` of the list `list` of one document: {name: ..., cluster: {...}}.
std::optional<Entry> find_in(const Document& document, const char* list, const char* kind,
                             const std::string& name) {
  const auto entries = member(document.root, list);
  if (!entries.IsDefined() || !entries.IsSequence()) return std::nullopt;
  const auto shown = fmt::format("{} \"{}\"", kind, name);
  for (const auto& each : entries) {
    const auto label = member(each, "name");
    if (!label.IsDefined() || !label.IsScalar() || label.Scalar() != name) continue;
    const auto body = member(each, kind);
    if (!body.IsDefined() || body.IsNull())
      return Entry{YAML::Node(YAML::NodeType::Map), shown, document.folder};
    if (!body.IsMap()) refuse(shown + " must be a mapping");
    return Entry{body, shown, document.folder};
  }
  return std::nullopt;
}

/// The first entry called `name`.
Entry find_entry(const Documents& documents, const char* list, const char* kind,
                 const std::string& name) {
  for (const auto& document : documents) {
    if (auto found = find_in(document, list, kind, name)) return *found;
  }
  refuse(fmt::format("{} \"{}\" is not in the list \"{}\", which has: {}", kind, name, list,
                     names_in(documents, list)));
}

ClusterConfig read_cluster(const Entry& entry) {
  ClusterConfig cluster{.server = entry.text("server"),
                        .tls_server_name = entry.text("tls-server-name"),
                        .insecure_skip_tls_verify = entry.flag("insecure-skip-tls-verify"),
                        .proxy_url = entry.text("proxy-url")};
  cluster.certificate_authority =
      entry.material("certificate-authority-data", "certificate-authority", true);
  if (cluster.server.empty()) entry.refuse("server", "is missing; want https://host:port");
  if (!cluster.server.contains("://")) cluster.server = "https://" + cluster.server;
  if (const auto url = http::parse_url(cluster.server); !url) {
    entry.refuse("server:", url.error().message);
  }
  if (cluster.insecure_skip_tls_verify && !cluster.certificate_authority.empty()) {
    entry.refuse("certificate-authority", "and insecure-skip-tls-verify exclude each other");
  }
  if (!cluster.proxy_url.empty()) {
    const auto url = http::parse_url(cluster.proxy_url);
    if (!url) entry.refuse("proxy-url:", url.error().message);
    if (url->origin.tls) entry.refuse("proxy-url:", "only http:// proxies are supported");
  }
  return cluster;
}

std::map<std::string, std::string> read_env(const Entry& exec) {
  std::map<std::string, std::string> env;
  const auto list = member(exec.node, "env");
  if (!list.IsDefined() || list.IsNull()) return env;
  if (!list.IsSequence()) exec.refuse("env", "must be a list of {name, value}");
  for (const auto& each : list) {
    const Entry pair{each, exec.name + " env", exec.folder};
    const auto name = pair.text("name");
    if (name.empty()) pair.refuse("name", "is missing");
    env[name] = pair.text("value");
  }
  return env;
}

std::optional<ExecPlugin> read_exec(const Entry& user) {
  const auto node = member(user.node, "exec");
  if (!node.IsDefined() || node.IsNull()) return std::nullopt;
  const Entry exec{node, user.name + " exec", user.folder};
  ExecPlugin plugin{.api_version = exec.text("apiVersion"),
                    .command = exec.text("command"),
                    .args = exec.texts("args"),
                    .env = read_env(exec),
                    .install_hint = exec.text("installHint"),
                    .provide_cluster_info = exec.flag("provideClusterInfo")};
  if (plugin.command.empty()) exec.refuse("command", "is missing; want a program to run");
  if (plugin.command.contains('/')) plugin.command = exec.path("command");
  if (plugin.api_version != "client.authentication.k8s.io/v1" &&
      plugin.api_version != "client.authentication.k8s.io/v1beta1") {
    exec.refuse("apiVersion", "must be client.authentication.k8s.io/v1 or v1beta1");
  }
  if (exec.text("interactiveMode") == "Always") {
    exec.refuse("interactiveMode", "Always needs a terminal, which this program has not");
  }
  return plugin;
}

void check_user(const Entry& entry, const UserConfig& user) {
  if (user.client_certificate.empty() != user.client_key.empty()) {
    entry.refuse("client-certificate",
                 "and client-key belong together, and one of them is missing");
  }
  const bool basic = !user.username.empty() || !user.password.empty();
  if (basic && !user.token.empty()) entry.refuse("token", "and username exclude each other");
  if (user.exec && (basic || !user.token.empty())) {
    entry.refuse("exec", "and another way to authenticate exclude each other");
  }
  const auto provider = member(entry.node, "auth-provider");
  if (provider.IsDefined() && !provider.IsNull()) {
    entry.refuse("auth-provider", "was removed from Kubernetes in 1.26: use an exec plugin");
  }
}

void read_impersonation(const Entry& entry, UserConfig& user) {
  user.as = entry.text("as");
  user.as_uid = entry.text("as-uid");
  user.as_groups = entry.texts("as-groups");
  const auto extra = member(entry.node, "as-user-extra");
  if (!extra.IsDefined() || extra.IsNull()) return;
  if (!extra.IsMap()) entry.refuse("as-user-extra", "must be a mapping of lists");
  const Entry keys{extra, entry.name + " as-user-extra", entry.folder};
  for (const auto& each : extra) {
    const auto key = each.first.as<std::string>();
    user.as_extra[key] = keys.texts(key.c_str());
  }
}

UserConfig read_user(const Entry& entry) {
  UserConfig user;
  user.client_certificate = entry.material("client-certificate-data", "client-certificate", true);
  user.client_key = entry.material("client-key-data", "client-key", true);
  user.token = entry.material("token", "tokenFile", false);
  // As client-go: where both are given, the file wins, since it is the one that is kept up to date.
  if (!user.token.file.empty()) user.token.inline_data.clear();
  user.username = entry.text("username");
  user.password = entry.text("password");
  user.exec = read_exec(entry);
  read_impersonation(entry, user);
  check_user(entry, user);
  return user;
}

std::string current_context(const Documents& documents) {
  for (const auto& document : documents) {
    const Entry top{document.root, "top level", document.folder};
    if (auto name = top.text("current-context"); !name.empty()) return name;
  }
  refuse(fmt::format("current-context is not set; set it to one of its contexts: {}",
                     names_in(documents, "contexts")));
}

Config read_config(const Documents& documents, const std::string& wanted) {
  const auto name = wanted.empty() ? current_context(documents) : wanted;
  const auto context = find_entry(documents, "contexts", "context", name);
  Config config;
  const auto cluster = context.text("cluster");
  if (cluster.empty()) context.refuse("cluster", "is missing; want the name of a cluster");
  config.cluster = read_cluster(find_entry(documents, "clusters", "cluster", cluster));
  if (const auto user = context.text("user"); !user.empty()) {
    config.user = read_user(find_entry(documents, "users", "user", user));
  }
  if (auto space = context.text("namespace"); !space.empty()) {
    config.default_namespace = std::move(space);
  }
  return config;
}

Document read_document(const KubeconfigText& file) {
  Document document{YAML::Load(file.text), std::filesystem::absolute(file.file).parent_path()};
  if (document.root.IsMap() || document.root.IsNull()) return document;
  refuse(
      "this is not a kubeconfig; want YAML or JSON with clusters, users and contexts, as kubectl "
      "config view --raw prints it; check the path");
}

/// What `read` gives; what it throws becomes an error about `source`.
template <typename Read>
auto guarded(std::string_view source, Read read) -> Result<decltype(read())> {
  const auto invalid = [&](std::string_view reason) {
    return base::fail(Code::invalid, fmt::format("kubeconfig {}: {}", source, reason));
  };
  try {
    return read();
  } catch (const Refused& refused) {
    return invalid(refused.message);
  } catch (const YAML::Exception& exception) {
    if (exception.mark.is_null()) return invalid(exception.msg);
    return invalid(fmt::format("this is neither YAML nor JSON: line {}, column {}: {}",
                               exception.mark.line + 1, exception.mark.column + 1, exception.msg));
  } catch (const std::exception& exception) {
    return invalid(exception.what());
  }
}

}  // namespace

Result<Config> merge_kubeconfigs(const std::vector<KubeconfigText>& files,
                                 const std::string& context) {
  std::string source;
  Documents documents;
  for (const auto& file : files) {
    source += (source.empty() ? "" : ":") + file.file;
    TRY(auto document, guarded(file.file, [&] { return read_document(file); }));
    if (!document.root.IsNull()) documents.push_back(std::move(document));
  }
  TRY(auto config, guarded(source, [&] {
        if (documents.empty()) {
          refuse(
              "the file is empty; want YAML or JSON with clusters, users and contexts, as kubectl "
              "config view --raw prints it; check the path");
        }
        return read_config(documents, context);
      }));
  config.source = source;
  return config;
}

Result<Config> parse_kubeconfig(std::string_view text, const std::string& file,
                                const std::string& context) {
  return merge_kubeconfigs({{file, std::string(text)}}, context);
}

}  // namespace kube
