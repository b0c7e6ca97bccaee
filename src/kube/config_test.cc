#include "kube/config.h"

#include <filesystem>
#include <fstream>
#include <map>
#include <unistd.h>

#include <gtest/gtest.h>

namespace kube {
namespace {

constexpr const char* kWhole = R"(
apiVersion: v1
kind: Config
current-context: main
contexts:
- name: main
  context: {cluster: c, user: u, namespace: ns}
- name: other
  context: {cluster: plain, user: cert}
clusters:
- name: c
  cluster:
    server: https://api.example:6443/base
    certificate-authority-data: Q0EtUEVN
    tls-server-name: kubernetes
- name: plain
  cluster: {server: "http://127.0.0.1:8080", proxy-url: "http://proxy:3128"}
- name: naked
  cluster:
users:
- name: u
  user: {tokenFile: token.txt, as: someone, as-groups: [g1, g2], as-user-extra: {k: [v]}}
- name: cert
  user: {client-certificate: tls.crt, client-key: /abs/tls.key}
- name: exec
  user:
    exec:
      apiVersion: client.authentication.k8s.io/v1
      command: ./plugin
      args: [get-token, --x]
      env: [{name: A, value: b}]
      interactiveMode: Never
      provideClusterInfo: true
)";

std::string refusal(std::string_view text, const std::string& context = "") {
  const auto config = parse_kubeconfig(text, "/etc/k/config", context);
  return config ? "accepted" : config.error().message;
}

/// A kubeconfig of one context with these bodies.
std::string with(std::string_view cluster, std::string_view user) {
  return fmt::format(
      "current-context: x\ncontexts: [{{name: x, context: {{cluster: c, user: u}}}}]\n"
      "clusters: [{{name: c, cluster: {{{}}}}}]\nusers: [{{name: u, user: {{{}}}}}]\n",
      cluster, user);
}

TEST(Kubeconfig, reads_the_current_context) {
  const auto config = parse_kubeconfig(kWhole, "/etc/k/config");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->cluster.server, "https://api.example:6443/base");
  EXPECT_EQ(config->cluster.certificate_authority.inline_data, "CA-PEM");
  EXPECT_EQ(config->cluster.tls_server_name, "kubernetes");
  EXPECT_EQ(config->user.token.file, "/etc/k/token.txt");
  EXPECT_EQ(config->user.as, "someone");
  EXPECT_EQ(config->user.as_groups, (std::vector<std::string>{"g1", "g2"}));
  EXPECT_EQ(config->user.as_extra.at("k"), std::vector<std::string>{"v"});
  EXPECT_EQ(config->default_namespace, "ns");
}

TEST(Kubeconfig, relative_files_count_from_its_folder) {
  const auto config = parse_kubeconfig(kWhole, "/etc/k/config", "other");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->user.client_certificate.file, "/etc/k/tls.crt");
  EXPECT_EQ(config->user.client_key.file, "/abs/tls.key");
  EXPECT_EQ(config->cluster.proxy_url, "http://proxy:3128");
  EXPECT_EQ(config->default_namespace, "default");
}

TEST(Kubeconfig, reads_an_exec_plugin) {
  auto text = std::string(kWhole);
  text.replace(text.find("user: u"), 7, "user: exec");
  const auto config = parse_kubeconfig(text, "/etc/k/config");
  ASSERT_TRUE(config) << config.error().message;
  const auto& exec = *config->user.exec;
  EXPECT_EQ(exec.command, "/etc/k/plugin");
  EXPECT_EQ(exec.args, (std::vector<std::string>{"get-token", "--x"}));
  EXPECT_EQ(exec.env.at("A"), "b");
  EXPECT_TRUE(exec.provide_cluster_info);
}

TEST(Kubeconfig, errors_name_file_entry_and_field) {
  const std::string file = "kubeconfig /etc/k/config: ";
  const std::string wanted =
      "; want YAML or JSON with clusters, users and contexts, as kubectl config view --raw prints "
      "it; check the path";
  EXPECT_EQ(refusal("[]"), file + "this is not a kubeconfig" + wanted);
  EXPECT_EQ(refusal("hello"), file + "this is not a kubeconfig" + wanted);
  EXPECT_EQ(refusal(""), file + "the file is empty" + wanted);
  EXPECT_EQ(refusal("{}"),
            file + "current-context is not set; set it to one of its contexts: nothing");
  EXPECT_EQ(refusal("contexts: [{name: a}, {name: b}, {}, 3]"),
            file + "current-context is not set; set it to one of its contexts: a, b");
  EXPECT_EQ(refusal(kWhole, "gone"),
            file + "context \"gone\" is not in the list \"contexts\", which has: main, other");
  EXPECT_EQ(refusal("current-context: a\ncontexts: [{name: a, context: {cluster: c}}]"),
            file + "cluster \"c\" is not in the list \"clusters\", which has: nothing");
  EXPECT_EQ(refusal(with("", "")),
            file + "cluster \"c\": server is missing; want https://host:port");
  EXPECT_EQ(refusal(with("server: 'ftp://x'", "")),
            file + "cluster \"c\": server: URL \"ftp://x\": must begin with https:// or http://");
  EXPECT_EQ(refusal(with("server: a, certificate-authority-data: '*'", "")),
            file +
                "cluster \"c\": certificate-authority-data is not base64; encode it, or "
                "name a file in certificate-authority");
  EXPECT_EQ(
      refusal(with("server: a, certificate-authority: b, insecure-skip-tls-verify: true", "")),
      file +
          "cluster \"c\": certificate-authority and insecure-skip-tls-verify exclude each other");
  EXPECT_EQ(refusal(with("server: [a]", "")), file + "cluster \"c\": server must be a text");
}

