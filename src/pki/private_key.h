#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

using EVP_PKEY = struct evp_pkey_st;

namespace pki {

enum class KeyAlgorithm { rsa_2048, ec_p256 };

/// A private key with its public half. A value: copies share the key, which never changes.
/// Thread: any.
class PrivateKey {
 public:
  static base::Result<PrivateKey> generate(KeyAlgorithm algorithm);
  /// PKCS#1, SEC 1 or PKCS#8, unencrypted. Fails with Code::invalid and the reason.
  static base::Result<PrivateKey> parse(std::string_view pem);

  /// "RSA PRIVATE KEY" (PKCS#1) or "EC PRIVATE KEY" (SEC 1).
  std::string traditional_pem() const;
  /// "PRIVATE KEY".
  std::string pkcs8_pem() const;

  EVP_PKEY* native() const { return key_.get(); }

 private:
  explicit PrivateKey(std::shared_ptr<EVP_PKEY> key) : key_(std::move(key)) {}
  std::shared_ptr<EVP_PKEY> key_;
};

}  // namespace pki
