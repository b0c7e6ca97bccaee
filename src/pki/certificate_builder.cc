#include "pki/certificate_builder.h"

#include <openssl/bn.h>
#include <openssl/err.h>

namespace pki {

namespace {

using BignumPtr = std::unique_ptr<BIGNUM, net::OpensslDeleter<BN_free>>;
using ExtensionPtr = std::unique_ptr<X509_EXTENSION, net::OpensslDeleter<X509_EXTENSION_free>>;
using OctetsPtr = std::unique_ptr<ASN1_OCTET_STRING, net::OpensslDeleter<ASN1_OCTET_STRING_free>>;
using AuthorityKeyIdPtr =
    std::unique_ptr<AUTHORITY_KEYID, net::OpensslDeleter<AUTHORITY_KEYID_free>>;

/// One that needs no escape: letters of ASN.1's PrintableString, as Go would choose it.
bool printable(std::string_view text) {
  return text.find_first_not_of(
             "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
             " '()+,-./:=?*&") == text.npos;
}

}  // namespace

CertificateBuilder::CertificateBuilder() : certificate_(X509_new()) {
  check(X509_set_version(certificate_.get(), X509_VERSION_3) == 1, "set the version");
}

void CertificateBuilder::check(bool done, std::string_view what) {
  if (!done && state_) state_ = base::fail(x509::failure(what));
}

void CertificateBuilder::set_serial(int bits) {
  const BignumPtr number(BN_new());
  check(BN_priv_rand(number.get(), bits, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) == 1 &&
            (!BN_is_zero(number.get()) || BN_set_word(number.get(), 1) == 1) &&
            BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate_.get())) != nullptr,
        "make a serial number");
}

void CertificateBuilder::set_validity(std::chrono::system_clock::time_point from,
                                      std::chrono::system_clock::time_point to) {
  const auto seconds = [](auto time) {
    return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
  };
  check(ASN1_TIME_set(X509_getm_notBefore(certificate_.get()), seconds(from)) != nullptr &&
            ASN1_TIME_set(X509_getm_notAfter(certificate_.get()), seconds(to)) != nullptr,
        "set the validity");
}

void CertificateBuilder::set_public_key(EVP_PKEY* key) {
  check(X509_set_pubkey(certificate_.get(), key) == 1, "set the public key");
}

void CertificateBuilder::set_subject(const X509_NAME* name) {
  check(X509_set_subject_name(certificate_.get(), name) == 1, "set the subject");
}

void CertificateBuilder::set_subject(const std::string& common_name,
                                     std::span<const std::string> organizations) {
  const net::NamePtr name(X509_NAME_new());
  for (const std::string& organization : organizations)
    add(*name, NID_organizationName, organization);
  add(*name, NID_commonName, common_name);
  set_subject(name.get());
}

// Given with its type, the text is not held to the 64 characters of a common name.
void CertificateBuilder::add(X509_NAME& name, int nid, const std::string& value) {
  check(X509_NAME_add_entry_by_NID(&name, nid,
                                   printable(value) ? V_ASN1_PRINTABLESTRING : V_ASN1_UTF8STRING,
                                   reinterpret_cast<const unsigned char*>(value.data()),
                                   static_cast<int>(value.size()), -1, 0) == 1,
        "set the subject");
}

void CertificateBuilder::set_issuer(const X509_NAME* name) {
  check(X509_set_issuer_name(certificate_.get(), name) == 1, "set the issuer");
}

void CertificateBuilder::set_issuer_to_subject() {
  set_issuer(X509_get_subject_name(certificate_.get()));
}

void CertificateBuilder::add(int nid, const char* value) {
  const ExtensionPtr extension(X509V3_EXT_conf_nid(nullptr, nullptr, nid, value));
  check(extension && X509_add_ext(certificate_.get(), extension.get(), -1) == 1, value);
}

void CertificateBuilder::add(std::span<const ExtendedKeyUsage> usages) {
  std::string value;
  for (const auto usage : usages) {
    if (!value.empty()) value += ',';
    value += usage == ExtendedKeyUsage::server_auth ? "serverAuth" : "clientAuth";
  }
  if (!value.empty()) add(NID_ext_key_usage, value.c_str());
}

void CertificateBuilder::add(const AltNames& names) {
  if (names.empty()) return;
  auto encoded = x509::encode_alt_names(names);
  if (!encoded) {
    if (state_) state_ = base::fail(std::move(encoded).error());
    return;
  }
  check(X509_add1_ext_i2d(certificate_.get(), NID_subject_alt_name, encoded->get(), 0,
                          X509V3_ADD_APPEND) == 1,
        "add the alternative names");
}

void CertificateBuilder::add_subject_key_id(std::span<const unsigned char> id) {
  const OctetsPtr octets(ASN1_OCTET_STRING_new());
  check(ASN1_OCTET_STRING_set(octets.get(), id.data(), static_cast<int>(id.size())) == 1 &&
            X509_add1_ext_i2d(certificate_.get(), NID_subject_key_identifier, octets.get(), 0,
                              X509V3_ADD_APPEND) == 1,
        "add the subject key id");
}

void CertificateBuilder::add_authority_key_id(X509& issuer) {
  const ASN1_OCTET_STRING* id = X509_get0_subject_key_id(&issuer);
  if (id == nullptr) return;
  const AuthorityKeyIdPtr authority(AUTHORITY_KEYID_new());
  authority->keyid = ASN1_OCTET_STRING_dup(id);
  check(X509_add1_ext_i2d(certificate_.get(), NID_authority_key_identifier, authority.get(), 0,
                          X509V3_ADD_APPEND) == 1,
        "add the authority key id");
}

base::Result<net::X509Ptr> CertificateBuilder::sign(const PrivateKey& key) {
  if (state_) {
    check(X509_sign(certificate_.get(), key.native(), EVP_sha256()) > 0, "sign the certificate");
  }
  ERR_clear_error();
  if (!state_) return base::fail(std::move(state_).error());
  return std::move(certificate_);
}

}  // namespace pki
