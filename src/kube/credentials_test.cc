#include "kube/credentials.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "async/testing/run.h"
#include "kube/json.h"
#include "net/testing/certificates.h"

namespace kube {
namespace {

const ExecPlugin kPlugin{.api_version = "client.authentication.k8s.io/v1beta1", .command = "p"};

std::string printed(std::string_view status,
                    std::string_view version = "client.authentication.k8s.io/v1beta1") {
  return fmt::format(R"({{"kind":"ExecCredential","apiVersion":"{}","status":{}}})", version,
                     status);
}

std::string refusal(const std::string& text) {
  const auto credential = parse_exec_credential(text, kPlugin);
  return credential ? "accepted" : credential.error().message;
}

TEST(ExecCredential, reads_token_certificate_and_expiry) {
  const auto credential = parse_exec_credential(
      printed(
          R"({"token":"t","clientCertificateData":"c","clientKeyData":"k","expirationTimestamp":"2026-01-02T03:04:05Z"})"),
      kPlugin);
  ASSERT_TRUE(credential) << credential.error().message;
  EXPECT_EQ(credential->token, "t");
  EXPECT_EQ(credential->client_key, "k");
  EXPECT_EQ(credential->expires, parse_time("2026-01-02T03:04:05Z"));
}

TEST(ExecCredential, refusals_name_plugin_and_field_but_not_the_token) {
  EXPECT_EQ(refusal("hello").substr(0, 46), "exec plugin p: its output is not valid JSON: s");
  EXPECT_EQ(refusal("{}"), "exec plugin p: its output is no ExecCredential");
  EXPECT_EQ(refusal(printed("{}")),
            "exec plugin p: it gave neither a token nor a client certificate");
  EXPECT_EQ(refusal(printed(R"({"clientKeyData":"k"})")),
            "exec plugin p: it gave only one of clientCertificateData and clientKeyData");
  EXPECT_EQ(refusal(printed(R"({"token":"secret","expirationTimestamp":"soon"})")),
            "exec plugin p: its expirationTimestamp is not a time");
  EXPECT_TRUE(refusal(printed(R"({"token":"secret"})", "v0")).contains("apiVersion \"v0\""));
}

TEST(ExecCredential, plugin_hears_of_the_cluster_when_it_wants_to) {
  auto plugin = kPlugin;
  const ClusterConfig cluster{.server = "https://a", .tls_server_name = "n"};
  EXPECT_EQ(
      exec_info(plugin, cluster, "PEM"),
      R"({"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1beta1","spec":{"interactive":false}})");
  plugin.provide_cluster_info = true;
  const auto info = parse_json(exec_info(plugin, cluster, "PEM"));
  const auto& told = object_at(object_at(info->as_object(), "spec"), "cluster");
  EXPECT_EQ(text_at(told, "server"), "https://a");
  EXPECT_EQ(text_at(told, "certificate-authority-data"), "UEVN");
  EXPECT_EQ(text_at(told, "tls-server-name"), "n");
}

class CredentialsTest : public ::testing::Test {
 protected:
  std::string fields(Credentials& credentials) {
    const auto found = async::testing::run(loop_, credentials.fields());
    if (!found) return found.error().message;
    std::string text;
    for (const auto& [name, value] : *found) text += name + ": " + value + "\n";
    return text;
  }

