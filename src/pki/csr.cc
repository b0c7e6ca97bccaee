#include "pki/csr.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "pki/x509.h"

namespace pki {

namespace {

using base::Code;
using base::fail;

constexpr int kLeastStrength = 112;  // bits: RSA 2048, P-224

/// The first PEM block of a text.
struct Block {
  Block() = default;
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;
  ~Block() {
    OPENSSL_free(type);
    OPENSSL_free(header);
    OPENSSL_free(data);
  }
  char* type = nullptr;
  char* header = nullptr;
  unsigned char* data = nullptr;
  long size = 0;
};

x509::RequestPtr decode(const Block& block) {
  const unsigned char* at = block.data;
  x509::RequestPtr request(d2i_X509_REQ(nullptr, &at, block.size));
  if (at != block.data + block.size) request.reset();
  return request;
}

base::Result<void> check_key(X509_REQ& request) {
  EVP_PKEY* key = X509_REQ_get0_pubkey(&request);
  if (key == nullptr) return fail(Code::invalid, "its public key is of no known kind");
  if (EVP_PKEY_get_security_bits(key) < kLeastStrength) {
    return fail(Code::invalid, "its key is too weak: use EC P-256, or RSA of at least 2048 bits");
  }
  if (X509_REQ_verify(&request, key) != 1) {
    return fail(Code::invalid, "its signature was not made with its own key");
  }
  return {};
}

AltNames requested_names(X509_REQ& request) {
  STACK_OF(X509_EXTENSION)* extensions = X509_REQ_get_extensions(&request);
  const x509::NamesPtr names(static_cast<GENERAL_NAMES*>(
      X509V3_get_d2i(extensions, NID_subject_alt_name, nullptr, nullptr)));
  sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
  return x509::decode_alt_names(names.get());
}

base::Result<x509::RequestPtr> read_request(std::string_view pem) {
  Block block;
  if (PEM_read_bio(x509::reader(pem).get(), &block.type, &block.header, &block.data, &block.size) !=
      1) {
    return fail(Code::invalid, "it is not PEM");
  }
  if (std::string_view(block.type) != PEM_STRING_X509_REQ) {
    return fail(Code::invalid,
                fmt::format("PEM block type must be {}, not {}", PEM_STRING_X509_REQ, block.type));
  }
  auto request = decode(block);
  if (!request) return fail(Code::invalid, "its block is malformed");
  TRY_VOID(check_key(*request));
  return request;
}

}  // namespace

base::Result<Csr> Csr::parse(std::string_view pem) {
  auto request = read_request(pem);
  if (!request) {
    ERR_clear_error();
    return fail(std::move(request).error().within("certificate signing request"));
  }
  Csr csr;
  csr.subject_ = x509::decode_name(X509_REQ_get_subject_name(request->get()));
  csr.alt_names_ = requested_names(**request);
  csr.request_ = std::move(*request);
  ERR_clear_error();
  return csr;
}

}  // namespace pki
