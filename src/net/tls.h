#pragma once

#include <memory>
#include <string>
#include <vector>

#include "net/stream.h"

using SSL_CTX = struct ssl_ctx_st;

namespace net {

/// What encrypts, with its version: "OpenSSL 4.0.3".
std::string tls_library();

enum class TlsVersion { v1_0, v1_1, v1_2, v1_3 };

/// What a TLS endpoint shows and demands. All PEM texts are contents, not file names.
struct TlsOptions {
  std::string certificate_chain_pem;  // empty = shows no certificate
  std::string private_key_pem;
  std::string
      trusted_ca_pem;  // servers: empty = asks for no client certificate; clients: the only trust
  std::vector<std::string> alpn;      // in order of preference; empty = no ALPN
  bool require_alpn = false;          // a handshake that agrees on no protocol fails
  bool insecure_skip_verify = false;  // clients only: any certificate will do
  TlsVersion minimum = TlsVersion::v1_2;
  std::vector<std::string>
      cipher_suites;  // OpenSSL names for TLS 1.2; empty = the library's default
};

/// An immutable TLS configuration, shared by the connections made with it.
class TlsContext {
 public:
  enum class Role { client, server };

  /// Fails with Code::invalid and a text that names what is wrong: no certificate in the PEM, key
  /// that does not fit.
  static base::Result<std::shared_ptr<const TlsContext>> make(Role role, const TlsOptions& options);

  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  SSL_CTX* native() const { return context_; }
  Role role() const { return role_; }
  bool requires_alpn() const { return require_alpn_; }

 private:
  TlsContext(Role role, SSL_CTX* context) : role_(role), context_(context) {}
  Role role_;
  SSL_CTX* context_;
  std::string alpn_;  // in wire format, for the server's choice
  bool require_alpn_ = false;
  friend struct TlsContextBuilder;
};

/// A TLS connection over another stream, after its handshake.
class TlsStream : public Stream {
 public:
  /// The protocol agreed on by ALPN, or "".
  virtual std::string alpn() const = 0;
  /// The subject of the peer's verified certificate in one line, "CN=x,O=y", or "".
  virtual std::string peer_subject() const = 0;
  /// The URIs among the alternative names of the peer's verified certificate.
  virtual std::vector<std::string> peer_uris() const = 0;
  /// The peer's verified certificate in PEM, or "".
  virtual std::string peer_certificate() const = 0;
};

/// Performs the handshake. As a client, `server_name` is sent (SNI, when it is a name) and the
/// certificate must be valid for it; as a server it is ignored. The caller bounds it in time. A
/// refused peer or certificate gives Code::unauthenticated with the reason.
async::Task<std::unique_ptr<TlsStream>> tls_handshake(std::unique_ptr<Stream> transport,
                                                      std::shared_ptr<const TlsContext> context,
                                                      std::string server_name);

}  // namespace net
