#include "net/tls_explain.h"

#include <arpa/inet.h>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "net/openssl.h"

namespace net {
namespace {

// OpenSSL reports an alert of the peer as a reason of its number and this.
constexpr int kAlerts = SSL_AD_REASON_OFFSET;

void free_text(char* text) { OPENSSL_free(text); }

/// Empty for what OpenSSL's own words say well enough.
std::string_view meaning(int reason) {
  switch (reason) {
    case SSL_R_HTTP_REQUEST:
      return "the peer speaks plain HTTP; this port speaks TLS";
    case SSL_R_WRONG_VERSION_NUMBER:
      return "the peer does not speak TLS; check the port and what listens there";
    case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
      return "it must show one of an authority in our CA file";
    case kAlerts + SSL_AD_UNKNOWN_CA:
      return "the peer does not trust the authority of our certificate; give it that CA, or use a "
             "certificate of an authority that it trusts";
    case kAlerts + SSL_AD_CERTIFICATE_EXPIRED:
      return "the peer refused our certificate: expired; renew it";
    case kAlerts + SSL_AD_BAD_CERTIFICATE:
      return "the peer refused our certificate, and its log says why: out of date, for another "
             "name, or of an authority that it does not trust";
    case kAlerts + SSL_AD_CERTIFICATE_REQUIRED:
      return "the peer wants a certificate and we have none; give one and its key";
    case kAlerts + SSL_AD_NO_APPLICATION_PROTOCOL:
      return "the peer speaks none of our application protocols (ALPN); check the port";
    default:
      return "";
  }
}

std::string_view bytes_of(const ASN1_STRING* text) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
          static_cast<std::size_t>(ASN1_STRING_length(text))};
}

/// Empty for what is neither a DNS name nor an address.
std::string text_of(const GENERAL_NAME& name) {
  if (name.type == GEN_DNS) return std::string(bytes_of(name.d.dNSName));
  if (name.type != GEN_IPADD) return {};
  const std::string_view raw = bytes_of(name.d.iPAddress);
  char text[INET6_ADDRSTRLEN];
  const int family = raw.size() == sizeof(in_addr) ? AF_INET : AF_INET6;
  if (family == AF_INET6 && raw.size() != sizeof(in6_addr)) return {};
  return ::inet_ntop(family, raw.data(), text, sizeof(text));
}

/// A peer chooses its names, so a line of the log takes a few of them only.
std::string names_of(const X509& certificate) {
  constexpr std::size_t kShown = 8;
  const std::unique_ptr<GENERAL_NAMES, OpensslDeleter<GENERAL_NAMES_free>> names(
      static_cast<GENERAL_NAMES*>(
          X509_get_ext_d2i(&certificate, NID_subject_alt_name, nullptr, nullptr)));
  std::vector<std::string> shown;
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()) && shown.size() < kShown; ++i) {
    if (auto text = text_of(*sk_GENERAL_NAME_value(names.get(), i)); !text.empty())
      shown.push_back(std::move(text));
  }
  return shown.empty() ? "no name" : fmt::format("{}", fmt::join(shown, ", "));
}

std::string wanted_name(const SSL& connection) {
  X509_VERIFY_PARAM* wanted = SSL_get0_param(const_cast<SSL*>(&connection));
  if (const char* host = X509_VERIFY_PARAM_get0_host(wanted, 0); host != nullptr) return host;
  const std::unique_ptr<char, OpensslDeleter<free_text>> address(
      X509_VERIFY_PARAM_get1_ip_asc(wanted));
  return address ? address.get() : "";
}

}  // namespace

std::string openssl_reason() {
  const unsigned long code = ERR_peek_last_error();
  ERR_clear_error();
  const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  if (reason == nullptr) return "unknown reason";
  const std::string_view known =
      ERR_GET_LIB(code) == ERR_LIB_SSL ? meaning(ERR_GET_REASON(code)) : "";
  return known.empty() ? reason : fmt::format("{} ({})", reason, known);
}

int note_names(int ok, X509_STORE_CTX* verification) {
  if (ok == 1) return ok;
  auto* connection = static_cast<SSL*>(
      X509_STORE_CTX_get_ex_data(verification, SSL_get_ex_data_X509_STORE_CTX_idx()));
  auto* names = static_cast<std::string*>(SSL_get_app_data(connection));
  const X509* leaf = X509_STORE_CTX_get0_cert(verification);
  if (names != nullptr && leaf != nullptr) *names = names_of(*leaf);
  return ok;
}

std::string why_refused(const SSL& connection, const std::string& names) {
  const long verdict = SSL_get_verify_result(&connection);
  std::string reason = X509_verify_cert_error_string(verdict);
  switch (verdict) {
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return fmt::format(
          "{} (wanted \"{}\", it is for {}; connect by one of these names, or issue it for that "
          "one)",
          reason, wanted_name(connection), names);
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
      return reason + " (its authority is not in our CA file; check that file)";
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return reason + " (the peer must renew it)";
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return reason + " (check the clocks of both machines)";
    default:
      return reason;
  }
}

}  // namespace net
