#include "net/testing/certificates.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/check.h"
#include "base/id.h"
#include "net/address.h"
#include "net/openssl.h"

namespace net::testing {
namespace {

std::string take(const BioPtr& bio) {
  char* text = nullptr;
  const long length = BIO_get_mem_data(bio.get(), &text);
  return {text, static_cast<std::size_t>(length)};
}

Identity to_pem(X509* certificate, EVP_PKEY* key) {
  const BioPtr first(BIO_new(BIO_s_mem())), second(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(first.get(), certificate);
  PEM_write_bio_PrivateKey(second.get(), key, nullptr, nullptr, 0, nullptr, nullptr);
  return {take(first), take(second)};
}

void add_extension(X509* certificate, X509* issuer, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str());
  CHECK(extension != nullptr);
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

X509Ptr blank(const std::string& name, EVP_PKEY* key, long valid_seconds) {
  X509Ptr certificate(X509_new());
  X509_set_version(certificate.get(), 2);
  ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate.get()), base::random_u64() >> 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), valid_seconds);
  X509_set_pubkey(certificate.get(), key);
  const NamePtr subject(X509_NAME_new());
  X509_NAME_add_entry_by_txt(subject.get(), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  X509_set_subject_name(certificate.get(), subject.get());
  return certificate;
}

KeyPtr new_key() { return KeyPtr(EVP_EC_gen("P-256")); }

}  // namespace

Authority::Authority() {
  const KeyPtr key = new_key();
  const X509Ptr certificate =
      blank("test authority " + std::to_string(base::random_u64()), key.get(), 3600);
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(certificate.get()));
  add_extension(certificate.get(), certificate.get(), NID_basic_constraints, "critical,CA:TRUE");
  X509_sign(certificate.get(), key.get(), EVP_sha256());
  ca_ = to_pem(certificate.get(), key.get());
}

Identity Authority::issue(const std::string& name, const std::vector<std::string>& names,
                          long valid_seconds) const {
  const BioPtr ca_bio(BIO_new_mem_buf(ca_.certificate_pem.data(), -1)),
      key_bio(BIO_new_mem_buf(ca_.key_pem.data(), -1));
  const X509Ptr issuer(PEM_read_bio_X509(ca_bio.get(), nullptr, nullptr, nullptr));
  const KeyPtr issuer_key(PEM_read_bio_PrivateKey(key_bio.get(), nullptr, nullptr, nullptr));
  const KeyPtr key = new_key();
  const X509Ptr certificate = blank(name, key.get(), valid_seconds);
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(issuer.get()));
  std::string alternatives;
  for (const std::string& entry : names) {
    alternatives += (alternatives.empty() ? "" : ",") +
                    std::string(is_ip_address(entry) ? "IP:" : "DNS:") + entry;
  }
  if (!alternatives.empty())
    add_extension(certificate.get(), issuer.get(), NID_subject_alt_name, alternatives);
  X509_sign(certificate.get(), issuer_key.get(), EVP_sha256());
  return to_pem(certificate.get(), key.get());
}

}  // namespace net::testing
