// Every way to show who we are, and what is said when it is not believed.
#include "check_context.h"
#include "http/base64.h"
#include "http/url.h"
#include "kube/token_review.h"

namespace kube_check {
namespace {

constexpr const char* kAudience = "system:konnectivity-server";

/// Whoever `config` is, this is what a request of it must end with.
Task<void> expect_failure(Context& context, kube::Config config, base::Code wanted) {
  CO_TRY(const auto client, context.connect(std::move(config)));
  const kube::Api secrets({"", "v1", "secrets"}, context.space);
  const auto answer = co_await client->send(secrets.list());
  if (answer) co_return wrong("was let in");
  if (!answer.error().is(wanted)) co_return std::unexpected(answer.error());
  co_return kube::Result<void>{};
}

std::string account(const Context& context, const char* name) {
  return fmt::format("system:serviceaccount:{}:{}", context.space, name);
}

Task<void> client_certificate(Context& context) {
  co_return co_await expect_user(context, context.admin, "admin");
}

Task<void> token(Context& context) {
  auto config = without_user(context);
  CO_TRY(config.user.token.inline_data, co_await service_account_token(context, "plain", ""));
  co_return co_await expect_user(context, config, account(context, "plain"));
}

Task<void> token_without_rights(Context& context) {
  auto config = without_user(context);
  CO_TRY(config.user.token.inline_data, co_await service_account_token(context, "plain", ""));
  co_return co_await expect_failure(context, config, base::Code::forbidden);
}

Task<void> bad_token(Context& context) {
  auto config = without_user(context);
  config.user.token.inline_data = "not.a.token";
  co_return co_await expect_failure(context, config, base::Code::unauthenticated);
}

Task<void> token_file_is_reread(Context& context) {
  const Folder folder;
  auto config = without_user(context);
  CO_TRY(const auto first, co_await service_account_token(context, "first", ""));
  CO_TRY(const auto second, co_await service_account_token(context, "second", ""));
  config.user.token.file = folder.write("token", first + "\n");
  CO_TRY(const auto client, context.connect(config));
  CO_TRY(const auto before, co_await who_am_i(*client));
  folder.write("token", second);
  CO_TRY(const auto after, co_await who_am_i(*client));
  if (before == account(context, "first") && after == account(context, "second"))
    co_return kube::Result<void>{};
  co_return wrong(fmt::format("seen as {} and then {}", before, after));
}

std::string kubeconfig(const Context& context, const std::string& token) {
  const auto& cluster = context.admin.cluster;
  return fmt::format(R"(current-context: c
contexts: [{{name: c, context: {{cluster: k, user: u}}}}]
clusters: [{{name: k, cluster: {{server: "{}", certificate-authority-data: {}}}}}]
users: [{{name: u, user: {{token: {}}}}}]
)",
                     cluster.server, http::base64_encode(cluster.certificate_authority.inline_data),
                     token);
}

// No request fails while the account that the file named before goes away.
Task<void> kubeconfig_is_reread(Context& context) {
  const Folder folder;
  CO_TRY(const auto first, co_await service_account_token(context, "before", ""));
  CO_TRY(const auto second, co_await service_account_token(context, "after", ""));
  const auto file = folder.write("config", kubeconfig(context, first));
  CO_TRY(auto config, kube::load_kubeconfig(file));
  CO_TRY(const auto client, context.connect(std::move(config)));
  CO_TRY(auto seen, co_await who_am_i(*client));
  if (seen != account(context, "before")) co_return wrong("seen as " + seen);
  folder.write("config", kubeconfig(context, second));
  CO_TRY_VOID(
      co_await context.client->send(context.api("", "v1", "serviceaccounts").remove("before")));
  const auto deadline = context.clock.now() + std::chrono::seconds(20);
  while (seen != account(context, "after")) {
    if (context.clock.now() > deadline) co_return wrong("still seen as " + seen);
    CO_TRY_VOID(co_await context.clock.sleep_for(std::chrono::milliseconds(20)));
    CO_TRY(seen, co_await who_am_i(*client));
  }
  co_return kube::Result<void>{};
}

Task<void> in_cluster(Context& context) {
  const Folder folder;
  CO_TRY(const auto text, co_await service_account_token(context, "pod", ""));
  folder.write("token", text);
  folder.write("namespace", context.space);
  folder.write("ca.crt", context.admin.cluster.certificate_authority.inline_data);
  CO_TRY(const auto url, http::parse_url(context.admin.cluster.server));
  const auto environment = [&](std::string_view name) {
    return name.ends_with("HOST") ? url.origin.host : std::to_string(url.origin.port);
  };
  CO_TRY(const auto config, kube::in_cluster_config(environment, folder.path()));
  co_return co_await expect_user(context, config, account(context, "pod"));
}

Task<void> exec_plugin(Context& context) {
  const Folder folder;
  CO_TRY(const auto text, co_await service_account_token(context, "plugin", ""));
  const auto file = folder.write(
      "credential",
      fmt::format(R"({{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential",)"
                  R"("status":{{"token":"{}"}}}})",
                  text));
  auto config = without_user(context);
  config.user.exec = kube::ExecPlugin{
      .api_version = "client.authentication.k8s.io/v1", .command = "cat", .args = {file}};
  co_return co_await expect_user(context, config, account(context, "plugin"));
}

