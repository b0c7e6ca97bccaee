#include "pki/certificate_authority.h"

#include <algorithm>
#include <array>
#include <set>
#include <span>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/sha.h>

#include "pki/certificate.h"
#include "pki/certificate_builder.h"

namespace pki {

namespace {

using base::Code;
using base::fail;
using std::chrono::hours;
using std::chrono::seconds;

constexpr auto kAuthorityLife = hours(24 * 365 * 10);
constexpr int kSerialBits = 63;
constexpr int kSignedSerialBits = 128;

using KeyId = std::array<unsigned char, SHA_DIGEST_LENGTH>;

/// RFC 7093, method 1: what Go gives an authority that names no id of its own.
KeyId authority_key_id(EVP_PKEY* key) {
  unsigned char* der = nullptr;
  const int size = i2d_PublicKey(key, &der);
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256(der, static_cast<std::size_t>(std::max(size, 0)), digest.data());
  OPENSSL_free(der);
  KeyId id{};
  std::copy_n(digest.begin(), id.size(), id.begin());
  return id;
}

/// SHA-1 of the modulus: what the reference's certificates have.
KeyId modulus_id(EVP_PKEY* key) {
  BIGNUM* modulus = nullptr;
  EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &modulus);
  std::vector<unsigned char> bytes(static_cast<std::size_t>(BN_num_bytes(modulus)));
  BN_bn2bin(modulus, bytes.data());
  BN_free(modulus);
  KeyId id{};
  SHA1(bytes.data(), bytes.size(), id.data());
  return id;
}

std::string day(CertificateAuthority::Time time) {
  return fmt::format("{:%F %T} UTC", std::chrono::floor<seconds>(time));
}

base::Error ended(CertificateAuthority::Time end) {
  return {Code::invalid,
          fmt::format("the certificate authority ends at {}: replace it by a new one", day(end))};
}

std::set<std::string> as_set(const std::vector<std::string>& values) {
  return {values.begin(), values.end()};
}

/// Whether more than four fifths of the life are over.
bool is_old(const Certificate& leaf, CertificateAuthority::Time now) {
  return (leaf.not_after - now) < (leaf.not_after - leaf.not_before) / 5;
}

}  // namespace

CertificateAuthority::CertificateAuthority(std::shared_ptr<X509> certificate,
                                           std::optional<PrivateKey> key)
    : certificate_(std::move(certificate)),
      key_(std::move(key)),
      certificate_pem_(x509::to_pem(*certificate_)) {}

CertificateAuthority::Time CertificateAuthority::not_after() const {
  return x509::time_of(X509_get0_notAfter(certificate_.get()));
}

base::Result<CertificateAuthority> CertificateAuthority::create(const std::string& name, Time now) {
  TRY(auto key, PrivateKey::generate(KeyAlgorithm::rsa_2048));
  return create(name, std::move(key), now);
}

base::Result<CertificateAuthority> CertificateAuthority::create(const std::string& name,
                                                                PrivateKey key, Time now) {
  CertificateBuilder builder;
  builder.set_serial(kSerialBits);
  builder.set_validity(now, now + kAuthorityLife);
  builder.set_public_key(key.native());
  builder.set_subject(name);
  builder.set_issuer_to_subject();
  builder.add(NID_key_usage, "critical,digitalSignature,keyEncipherment,keyCertSign");
  builder.add(NID_basic_constraints, "critical,CA:TRUE");
  builder.add_subject_key_id(authority_key_id(key.native()));
  builder.add(AltNames{.dns = {name}});
  TRY(auto certificate, builder.sign(key));
  return CertificateAuthority(std::move(certificate), std::move(key));
}

base::Result<CertificateAuthority> CertificateAuthority::load(std::string_view certificate_pem,
                                                              std::string_view key_pem) {
  TRY(auto authority, load_without_key(certificate_pem));
  TRY(auto key, PrivateKey::parse(key_pem));
  const bool fits = X509_check_private_key(authority.certificate_.get(), key.native()) == 1;
  ERR_clear_error();
  if (!fits) return fail(Code::invalid, "the authority's key does not belong to its certificate");
  authority.key_ = std::move(key);
  return authority;
}

base::Result<CertificateAuthority> CertificateAuthority::load_without_key(
    std::string_view certificate_pem) {
  auto certificate = x509::first_certificate(certificate_pem);
  if (!certificate) return fail(Code::invalid, "no readable PEM certificate of an authority");
  const bool may_sign = X509_check_ca(certificate.get()) != 0;
  ERR_clear_error();
  if (!may_sign) {
    return fail(Code::invalid,
                "the certificate is none of an authority: basicConstraints CA:TRUE "
                "or keyUsage keyCertSign is missing");
  }
  return CertificateAuthority(std::move(certificate), std::nullopt);
}

