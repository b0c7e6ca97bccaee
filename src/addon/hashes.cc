#include "addon/hashes.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "http/base64.h"
#include "pki/digest.h"
#include "pki/pem.h"

namespace addon {
namespace {

constexpr std::size_t kLabelLength = 63;  // of a DNS label
constexpr std::size_t kServiceProxyLength = 56;
constexpr std::string_view kEnd = "-----END CERTIFICATE-----\n";

}  // namespace

std::string service_proxy_host(std::string_view cluster) {
  return ("cluster-" + pki::sha256_hex(cluster)).substr(0, kServiceProxyLength) +
         ".open-cluster-management.proxy";
}

std::string exported_service_host(const ExportedService& service) {
  const auto triple =
      fmt::format("{} {} {}", service.cluster, service.in_namespace, service.service);
  return ("cluster-proxy-" + pki::sha256_hex(triple)).substr(0, kLabelLength);
}

std::string tls_config_hash(const TlsProfile& profile) {
  std::string text = fmt::format("{}", fmt::join(profile.cipher_suites, ","));
  text += '\0';
  return pki::sha256_hex(text + profile.minimum_version).substr(0, 16);
}

base::Result<std::string> signer_organizational_unit(std::string_view ca_pem) {
  TRY(const auto bundle, pki::parse_ca_bundle(ca_pem));
  const auto first = std::string_view(bundle).substr(0, bundle.find(kEnd) + kEnd.size());
  const auto text = http::base64_encode(pki::sha256(first));
  return fmt::format("signer-{:02x}", fmt::join(text, ""));
}

}  // namespace addon
