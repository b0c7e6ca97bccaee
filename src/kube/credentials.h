#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "async/clock.h"
#include "async/event.h"
#include "http/connector.h"
#include "http/response_parser.h"
#include "kube/config.h"
#include "kube/time.h"
#include "net/tls.h"

namespace kube {

/// What an exec plugin printed.
struct ExecCredential {
  std::string token;
  std::string client_certificate;
  std::string client_key;
  std::optional<WallTime> expires;
};

/// The value of KUBERNETES_EXEC_INFO for a plugin. `ca_pem` is passed on when the plugin wants to
/// know the cluster.
std::string exec_info(const ExecPlugin& plugin, const ClusterConfig& cluster,
                      const std::string& ca_pem);
/// Reads the ExecCredential that a plugin printed; errors name the field.
base::Result<ExecCredential> parse_exec_credential(std::string_view text, const ExecPlugin& plugin);

/// Makes credentials for requests out of a Config, and keeps them fresh: tokens, certificates, keys
/// and CA bundles in files are read again when they change, exec plugins run again when what they
/// gave expires.
///
/// A file that cannot be read leaves the last good contents in force. Nothing secret is logged.
/// Thread: that of the loop.
class Credentials : public http::TlsSource {
 public:
  Credentials(async::Loop& loop, async::Clock& clock, Config config);

  /// For the next connection; the same object as long as nothing changed.
  async::Task<std::shared_ptr<const net::TlsContext>> tls_context() override;
  /// Authorization and Impersonate-* fields for the next request.
  async::Task<std::vector<http::HeaderField>> fields();
  /// The server did not accept them: whatever is cached is fetched anew.
  void invalidate();

 private:
  async::Task<void> ensure_exec();
  async::Task<ExecCredential> run_exec();
  bool exec_is_fresh() const;
  base::Result<void> reload_tls();
  base::Result<net::TlsOptions> tls_options();
  base::Result<std::string> trusted_ca();
  base::Result<std::string> token();

  async::Clock& clock_;
  const Config config_;
  std::optional<async::TimePoint> tls_read_;
  std::string tls_fingerprint_;
  std::shared_ptr<const net::TlsContext> tls_;
  std::string last_token_;
  std::optional<ExecCredential> exec_;
  bool exec_running_ = false;
  async::Event exec_ended_;
};

}  // namespace kube