base::Result<IssuedCertificate> CertificateAuthority::issue(const LeafRequest& request,
                                                            const PrivateKey& key, Time now) const {
  TRY(const auto names, alt_names_of_hosts(request.hosts));
  const auto end = std::min<Time>(now + kLongestLife, not_after() - seconds(2));
  if (end <= now) return fail(ended(not_after()));
  CertificateBuilder builder;
  builder.set_serial(kSerialBits);
  builder.set_validity(now - seconds(1), end);
  builder.set_public_key(key.native());
  builder.set_subject(*std::ranges::min_element(request.hosts));
  builder.set_issuer(X509_get_subject_name(certificate_.get()));
  builder.add(NID_key_usage, "critical,digitalSignature,keyEncipherment");
  builder.add(request.usages);
  builder.add(NID_basic_constraints, "critical,CA:FALSE");
  builder.add_subject_key_id(modulus_id(key.native()));
  builder.add_authority_key_id(*certificate_);
  builder.add(names);
  TRY(const auto leaf, builder.sign(*key_));
  return IssuedCertificate{.chain_pem = x509::to_pem(*leaf) + certificate_pem_,
                           .key_pem = key.traditional_pem()};
}

base::Result<IssuedCertificate> CertificateAuthority::issue(const LeafSpec& spec, Time now) const {
  const auto end = std::min<Time>(now + spec.life, not_after());
  if (end <= now) return fail(ended(not_after()));
  TRY(auto key, PrivateKey::generate(KeyAlgorithm::ec_p256));
  CertificateBuilder builder;
  builder.set_serial(kSignedSerialBits);
  builder.set_validity(now - std::chrono::minutes(1), end);
  builder.set_public_key(key.native());
  builder.set_subject(spec.common_name, spec.organizations);
  builder.set_issuer(X509_get_subject_name(certificate_.get()));
  builder.add(NID_key_usage, "critical,digitalSignature");
  builder.add(spec.usages);
  builder.add(NID_basic_constraints, "critical,CA:FALSE");
  builder.add_subject_key_id(authority_key_id(key.native()));
  builder.add_authority_key_id(*certificate_);
  builder.add(spec.alt_names);
  TRY(const auto leaf, builder.sign(*key_));
  return IssuedCertificate{.chain_pem = x509::to_pem(*leaf) + certificate_pem_,
                           .key_pem = key.pkcs8_pem()};
}

bool CertificateAuthority::has_signed(std::string_view chain_pem) const {
  const auto certificate = x509::first_certificate(chain_pem);
  return certificate && !trust_problem(*certificate);
}

base::Result<std::string> CertificateAuthority::sign(const Csr& request,
                                                     const SigningPolicy& policy, Time now) const {
  const auto end = std::min<Time>(now + kLongestLife, not_after());
  if (end <= now) return fail(ended(not_after()));
  CertificateBuilder builder;
  builder.set_serial(kSignedSerialBits);
  builder.set_validity(now, end);
  builder.set_public_key(X509_REQ_get0_pubkey(request.native()));
  builder.set_subject(X509_REQ_get_subject_name(request.native()));
  builder.set_issuer(X509_get_subject_name(certificate_.get()));
  builder.add(NID_key_usage, "critical,digitalSignature,keyEncipherment");
  builder.add(policy.usages);
  builder.add_authority_key_id(*certificate_);
  builder.add(policy.alt_names);
  TRY(const auto leaf, builder.sign(*key_));
  return x509::to_pem(*leaf);
}

std::optional<std::string> CertificateAuthority::trust_problem(X509& certificate) const {
  const bool same_name = X509_NAME_cmp(X509_get_issuer_name(&certificate),
                                       X509_get_subject_name(certificate_.get())) == 0;
  const bool signed_by_us = X509_verify(&certificate, X509_get0_pubkey(certificate_.get())) == 1;
  ERR_clear_error();
  if (!same_name) {
    return fmt::format("it was issued by {}, not by {}",
                       x509::decode_name(X509_get_issuer_name(&certificate)).text,
                       x509::decode_name(X509_get_subject_name(certificate_.get())).text);
  }
  if (!signed_by_us) return "it was signed by another key than the authority's";
  return std::nullopt;
}

std::optional<std::string> CertificateAuthority::renewal_reason(
    std::string_view chain_pem, const std::vector<std::string>& hosts, Time now) const {
  const auto certificate = x509::first_certificate(chain_pem);
  const auto leaf = decode_certificate(chain_pem);
  const auto wanted = alt_names_of_hosts(hosts);
  if (!certificate || !leaf) return "there is no readable certificate";
  if (now > leaf->not_after) return fmt::format("it expired at {}", day(leaf->not_after));
  if (is_old(*leaf, now))
    return fmt::format("it is due before its end at {}", day(leaf->not_after));
  if (auto problem = trust_problem(*certificate)) return problem;
  if (!wanted) return wanted.error().message;
  if (as_set(leaf->alt_names.dns) != as_set(wanted->dns)) return "its DNS names are others";
  if (as_set(leaf->alt_names.ips) != as_set(wanted->ips)) return "its IP addresses are others";
  return std::nullopt;
}

}  // namespace pki
