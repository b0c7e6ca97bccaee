#include "addon/tls_profile.h"

#include <algorithm>
#include <array>
#include <optional>

#include <fmt/format.h>

#include "addon/names.h"
#include "addon/object.h"

namespace addon {
namespace {

using base::Code;

constexpr std::array<std::string_view, 13> kSuites = {
    "TLS_AES_128_GCM_SHA256",
    "TLS_AES_256_GCM_SHA384",
    "TLS_CHACHA20_POLY1305_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
};

/// What Go knows and calls insecure.
constexpr std::array<std::string_view, 9> kWeakSuites = {
    "TLS_RSA_WITH_RC4_128_SHA",
    "TLS_RSA_WITH_3DES_EDE_CBC_SHA",
    "TLS_RSA_WITH_AES_128_CBC_SHA",
    "TLS_RSA_WITH_AES_256_CBC_SHA",
    "TLS_RSA_WITH_AES_128_CBC_SHA256",
    "TLS_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_RSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256",
};

constexpr std::array<std::array<std::string_view, 2>, 4> kVersions = {{
    {"VersionTLS10", "TLSv1.0"},
    {"VersionTLS11", "TLSv1.1"},
    {"VersionTLS12", "TLSv1.2"},
    {"VersionTLS13", "TLSv1.3"},
}};

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

base::Result<std::string> read_version(std::string_view text) {
  if (text.empty()) return TlsProfile().minimum_version;
  for (const auto& spellings : kVersions) {
    if (contains(spellings, text)) return std::string(spellings[0]);
  }
  return base::fail(Code::invalid,
                    fmt::format("ConfigMap {}: minTLSVersion \"{}\" is unknown; want "
                                "VersionTLS10 to VersionTLS13, or TLSv1.0 to TLSv1.3",
                                kTlsProfileConfigMap, text));
}

void read_suite(std::string_view name, TlsProfileReading& reading) {
  const bool weak = contains(kWeakSuites, name);
  if (!weak && !contains(kSuites, name)) {
    reading.warnings.push_back(fmt::format("cipher suite {} is unknown and left out", name));
    return;
  }
  if (weak) reading.warnings.push_back(fmt::format("cipher suite {} is insecure", name));
  reading.profile.cipher_suites.emplace_back(name);
}

void read_suites(std::string_view list, TlsProfileReading& reading) {
  while (!list.empty()) {
    const auto comma = list.find(',');
    if (const auto name = trimmed(list.substr(0, comma)); !name.empty()) read_suite(name, reading);
    list = comma == list.npos ? std::string_view() : list.substr(comma + 1);
  }
}

}  // namespace

base::Result<TlsProfileReading> read_tls_profile(const json::object* config_map) {
  TlsProfileReading reading;
  if (config_map == nullptr) return reading;
  const auto& data = object_at(*config_map, "data");
  TRY(reading.profile.minimum_version, read_version(trimmed(text_at(data, "minTLSVersion"))));
  const auto list = trimmed(text_at(data, "cipherSuites"));
  read_suites(list, reading);
  if (!list.empty() && reading.profile.cipher_suites.empty()) {
    return base::fail(
        Code::invalid,
        fmt::format("ConfigMap {}: cipherSuites names no suite that is known; give IANA "
                    "names separated by commas, or remove the key for the defaults",
                    kTlsProfileConfigMap));
  }
  return reading;
}

}  // namespace addon
