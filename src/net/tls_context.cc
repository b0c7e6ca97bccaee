#include <memory>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include "net/openssl.h"
#include "net/tls.h"
#include "net/tls_explain.h"

namespace net {

using base::Code;
using base::fail;
using base::Result;

namespace {

// Go's order: the library's own begins with AES-256, which costs a third more.
constexpr char kTls13Suites[] =
    "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";

BioPtr memory_bio(const std::string& text) {
  return BioPtr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

// Without a callback OpenSSL would ask the terminal for a passphrase.
int no_passphrase(char*, int, int, void*) { return 0; }

int native_version(TlsVersion version) {
  switch (version) {
    case TlsVersion::v1_0:
      return TLS1_VERSION;
    case TlsVersion::v1_1:
      return TLS1_1_VERSION;
    case TlsVersion::v1_2:
      return TLS1_2_VERSION;
    case TlsVersion::v1_3:
      return TLS1_3_VERSION;
  }
  return TLS1_2_VERSION;
}

std::string alpn_wire(const std::vector<std::string>& protocols) {
  std::string wire;
  for (const std::string& protocol : protocols) {
    if (protocol.empty() || protocol.size() > 255) continue;
    wire += static_cast<char>(protocol.size());
    wire += protocol;
  }
  return wire;
}

// The server's preference decides. Clients without ALPN are let through here; whoever needs it
// checks alpn() later.
int choose_alpn(SSL*, const unsigned char** out, unsigned char* out_length, const unsigned char* in,
                unsigned int in_length, void* wire) {
  const auto& ours = *static_cast<const std::string*>(wire);
  const int chosen = SSL_select_next_proto(const_cast<unsigned char**>(out), out_length,
                                           reinterpret_cast<const unsigned char*>(ours.data()),
                                           static_cast<unsigned>(ours.size()), in, in_length);
  return chosen == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

}  // namespace

std::string tls_library() {
  return std::string("OpenSSL ") + OpenSSL_version(OPENSSL_VERSION_STRING);
}

struct TlsContextBuilder {
  TlsContext& made;
  const TlsOptions& options;
  SSL_CTX* context = made.context_;

  Result<void> use_certificate() {
    if (options.certificate_chain_pem.empty()) return {};
    const BioPtr bio = memory_bio(options.certificate_chain_pem);
    const X509Ptr leaf(PEM_read_bio_X509_AUX(bio.get(), nullptr, no_passphrase, nullptr));
    if (!leaf) return fail(Code::invalid, "the certificate file holds no PEM certificate");
    if (SSL_CTX_use_certificate(context, leaf.get()) != 1)
      return fail(Code::invalid, "certificate: " + openssl_reason());
    while (X509* next = PEM_read_bio_X509(bio.get(), nullptr, no_passphrase, nullptr)) {
      SSL_CTX_add0_chain_cert(context, next);
    }
    ERR_clear_error();
    return use_key();
  }

  Result<void> use_key() {
    const BioPtr bio = memory_bio(options.private_key_pem);
    const KeyPtr key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, nullptr));
    ERR_clear_error();
    if (!key)
      return fail(
          Code::invalid,
          "the key file holds no readable PEM private key (an encrypted key is not supported)");
    if (SSL_CTX_use_PrivateKey(context, key.get()) != 1) {
      ERR_clear_error();
      return fail(Code::invalid, "the private key does not belong to the certificate");
    }
    return {};
  }

  Result<void> trust_ca() {
    if (options.trusted_ca_pem.empty()) return {};
    const BioPtr bio = memory_bio(options.trusted_ca_pem);
    X509_STORE* store = SSL_CTX_get_cert_store(context);
    std::size_t count = 0;
    while (
        const X509Ptr certificate{PEM_read_bio_X509(bio.get(), nullptr, no_passphrase, nullptr)}) {
      X509_STORE_add_cert(store, certificate.get());
      if (made.role_ == TlsContext::Role::server) SSL_CTX_add_client_CA(context, certificate.get());
      ++count;
    }
    ERR_clear_error();
    if (count == 0) return fail(Code::invalid, "the CA file holds no PEM certificate");
    return {};
  }

  void set_verification() {
    const bool client = made.role_ == TlsContext::Role::client;
    int mode = SSL_VERIFY_NONE;
    if (client && !options.insecure_skip_verify) mode = SSL_VERIFY_PEER;
    if (!client && !options.trusted_ca_pem.empty())
      mode = SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
    SSL_CTX_set_verify(context, mode, note_names);
    if (client && options.trusted_ca_pem.empty() && !options.insecure_skip_verify)
      SSL_CTX_set_default_verify_paths(context);
    // A trusted intermediate is enough, as in Go.
    X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(context), X509_V_FLAG_PARTIAL_CHAIN);
  }

  Result<void> set_protocols() {
    SSL_CTX_set_min_proto_version(context, native_version(options.minimum));
    if (options.minimum < TlsVersion::v1_2) SSL_CTX_set_security_level(context, 0);
    SSL_CTX_set_ciphersuites(context, kTls13Suites);
    if (!options.cipher_suites.empty()) {
      const std::string list = fmt::format("{}", fmt::join(options.cipher_suites, ":"));
      if (SSL_CTX_set_cipher_list(context, list.c_str()) != 1) {
        ERR_clear_error();
        return fail(Code::invalid, "no usable cipher suite in " + list);
      }
    }
    made.alpn_ = alpn_wire(options.alpn);
    made.require_alpn_ = options.require_alpn;
    if (made.alpn_.empty()) return {};
    if (made.role_ == TlsContext::Role::server) {
      SSL_CTX_set_alpn_select_cb(context, choose_alpn, &made.alpn_);
    } else {
      SSL_CTX_set_alpn_protos(context, reinterpret_cast<const unsigned char*>(made.alpn_.data()),
                              static_cast<unsigned>(made.alpn_.size()));
    }
    return {};
  }
};

Result<std::shared_ptr<const TlsContext>> TlsContext::make(Role role, const TlsOptions& options) {
  SSL_CTX* native = SSL_CTX_new(role == Role::server ? TLS_server_method() : TLS_client_method());
  if (native == nullptr) return fail(Code::internal, "TLS: " + openssl_reason());
  std::shared_ptr<TlsContext> made(new TlsContext(role, native));
  SSL_CTX_set_mode(native, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                               SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_options(native, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_session_cache_mode(native, SSL_SESS_CACHE_OFF);
  static constexpr unsigned char kSessionContext[] = "cluster-proxy";
  SSL_CTX_set_session_id_context(native, kSessionContext, sizeof(kSessionContext) - 1);
  TlsContextBuilder builder{*made, options};
  TRY_VOID(builder.use_certificate());
  TRY_VOID(builder.trust_ca());
  builder.set_verification();
  TRY_VOID(builder.set_protocols());
  return made;
}

TlsContext::~TlsContext() { SSL_CTX_free(context_); }

}  // namespace net
