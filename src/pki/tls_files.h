#pragma once

#include <string>

namespace pki {

/// Where a TLS endpoint finds what it shows and whom it trusts. Empty names mean "none".
struct TlsFiles {
  std::string certificate;  // PEM, the leaf first
  std::string key;          // PEM, without a passphrase
  std::string ca;           // PEM bundle: the only trust

  bool operator==(const TlsFiles&) const = default;
};

}  // namespace pki
