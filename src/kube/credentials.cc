#include "kube/credentials.h"

#include <utility>

#include <fmt/format.h>

#include "async/timeout.h"
#include "base/log.h"
#include "http/base64.h"
#include "http/url.h"
#include "kube/process.h"

namespace kube {

using async::Task;
using base::Code;
using base::Result;

namespace {

// How stale the view of certificate files may be. Connections are made seldom, but requests ask
// each time.
constexpr auto kTlsRecheck = std::chrono::seconds(10);
// How long a plugin may take: it may talk to a cloud.
constexpr auto kExecLimit = std::chrono::seconds(60);

// Where distributions keep the bundle of roots that their users trust.
constexpr const char* kSystemRoots[] = {
    "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem", "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/cert.pem"};

Result<std::string> system_roots() {
  for (const auto* path : kSystemRoots) {
    if (auto text = read_file(path)) return text;
  }
  return base::fail(
      Code::not_found,
      "the system has no bundle of root certificates: install ca-certificates, or name a "
      "certificate-authority in the kubeconfig");
}

Result<std::string> contents(const Material& material) {
  if (!material.inline_data.empty() || material.file.empty()) return material.inline_data;
  return read_file(material.file);
}

std::string trimmed(std::string text) {
  const auto first = std::min(text.find_first_not_of(" \t\r\n"), text.size());
  text.erase(0, first);
  text.resize(text.find_last_not_of(" \t\r\n") + 1);
  return text;
}

/// Marks work that only one task may do at a time, and tells the others when it ended in whatever
/// way.
class Busy {
 public:
  Busy(bool& flag, async::Event& ended) : flag_(flag), ended_(ended) { flag_ = true; }
  Busy(const Busy&) = delete;
  ~Busy() {
    flag_ = false;
    ended_.notify_all();
  }

 private:
  bool& flag_;
  async::Event& ended_;
};

}  // namespace

Credentials::Credentials(async::Loop& loop, async::Clock& clock, Config config)
    : clock_(clock), config_(std::move(config)), exec_ended_(loop.get_executor()) {}

void Credentials::invalidate() {
  exec_.reset();
  tls_read_.reset();
}

bool Credentials::exec_is_fresh() const {
  return exec_ && (!exec_->expires || *exec_->expires > clock_.wall_now());
}

Task<void> Credentials::ensure_exec() {
  while (exec_running_) CO_TRY_VOID(co_await exec_ended_.wait());
  if (!config_.user.exec || exec_is_fresh()) co_return Result<void>{};
  const Busy busy(exec_running_, exec_ended_);
  CO_TRY(exec_, co_await run_exec());
  tls_read_.reset();  // it may have brought another certificate
  co_return Result<void>{};
}

Task<ExecCredential> Credentials::run_exec() {
  const auto& plugin = *config_.user.exec;
  CO_TRY(const auto ca, contents(config_.cluster.certificate_authority));
  Command command{.program = plugin.command, .args = plugin.args, .env = plugin.env};
  command.env["KUBERNETES_EXEC_INFO"] = exec_info(plugin, config_.cluster, ca);
  auto output = co_await async::with_timeout(clock_, kExecLimit, "exec plugin",
                                             run_command(std::move(command)));
  if (!output) {
    auto error = output.error().within("exec plugin");
    if (!plugin.install_hint.empty()) error.message += ": " + trimmed(plugin.install_hint);
    co_return base::fail(std::move(error));
  }
  co_return parse_exec_credential(*output, plugin);
}

Result<std::string> Credentials::trusted_ca() {
  if (config_.cluster.insecure_skip_tls_verify) return std::string();
  if (config_.cluster.certificate_authority.empty()) return system_roots();
  return contents(config_.cluster.certificate_authority);
}

Result<net::TlsOptions> Credentials::tls_options() {
  net::TlsOptions options{.alpn = {"h2", "http/1.1"},
                          .insecure_skip_verify = config_.cluster.insecure_skip_tls_verify};
  if (config_.http1_only) options.alpn.erase(options.alpn.begin());
  TRY(options.trusted_ca_pem, trusted_ca());
  TRY(options.certificate_chain_pem, contents(config_.user.client_certificate));
  TRY(options.private_key_pem, contents(config_.user.client_key));
  if (exec_ && !exec_->client_certificate.empty()) {
    options.certificate_chain_pem = exec_->client_certificate;
    options.private_key_pem = exec_->client_key;
  }
  return options;
}

Result<void> Credentials::reload_tls() {
  TRY(const auto options, tls_options());
  const auto fingerprint = options.trusted_ca_pem + '\0' + options.certificate_chain_pem + '\0' +
                           options.private_key_pem;
  if (tls_ && fingerprint == tls_fingerprint_) return {};
  TRY(tls_, net::TlsContext::make(net::TlsContext::Role::client, options));
  tls_fingerprint_ = fingerprint;
  return {};
}

Task<std::shared_ptr<const net::TlsContext>> Credentials::tls_context() {
  CO_TRY_VOID(co_await ensure_exec());
  if (tls_ && tls_read_ && clock_.now() - *tls_read_ < kTlsRecheck) co_return tls_;
  tls_read_ = clock_.now();
  if (auto loaded = reload_tls(); !loaded) {
    auto error = loaded.error().within("TLS for " + config_.cluster.server);
    if (!tls_) co_return base::fail(std::move(error));
    // A pair of files is seldom replaced in one step: the next look finds them whole.
    LOG_WARN("keeping the TLS credentials in use", {"error", error});
  }
  co_return tls_;
}

Result<std::string> Credentials::token() {
  if (exec_ && !exec_->token.empty()) return exec_->token;
  auto text = contents(config_.user.token);
  if (text) {
    last_token_ = trimmed(std::move(*text));
  } else if (last_token_.empty()) {
    return base::fail(text.error().within("token"));
  }
  return last_token_;
}

Task<std::vector<http::HeaderField>> Credentials::fields() {
  CO_TRY_VOID(co_await ensure_exec());
  const auto& user = config_.user;
  std::vector<http::HeaderField> fields;
  CO_TRY(const auto bearer, token());
  if (!bearer.empty()) {
    fields.push_back({"Authorization", "Bearer " + bearer});
  } else if (!user.username.empty() || !user.password.empty()) {
    const auto pair = http::base64_encode(user.username + ":" + user.password);
    fields.push_back({"Authorization", "Basic " + pair});
  }
  if (!user.as.empty()) fields.push_back({"Impersonate-User", user.as});
  if (!user.as_uid.empty()) fields.push_back({"Impersonate-Uid", user.as_uid});
  for (const auto& group : user.as_groups) fields.push_back({"Impersonate-Group", group});
  for (const auto& [key, values] : user.as_extra) {
    const auto name = "Impersonate-Extra-" + http::percent_encode(key);
    for (const auto& value : values) fields.push_back({name, value});
  }
  co_return fields;
}

}  // namespace kube
