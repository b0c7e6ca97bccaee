#include <algorithm>
#include <array>
#include <optional>

#include <fmt/format.h>

#include "cli/rules.h"

namespace cli {
namespace {

struct Suite {
  std::string_view go;
  std::string_view openssl;  // empty = TLS 1.3, which is not configurable
};

constexpr std::array<Suite, 13> kSuites = {{
    {"TLS_AES_128_GCM_SHA256", ""},
    {"TLS_AES_256_GCM_SHA384", ""},
    {"TLS_CHACHA20_POLY1305_SHA256", ""},
    {"TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", "ECDHE-ECDSA-AES128-SHA"},
    {"TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA", "ECDHE-ECDSA-AES256-SHA"},
    {"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "ECDHE-ECDSA-AES128-GCM-SHA256"},
    {"TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "ECDHE-ECDSA-AES256-GCM-SHA384"},
    {"TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", "ECDHE-ECDSA-CHACHA20-POLY1305"},
    {"TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", "ECDHE-RSA-AES128-SHA"},
    {"TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA", "ECDHE-RSA-AES256-SHA"},
    {"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "ECDHE-RSA-AES128-GCM-SHA256"},
    {"TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "ECDHE-RSA-AES256-GCM-SHA384"},
    {"TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", "ECDHE-RSA-CHACHA20-POLY1305"},
}};

std::string known_suites() {
  std::string text;
  for (const Suite& suite : kSuites) text += fmt::format("\n  {}", suite.go);
  return text;
}

base::Result<net::TlsVersion> parse_version(const std::string& text) {
  if (text.empty() || text == "VersionTLS12") return net::TlsVersion::v1_2;
  if (text == "VersionTLS13") return net::TlsVersion::v1_3;
  if (text == "VersionTLS11") return net::TlsVersion::v1_1;
  if (text == "VersionTLS10") return net::TlsVersion::v1_0;
  return bad_flag("--tls-min-version", text,
                  "want VersionTLS10, VersionTLS11, VersionTLS12 or VersionTLS13");
}

}  // namespace

base::Result<TlsPolicy> parse_tls_policy(const std::vector<std::string>& suites,
                                         const std::string& minimum) {
  TlsPolicy policy;
  TRY(policy.minimum, parse_version(minimum));
  for (const std::string& name : suites) {
    const auto known = std::ranges::find(kSuites, name, &Suite::go);
    if (known == kSuites.end()) {
      return bad_flag(
          "--cipher-suites", name,
          "the suite does not exist or counts as insecure; choose from" + known_suites());
    }
    if (!known->openssl.empty()) policy.cipher_suites.emplace_back(known->openssl);
  }
  if (!suites.empty() && policy.cipher_suites.empty()) policy.minimum = net::TlsVersion::v1_3;
  return policy;
}

}  // namespace cli