  async::Loop loop_{1};
  async::ManualClock clock_{loop_.get_executor()};
};

TEST_F(CredentialsTest, basic_and_impersonation_fields) {
  Config config;
  config.user.username = "u";
  config.user.password = "p";
  config.user.as = "someone";
  config.user.as_groups = {"g1", "g2"};
  config.user.as_extra = {{"a/b", {"v"}}};
  Credentials credentials(loop_, clock_, config);
  EXPECT_EQ(fields(credentials),
            "Authorization: Basic dTpw\nImpersonate-User: someone\nImpersonate-Group: "
            "g1\nImpersonate-Group: g2\n"
            "Impersonate-Extra-a%2Fb: v\n");
}

TEST_F(CredentialsTest, plugin_runs_again_when_what_it_gave_expires) {
  Config config;
  const auto expiry = format_time(clock_.wall_now() + std::chrono::minutes(1));
  config.user.exec = ExecPlugin{
      .api_version = kPlugin.api_version,
      .command = "sh",
      .args = {
          "-c",
          "echo '" + printed(R"({"token":"'$$'","expirationTimestamp":")" + expiry + "\"}") + "'"}};
  Credentials credentials(loop_, clock_, config);
  const auto first = fields(credentials);
  EXPECT_TRUE(first.starts_with("Authorization: Bearer ")) << first;
  EXPECT_EQ(fields(credentials), first);
  clock_.advance(std::chrono::minutes(2));
  EXPECT_NE(fields(credentials), first);
}

TEST_F(CredentialsTest, failing_plugin_is_named_with_its_hint) {
  Config config;
  config.user.exec = ExecPlugin{.api_version = kPlugin.api_version,
                                .command = "no-such-plugin",
                                .install_hint = "apt install it\n"};
  Credentials credentials(loop_, clock_, config);
  const auto error = fields(credentials);
  EXPECT_TRUE(error.contains("no-such-plugin") && error.ends_with(": apt install it")) << error;
}

TEST_F(CredentialsTest, missing_token_file_is_named) {
  Config config;
  config.user.token.file = "/nonexistent/token";
  Credentials credentials(loop_, clock_, config);
  EXPECT_TRUE(fields(credentials).contains("/nonexistent/token"));
}

TEST_F(CredentialsTest, unusable_ca_bundle_is_an_error_that_names_the_server) {
  Config config;
  config.cluster.server = "https://a";
  config.cluster.certificate_authority.inline_data = "no PEM";
  Credentials credentials(loop_, clock_, config);
  const auto context = async::testing::run(loop_, credentials.tls_context());
  ASSERT_FALSE(context);
  EXPECT_TRUE(context.error().message.starts_with("TLS for https://a: "))
      << context.error().message;
}

class TlsFiles : public CredentialsTest {
 protected:
  TlsFiles() {
    auto pattern = (std::filesystem::temp_directory_path() / "tls-files-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
    config_.cluster.certificate_authority.file = write("ca.crt", authority_.certificate_pem());
    show(authority_.issue("first", {}));
  }
  ~TlsFiles() override { std::filesystem::remove_all(folder_); }

  std::string write(const char* name, const std::string& text) {
    std::ofstream(folder_ / name) << text;
    return folder_ / name;
  }
  void show(const net::testing::Identity& identity) {
    config_.user.client_certificate.file = write("tls.crt", identity.certificate_pem);
    config_.user.client_key.file = write("tls.key", identity.key_pem);
  }
  std::shared_ptr<const net::TlsContext> context(Credentials& credentials) {
    auto made = async::testing::run(loop_, credentials.tls_context());
    EXPECT_TRUE(made) << made.error().message;
    return made.value_or(nullptr);
  }

  net::testing::Authority authority_;
  std::filesystem::path folder_;
  Config config_;
};

TEST_F(TlsFiles, make_one_context_until_they_change) {
  Credentials credentials(loop_, clock_, config_);
  const auto first = context(credentials);
  clock_.advance(std::chrono::seconds(11));
  EXPECT_EQ(context(credentials), first);
  show(authority_.issue("second", {}));
  EXPECT_EQ(context(credentials), first);  // not looked at again so soon
  clock_.advance(std::chrono::seconds(11));
  EXPECT_NE(context(credentials), first);
}

TEST_F(TlsFiles, new_authority_is_taken_up) {
  Credentials credentials(loop_, clock_, config_);
  const auto first = context(credentials);
  write("ca.crt", net::testing::Authority().certificate_pem());
  clock_.advance(std::chrono::seconds(11));
  EXPECT_NE(context(credentials), first);
}

TEST_F(TlsFiles, half_written_pair_leaves_the_last_good_one) {
  Credentials credentials(loop_, clock_, config_);
  const auto first = context(credentials);
  write("tls.key", authority_.issue("second", {}).key_pem);
  clock_.advance(std::chrono::seconds(11));
  EXPECT_EQ(context(credentials), first);
}

}  // namespace
}  // namespace kube