TEST(Kubeconfig, errors_of_users) {
  const std::string user = "kubeconfig /etc/k/config: user \"u\"";
  EXPECT_EQ(
      refusal(with("server: a", "client-certificate: b")),
      user + ": client-certificate and client-key belong together, and one of them is missing");
  EXPECT_EQ(refusal(with("server: a", "token: b, username: c")),
            user + ": token and username exclude each other");
  EXPECT_EQ(refusal(with("server: a", "exec: {apiVersion: v9, command: c}")),
            user + " exec: apiVersion must be client.authentication.k8s.io/v1 or v1beta1");
  EXPECT_EQ(refusal(with("server: a", "auth-provider: {name: gcp}")),
            user + ": auth-provider was removed from Kubernetes in 1.26: use an exec plugin");
  EXPECT_EQ(refusal(with("server: a", "as-groups: x")),
            user + ": as-groups must be a list of texts");
}

TEST(Kubeconfig, broken_yaml_names_file_and_line) {
  EXPECT_EQ(refusal("a: 1\nb: ["),
            "kubeconfig /etc/k/config: this is neither YAML nor JSON: line 2, column 1: end of "
            "sequence flow not found");
  EXPECT_NE(refusal(std::string(2000, '[')), "accepted");
}

TEST(Kubeconfig, missing_file_is_named) {
  const auto config = load_kubeconfig("/nonexistent/kubeconfig");
  ASSERT_FALSE(config);
  EXPECT_TRUE(config.error().message.contains("/nonexistent/kubeconfig")) << config.error().message;
}

class InCluster : public ::testing::Test {
 protected:
  InCluster()
      : folder_(std::filesystem::temp_directory_path() / fmt::format("in-cluster-{}", ::getpid())) {
    std::filesystem::create_directories(folder_);
  }
  ~InCluster() override { std::filesystem::remove_all(folder_); }
  void file(const char* name, const char* content) { std::ofstream(folder_ / name) << content; }
  base::Result<Config> load() {
    return in_cluster_config([this](const char* name) { return environment_[name]; },
                             folder_.string());
  }
  std::filesystem::path folder_;
  std::map<std::string, std::string> environment_;
};

TEST_F(InCluster, reads_address_and_files) {
  environment_ = {{"KUBERNETES_SERVICE_HOST", "fd00::1"}, {"KUBERNETES_SERVICE_PORT", "443"}};
  file("token", "t");
  file("namespace", "here\n");
  const auto config = load();
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->cluster.server, "https://[fd00::1]:443");
  EXPECT_EQ(config->cluster.certificate_authority.file, folder_ / "ca.crt");
  EXPECT_EQ(config->user.token.file, folder_ / "token");
  EXPECT_EQ(config->default_namespace, "here");
}

TEST_F(InCluster, outside_of_a_pod_says_what_to_do) {
  EXPECT_TRUE(load().error().message.contains("give --kubeconfig"));
}

TEST_F(InCluster, missing_token_is_named) {
  environment_ = {{"KUBERNETES_SERVICE_HOST", "10.0.0.1"}, {"KUBERNETES_SERVICE_PORT", "443"}};
  EXPECT_TRUE(load().error().message.contains("/token"));
}

TEST(KubeconfigMerge, first_file_wins_entry_by_entry) {
  const std::vector<KubeconfigText> files{
      {"/a/one",
       "contexts: [{name: x, context: {cluster: c, user: u}}]\n"
       "users: [{name: u, user: {tokenFile: token}}]"},
      {"/b/empty", ""},
      {"/b/two", with("server: https://two, certificate-authority: ca.crt", "token: other")}};
  const auto config = merge_kubeconfigs(files);
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->source, "/a/one:/b/empty:/b/two");
  EXPECT_EQ(config->cluster.server, "https://two");
  EXPECT_EQ(config->cluster.certificate_authority.file, "/b/ca.crt");
  EXPECT_EQ(config->user.token.file, "/a/token");
  EXPECT_EQ(config->user.token.inline_data, "");
}

