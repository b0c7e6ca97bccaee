#include "cli/kubeconfig_command.h"

#include <filesystem>
#include <memory>

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include "cli/rules.h"
#include "http/base64.h"
#include "http/url.h"
#include "net/address.h"
#include "pki/pem.h"

namespace cli {
namespace {

using base::Code;
using base::fail;
using base::Result;

/// The entry called `name` of a kubeconfig's list, `kind` of it: {"name": name, kind: {...}}.
YAML::Node entry_named(const YAML::Node& list, const std::string& name, const char* kind) {
  for (const YAML::Node& entry : list) {
    if (entry.IsMap() && entry["name"] && entry["name"].Scalar() == name) return entry[kind];
  }
  return {};
}

/// Names of files count from the folder of the kubeconfig that they stand in: made to hold
/// anywhere.
void make_absolute(YAML::Node entry, const std::string& file) {
  const auto folder = std::filesystem::absolute(file).parent_path();
  for (const char* key :
       {"certificate-authority", "client-certificate", "client-key", "tokenFile"}) {
    if (entry[key]) entry[key] = (folder / entry[key].Scalar()).lexically_normal().string();
  }
}

/// What is taken over of the context of another kubeconfig: under "cluster" how to believe the API
/// server, under "user" who we are to it; either may be missing.
Result<YAML::Node> take_from(const std::string& file, const std::string& wanted_context) {
  const auto text = pki::read_file(file);
  if (!text) return fail(text.error().within(file));
  YAML::Node root;
  try {
    root = YAML::Load(*text);
  } catch (const YAML::Exception& error) {
    return fail(Code::invalid, fmt::format("{}: {}", file, error.what()));
  }
  if (!root.IsMap()) return fail(Code::invalid, file + ": it is no kubeconfig");
  std::string name = wanted_context;
  if (name.empty() && root["current-context"]) name = root["current-context"].Scalar();
  const YAML::Node context = entry_named(root["contexts"], name, "context");
  if (!context.IsDefined() || !context.IsMap())
    return fail(Code::not_found, fmt::format("{}: there is no context \"{}\"", file, name));
  const YAML::Node cluster = entry_named(root["clusters"], context["cluster"].Scalar(), "cluster");
  const YAML::Node user = entry_named(root["users"], context["user"].Scalar(), "user");
  YAML::Node taken(YAML::NodeType::Map);
  for (const char* key : {"certificate-authority", "certificate-authority-data"}) {
    if (cluster.IsDefined() && cluster.IsMap() && cluster[key])
      taken["cluster"][key] = cluster[key];
  }
  if (user.IsDefined() && user.IsMap()) taken["user"] = user;
  for (const char* part : {"cluster", "user"})
    if (taken[part]) make_absolute(taken[part], file);
  return taken;
}

class Kubeconfig : public Action {
 public:
  Kubeconfig() {
    flags_.section("Flags");
    // Their names mean something else here than in commands that dial.
    flags_.reach(FlagReach::command);
    flags_.add_string("proxy-url", proxy_url_,
                      "Proxy that leads through the tunnel: what \"cluster-proxy proxy\" opens, "
                      "http://HOST:PORT or socks5://HOST:PORT.");
    flags_.add_string("forward", forward_,
                      "Instead of a proxy, the address that \"cluster-proxy forward\" opened for "
                      "the API server, HOST:PORT.");
    flags_.add_string("api-server", api_server_,
                      "The API server as the agent is asked for it, HOST:PORT. Empty means "
                      "CLUSTER:443, which the add-on's agents serve.");
    flags_.add_string("tls-server-name", server_name_,
                      "Name that the API server's certificate carries. Empty means the host of the "
                      "server.");
    flags_.add_string("certificate-authority", authority_,
                      "PEM file with the authority of the API server. Empty means that of --from.");
    flags_.add_string("from", from_,
                      "Kubeconfig file of that cluster, whose authority and user are taken over.");
    flags_.add_string("from-context", from_context_,
                      "Context of --from. Empty means its current one.");
    flags_.add_string("token-file", token_file_, "File with a token to show to the API server.");
    flags_.add_string("context", context_, "Name of the context. Empty means that of the cluster.");
    flags_.set_rivals("proxy-url", "forward");
  }

  FlagSet& flags() override { return flags_; }

  Result<void> prepare(const Invocation& invocation) override {
    if (invocation.arguments.size() != 1) return fail(Code::invalid, "want one name of a cluster");
    cluster_ = invocation.arguments.front();
    constexpr std::string_view kName =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.";
    if (cluster_.empty() || cluster_.find_first_not_of(kName) != cluster_.npos)
      return fail(Code::invalid, fmt::format("\"{}\" cannot be the name of a cluster", cluster_));
    if (context_.empty()) context_ = cluster_;
    TRY_VOID(check_way());
    if (!api_server_.empty() && !net::parse_host_port(api_server_))
      return bad_flag("--api-server", api_server_, "want HOST:PORT");
    if (authority_.empty() && from_.empty()) {
      return fail(Code::invalid,
                  "the API server has to be verified: give --certificate-authority=FILE, or "
                  "--from=KUBECONFIG");
    }
    return {};
  }