Task<void> impersonation(Context& context) {
  auto config = context.admin;
  config.user.as = "jane";
  config.user.as_groups = {"system:authenticated"};
  co_return co_await expect_user(context, config, "jane");
}

Task<void> other_ca(Context& context) {
  auto config = context.admin;
  config.cluster.certificate_authority.inline_data = config.user.client_certificate.inline_data;
  co_return co_await expect_failure(context, config, base::Code::unauthenticated);
}

Task<void> other_server_name(Context& context) {
  auto config = context.admin;
  config.cluster.tls_server_name = "kubernetes.default.svc";
  CO_TRY_VOID(co_await expect_user(context, config, "admin"));
  config.cluster.tls_server_name = "another.example";
  co_return co_await expect_failure(context, config, base::Code::unauthenticated);
}

Task<void> skip_verify(Context& context) {
  auto config = context.admin;
  config.cluster.certificate_authority = {};
  config.cluster.insecure_skip_tls_verify = true;
  config.cluster.tls_server_name = "another.example";
  co_return co_await expect_user(context, config, "admin");
}

Task<void> token_review(Context& context) {
  CO_TRY(const auto good, co_await service_account_token(context, "agent", kAudience));
  kube::TokenReviewer reviewer(context.loop, *context.client);
  CO_TRY(const auto user, co_await reviewer.authenticate(good, {kAudience}));
  CO_TRY_VOID(kube::check_service_account(user.username, context.space, "agent"));
  if (kube::check_service_account(user.username, context.space, "other"))
    co_return wrong("passes for another account");
  const auto elsewhere = co_await reviewer.authenticate(good, {"another-audience"});
  if (elsewhere || !elsewhere.error().is_unauthenticated())
    co_return wrong("passes for another audience");
  const auto garbage = co_await reviewer.authenticate("not.a.token", {kAudience});
  if (garbage || !garbage.error().is_unauthenticated()) co_return wrong("garbage passes");
  co_return kube::Result<void>{};
}

Task<void> review_of_deleted_account(Context& context) {
  CO_TRY(const auto orphan, co_await service_account_token(context, "orphan", kAudience));
  CO_TRY_VOID(
      co_await context.client->send(context.api("", "v1", "serviceaccounts").remove("orphan")));
  kube::TokenReviewer reviewer(context.loop, *context.client);
  // The API server looks accounts up in a cache that learns of the deletion a moment later.
  const auto deadline = context.clock.now() + std::chrono::seconds(10);
  for (int i = 0; context.clock.now() < deadline; ++i) {
    const auto review = co_await reviewer.authenticate(orphan, {kAudience, std::to_string(i)});
    if (!review && review.error().is_unauthenticated()) co_return kube::Result<void>{};
    CO_TRY_VOID(co_await context.clock.sleep_for(std::chrono::milliseconds(20)));
  }
  co_return wrong("the token of a deleted account still passes after 10 s");
}

}  // namespace

const std::vector<Check> kCredentialChecks = {
    {"client certificate of a kubeconfig", client_certificate},
    {"service account token", token},
    {"token without rights is forbidden", token_without_rights},
    {"bad token is unauthenticated", bad_token},
    {"token file is read again", token_file_is_reread},
    {"kubeconfig is read again", kubeconfig_is_reread},
    {"in-cluster configuration", in_cluster},
    {"exec plugin", exec_plugin},
    {"impersonation", impersonation},
    {"API server of another CA is refused", other_ca},
    {"tls-server-name", other_server_name},
    {"insecure-skip-tls-verify", skip_verify},
    {"TokenReview with audiences", token_review},
    {"TokenReview of a deleted account", review_of_deleted_account},
};

}  // namespace kube_check