TEST(KubeconfigMerge, first_current_context_counts) {
  const std::vector<KubeconfigText> files{
      {"/a", "current-context: x"},
      {"/b", "current-context: y\ncontexts: [{name: y, context: {cluster: c}}]"},
      {"/c", with("server: https://three", "token: t")}};
  const auto config = merge_kubeconfigs(files);
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->user.token.inline_data, "t");
  EXPECT_EQ(merge_kubeconfigs(files, "y")->user.token.inline_data, "");
}

TEST(KubeconfigMerge, error_names_the_file_or_all_of_them) {
  EXPECT_TRUE(merge_kubeconfigs({{"/a", "x: 1"}, {"/b", "- list"}})
                  .error()
                  .message.starts_with("kubeconfig /b: this is not a kubeconfig"));
  EXPECT_EQ(merge_kubeconfigs({{"/a", "current-context: q"}, {"/b", "contexts: [{name: r}]"}})
                .error()
                .message,
            "kubeconfig /a:/b: context \"q\" is not in the list \"contexts\", which has: r");
}

class FindConfig : public ::testing::Test {
 protected:
  FindConfig() {
    auto pattern = ::testing::TempDir() + "find-config-XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
  }
  ~FindConfig() override { std::filesystem::remove_all(folder_); }

  std::string write(const std::string& name, std::string_view text) {
    const auto path = folder_ + "/" + name;
    std::filesystem::create_directories(std::filesystem::path(path).parent_path());
    std::ofstream(path) << text;
    return path;
  }
  std::string write_kubeconfig(const std::string& name, const std::string& server) {
    return write(name, with("server: " + server, "token: t"));
  }
  base::Result<Config> find(std::string file = "") {
    return find_config({.file = std::move(file),
                        .environment = [this](const char* name) { return variables_[name]; },
                        .pod_folder = folder_ + "/pod"});
  }
  void be_in_a_pod() {
    variables_["KUBERNETES_SERVICE_HOST"] = "10.0.0.1";
    variables_["KUBERNETES_SERVICE_PORT"] = "443";
    write("pod/token", "t");
  }

  std::string folder_;
  std::map<std::string, std::string> variables_;
};

TEST_F(FindConfig, order_is_flag_then_variable_then_pod_then_home) {
  const auto flag = write_kubeconfig("flag", "https://flag");
  variables_["HOME"] = folder_;
  write_kubeconfig(".kube/config", "https://home");
  EXPECT_EQ(find()->cluster.server, "https://home");
  be_in_a_pod();
  EXPECT_EQ(find()->cluster.server, "https://10.0.0.1:443");
  const auto one = write_kubeconfig("one", "https://one");
  variables_["KUBECONFIG"] = folder_ + "/missing::" + one;
  EXPECT_EQ(find()->cluster.server, "https://one");
  EXPECT_EQ(find(flag)->cluster.server, "https://flag");
}

TEST_F(FindConfig, is_found_again_where_it_was) {
  const auto one = write_kubeconfig("one", "https://one");
  variables_["KUBECONFIG"] = folder_ + "/first:" + one;
  const auto before = find();
  ASSERT_TRUE(before);
  EXPECT_EQ(*reread(*before), *before);
  write_kubeconfig("first", "https://first");
  EXPECT_EQ(reread(*before)->cluster.server, "https://first");
  be_in_a_pod();
  variables_.erase("KUBECONFIG");
  const auto of_pod = find();
  EXPECT_EQ(*reread(*of_pod), *of_pod);
}

TEST_F(FindConfig, what_is_named_must_be_there) {
  variables_["HOME"] = folder_;
  write_kubeconfig(".kube/config", "https://home");
  EXPECT_TRUE(find(folder_ + "/missing").error().is(base::Code::not_found));
  variables_["KUBECONFIG"] = "/missing-1:/missing-2";
  EXPECT_EQ(find().error().message,
            "no file of KUBECONFIG=/missing-1:/missing-2 exists: correct it, or unset it");
  variables_["KUBECONFIG"] = write("bad", "[");
  EXPECT_TRUE(find().error().is(base::Code::invalid));
}

TEST_F(FindConfig, error_tells_all_that_was_tried) {
  variables_["HOME"] = folder_;
  const auto message = find().error().message;
  for (const auto* part :
       {"KUBECONFIG is not set", "not in a cluster", "/.kube/config", "give --kubeconfig"}) {
    EXPECT_TRUE(message.contains(part)) << message;
  }
}

}  // namespace
}  // namespace kube
