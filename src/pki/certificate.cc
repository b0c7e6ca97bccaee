#include "pki/certificate.h"

#include <openssl/bn.h>
#include <openssl/err.h>

#include "pki/x509.h"

namespace pki {

namespace {

std::vector<ExtendedKeyUsage> decode_usages(X509& certificate) {
  std::vector<ExtendedKeyUsage> usages;
  auto* objects = static_cast<EXTENDED_KEY_USAGE*>(
      X509_get_ext_d2i(&certificate, NID_ext_key_usage, nullptr, nullptr));
  for (int i = 0; objects != nullptr && i < sk_ASN1_OBJECT_num(objects); ++i) {
    switch (OBJ_obj2nid(sk_ASN1_OBJECT_value(objects, i))) {
      case NID_server_auth:
        usages.push_back(ExtendedKeyUsage::server_auth);
        break;
      case NID_client_auth:
        usages.push_back(ExtendedKeyUsage::client_auth);
        break;
      default:
        usages.push_back(ExtendedKeyUsage::other);
    }
  }
  EXTENDED_KEY_USAGE_free(objects);
  return usages;
}

std::string serial_text(const X509& certificate) {
  BIGNUM* number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(&certificate), nullptr);
  char* text = BN_bn2hex(number);
  std::string copy = text == nullptr ? "" : text;
  OPENSSL_free(text);
  BN_free(number);
  return copy;
}

}  // namespace

base::Result<Certificate> decode_certificate(std::string_view pem) {
  const auto certificate = x509::first_certificate(pem);
  if (!certificate) return base::fail(base::Code::invalid, "no readable PEM certificate");
  const x509::NamesPtr names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate.get(), NID_subject_alt_name, nullptr, nullptr)));
  Certificate decoded{
      .subject = x509::decode_name(X509_get_subject_name(certificate.get())),
      .issuer = x509::decode_name(X509_get_issuer_name(certificate.get())),
      .alt_names = x509::decode_alt_names(names.get()),
      .extended_key_usages = decode_usages(*certificate),
      .not_before = x509::time_of(X509_get0_notBefore(certificate.get())),
      .not_after = x509::time_of(X509_get0_notAfter(certificate.get())),
      .is_authority = X509_check_ca(certificate.get()) != 0,
      .serial = serial_text(*certificate),
  };
  ERR_clear_error();
  return decoded;
}

}  // namespace pki