  Result<int> run(const Invocation& invocation) override {
    YAML::Node taken(YAML::NodeType::Map);
    if (!from_.empty()) {
      TRY(taken, take_from(from_, from_context_));
    }
    TRY(const YAML::Node cluster, cluster_entry(taken));
    YAML::Node root;
    root["apiVersion"] = "v1";
    root["kind"] = "Config";
    root["clusters"].push_back(named(cluster_, "cluster", cluster));
    root["users"].push_back(named(user_name(), "user", user_entry(taken)));
    YAML::Node context;
    context["cluster"] = cluster_;
    context["user"] = user_name();
    root["contexts"].push_back(named(context_, "context", context));
    root["current-context"] = context_;
    YAML::Emitter out;
    out << root;
    invocation.console.out(std::string(out.c_str()) + "\n");
    return 0;
  }

 private:
  Result<void> check_way() const {
    if (proxy_url_.empty() && forward_.empty()) {
      return fail(Code::invalid,
                  "no way to the cluster: give --proxy-url=URL of what \"cluster-proxy proxy\" "
                  "opens, or --forward=HOST:PORT of what \"cluster-proxy forward\" opens");
    }
    if (!proxy_url_.empty() && !forward_.empty())
      return fail(Code::invalid, "want --proxy-url or --forward, not both");
    if (!forward_.empty() && !net::parse_host_port(forward_))
      return bad_flag("--forward", forward_, "want HOST:PORT");
    if (proxy_url_.empty() || proxy_url_.starts_with("socks5://")) return {};
    if (proxy_url_.starts_with("http://") && http::parse_url(proxy_url_)) return {};
    return bad_flag("--proxy-url", proxy_url_, "want http://HOST:PORT or socks5://HOST:PORT");
  }

  Result<YAML::Node> cluster_entry(const YAML::Node& taken) const {
    YAML::Node entry;
    const std::string api = api_server_.empty() ? cluster_ + ":443" : api_server_;
    entry["server"] = "https://" + (forward_.empty() ? api : forward_);
    if (!server_name_.empty()) entry["tls-server-name"] = server_name_;
    if (!proxy_url_.empty()) entry["proxy-url"] = proxy_url_;
    if (!authority_.empty()) {
      const auto pem = pki::read_file(authority_);
      if (!pem) return fail(pem.error().within(authority_));
      auto bundle = pki::parse_ca_bundle(*pem);
      if (!bundle) return fail(std::move(bundle).error().within(authority_));
      entry["certificate-authority-data"] = http::base64_encode(*bundle);
    } else if (const YAML::Node cluster = taken["cluster"]) {
      for (const auto& each : cluster) entry[each.first.Scalar()] = each.second;
    } else {
      return fail(Code::invalid,
                  fmt::format("{} names no authority of its API server: give it with "
                              "--certificate-authority",
                              from_));
    }
    return entry;
  }

  YAML::Node user_entry(const YAML::Node& taken) const {
    if (token_file_.empty() && taken["user"]) return taken["user"];
    YAML::Node user(YAML::NodeType::Map);
    // Nobody knows in which folder the kubeconfig will stand.
    if (!token_file_.empty())
      user["tokenFile"] = std::filesystem::absolute(token_file_).lexically_normal().string();
    return user;
  }

  std::string user_name() const { return context_ + "-user"; }

  static YAML::Node named(const std::string& name, const char* kind, const YAML::Node& content) {
    YAML::Node entry;
    entry["name"] = name;
    entry[kind] = content;
    return entry;
  }

  std::string cluster_;
  std::string proxy_url_;
  std::string forward_;
  std::string api_server_;
  std::string server_name_ = "kubernetes.default.svc";
  std::string authority_;
  std::string from_;
  std::string from_context_;
  std::string token_file_;
  std::string context_;
  FlagSet flags_;
};

}  // namespace

Command kubeconfig_command() {
  return {.name = "kubeconfig",
          .group = "Client Commands",
          .summary = "Write a kubeconfig for a cluster behind the tunnel",
          .usage = "CLUSTER",
          .text =
              "Prints a kubeconfig whose context leads to the cluster's API server through a "
              "local proxy or forward. The API server is verified: by its own authority and "
              "the name in its certificate. Credentials are those of that cluster; the tunnel "
              "gives none.",
          .examples =
              {{"Through a proxy, with the cluster's own admin credentials",
                "cluster-proxy proxy --http 127.0.0.1:8888 &\ncluster-proxy kubeconfig cluster1 "
                "--proxy-url http://127.0.0.1:8888 --from admin-of-cluster1.conf > cluster1.conf\n"
                "kubectl --kubeconfig cluster1.conf get nodes"},
               {"Through a forward, with a token",
                "cluster-proxy forward 6443:cluster1:443 &\ncluster-proxy kubeconfig cluster1 "
                "--forward 127.0.0.1:6443 --certificate-authority ca.crt --token-file token"}},
          .settings = "kubeconfig",
          .make = [] { return std::make_unique<Kubeconfig>(); }};
}

}  // namespace cli
