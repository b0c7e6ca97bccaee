#include "pki/private_key.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include "pki/x509.h"

namespace pki {

namespace {

EVP_PKEY* make_key(KeyAlgorithm algorithm) {
  switch (algorithm) {
    case KeyAlgorithm::rsa_2048:
      return EVP_RSA_gen(2048);
    case KeyAlgorithm::ec_p256:
      return EVP_EC_gen("P-256");
  }
  return nullptr;
}

}  // namespace

base::Result<PrivateKey> PrivateKey::generate(KeyAlgorithm algorithm) {
  net::KeyPtr key(make_key(algorithm));
  if (!key) return base::fail(x509::failure("generate a key pair"));
  return PrivateKey(std::move(key));
}

base::Result<PrivateKey> PrivateKey::parse(std::string_view pem) {
  net::KeyPtr key(
      PEM_read_bio_PrivateKey(x509::reader(pem).get(), nullptr, x509::no_passphrase, nullptr));
  ERR_clear_error();
  if (key) return PrivateKey(std::move(key));
  if (pem.contains("ENCRYPTED")) {
    return base::fail(base::Code::invalid,
                      "the private key is encrypted: remove the passphrase, with openssl pkey");
  }
  return base::fail(base::Code::invalid,
                    "no readable private key: wanted PEM of PKCS#1, SEC 1 or PKCS#8");
}

std::string PrivateKey::traditional_pem() const {
  const auto out = x509::writer();
  PEM_write_bio_PrivateKey_traditional(out.get(), key_.get(), nullptr, nullptr, 0, nullptr,
                                       nullptr);
  return x509::content(*out);
}

std::string PrivateKey::pkcs8_pem() const {
  const auto out = x509::writer();
  PEM_write_bio_PKCS8PrivateKey(out.get(), key_.get(), nullptr, nullptr, 0, nullptr, nullptr);
  return x509::content(*out);
}

}  // namespace pki
