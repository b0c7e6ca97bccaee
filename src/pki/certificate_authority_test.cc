#include "pki/certificate_authority.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/sha.h>

#include "pki/certificate.h"
#include "pki/testing/requests.h"
#include "pki/x509.h"

namespace pki {
namespace {

using std::chrono::hours;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

using Time = CertificateAuthority::Time;

constexpr auto kName = "open-cluster-management:cluster-proxy";
constexpr Time kNow{std::chrono::sys_days(std::chrono::year(2026) / 11 / 23)};

const CertificateAuthority& authority() {
  static const auto instance = CertificateAuthority::create(kName, kNow).value();
  return instance;
}

/// Made once: a new one takes its time.
const PrivateKey& rsa_key() {
  static const auto instance = PrivateKey::generate(KeyAlgorithm::rsa_2048).value();
  return instance;
}

const std::vector<std::string> kHosts = {"localhost", "proxy.example.com", "127.0.0.1",
                                         "2001:db8::1", "10.9.8.7"};

IssuedCertificate issue(const std::vector<std::string>& hosts, Time now = kNow) {
  auto issued = authority().issue({.hosts = hosts, .usages = {ExtendedKeyUsage::server_auth}},
                                  rsa_key(), now);
  EXPECT_TRUE(issued) << issued.error().message;
  return issued ? std::move(*issued) : IssuedCertificate{};
}

/// For kHosts at kNow, made once: new keys take their time.
const IssuedCertificate& issued_once() {
  static const auto issued = issue(kHosts);
  return issued;
}

/// "name" or "name critical" of each extension, in order.
std::vector<std::string> extensions(std::string_view pem) {
  const auto certificate = x509::first_certificate(pem);
  std::vector<std::string> names;
  for (int i = 0; i < X509_get_ext_count(certificate.get()); ++i) {
    auto* extension = X509_get_ext(certificate.get(), i);
    names.emplace_back(OBJ_nid2sn(OBJ_obj2nid(X509_EXTENSION_get_object(extension))));
    if (X509_EXTENSION_get_critical(extension) != 0) names.back() += " critical";
  }
  return names;
}

/// OpenSSL's verdict on the first certificate of `pem` as `purpose` at `when`; "ok" when good.
std::string verify(std::string_view pem, const CertificateAuthority& trusted, int purpose,
                   Time when) {
  const auto leaf = x509::first_certificate(pem);
  X509_STORE* store = X509_STORE_new();
  X509_STORE_add_cert(store, x509::first_certificate(trusted.certificate_pem()).get());
  X509_STORE_CTX* context = X509_STORE_CTX_new();
  X509_STORE_CTX_init(context, store, leaf.get(), nullptr);
  X509_VERIFY_PARAM* parameters = X509_STORE_CTX_get0_param(context);
  X509_VERIFY_PARAM_set_flags(parameters, X509_V_FLAG_X509_STRICT);
  X509_VERIFY_PARAM_set_purpose(parameters, purpose);
  X509_VERIFY_PARAM_set_time(parameters, std::chrono::system_clock::to_time_t(when));
  X509_verify_cert(context);
  const std::string verdict = X509_verify_cert_error_string(X509_STORE_CTX_get_error(context));
  X509_STORE_CTX_free(context);
  X509_STORE_free(store);
  ERR_clear_error();
  return verdict;
}

int serial_bits(std::string_view pem) {
  const auto serial = decode_certificate(pem)->serial;
  return static_cast<int>(serial.size()) * 4;
}

int count(std::string_view text, std::string_view part) {
  int found = 0;
  for (std::size_t at = 0; (at = text.find(part, at)) != text.npos; at += part.size()) ++found;
  return found;
}

TEST(CertificateAuthorityTest, is_what_the_reference_creates) {
  const auto decoded = decode_certificate(authority().certificate_pem());
  ASSERT_TRUE(decoded) << decoded.error().message;
  EXPECT_EQ(decoded->subject.text, std::string("CN=") + kName);
  EXPECT_EQ(decoded->subject, decoded->issuer);
  EXPECT_THAT(decoded->alt_names.dns, ElementsAre(kName));
  EXPECT_EQ(decoded->not_before, kNow);
  EXPECT_EQ(decoded->not_after - decoded->not_before, seconds(315360000));
  EXPECT_EQ(authority().not_after(), decoded->not_after);
  EXPECT_TRUE(decoded->is_authority);
  EXPECT_LE(serial_bits(authority().certificate_pem()), 64);
  EXPECT_THAT(extensions(authority().certificate_pem()),
              ElementsAre("keyUsage critical", "basicConstraints critical", "subjectKeyIdentifier",
                          "subjectAltName"));
  EXPECT_THAT(authority().key().pkcs8_pem(), StartsWith("-----BEGIN PRIVATE KEY-----"));
}

TEST(CertificateAuthorityTest, issues_what_the_reference_issues) {
  const auto& issued = issued_once();
  const auto leaf = decode_certificate(issued.chain_pem);
  ASSERT_TRUE(leaf) << leaf.error().message;
  EXPECT_EQ(leaf->subject.text, "CN=10.9.8.7");
  EXPECT_EQ(leaf->issuer.common_name, kName);
  EXPECT_THAT(leaf->alt_names.dns, ElementsAre("localhost", "proxy.example.com", "10.9.8.7",
                                               "127.0.0.1", "2001:db8::1"));
  EXPECT_THAT(leaf->alt_names.ips, ElementsAre("10.9.8.7", "127.0.0.1", "2001:db8::1"));
  EXPECT_THAT(leaf->extended_key_usages, ElementsAre(ExtendedKeyUsage::server_auth));
  EXPECT_EQ(leaf->not_before, kNow - seconds(1));
  EXPECT_EQ(leaf->not_after - leaf->not_before, seconds(15552001));
  EXPECT_FALSE(leaf->is_authority);
  EXPECT_LE(serial_bits(issued.chain_pem), 64);
  EXPECT_THAT(extensions(issued.chain_pem),
              ElementsAre("keyUsage critical", "extendedKeyUsage", "basicConstraints critical",
                          "subjectKeyIdentifier", "authorityKeyIdentifier", "subjectAltName"));
  EXPECT_THAT(issued.key_pem, StartsWith("-----BEGIN RSA PRIVATE KEY-----"));
  EXPECT_EQ(count(issued.chain_pem, "BEGIN CERTIFICATE"), 2);
  EXPECT_TRUE(issued.chain_pem.ends_with(authority().certificate_pem()));
}

TEST(CertificateAuthorityTest, names_the_key_by_the_hash_of_its_modulus) {
  const auto& issued = issued_once();
  const auto certificate = x509::first_certificate(issued.chain_pem);
  const auto key = PrivateKey::parse(issued.key_pem);
  ASSERT_TRUE(key) << key.error().message;
  BIGNUM* modulus = nullptr;
  EVP_PKEY_get_bn_param(key->native(), "n", &modulus);
  std::vector<unsigned char> bytes(256);
  ASSERT_EQ(BN_bn2bin(modulus, bytes.data()), 256);
  BN_free(modulus);
  unsigned char digest[20];
  SHA1(bytes.data(), bytes.size(), digest);
  const ASN1_OCTET_STRING* id = X509_get0_subject_key_id(certificate.get());
  ASSERT_EQ(ASN1_STRING_length(id), 20);
  EXPECT_EQ(std::memcmp(ASN1_STRING_get0_data(id), digest, 20), 0);
}

TEST(CertificateAuthorityTest, issues_what_openssl_trusts_for_that_purpose_only) {
  const auto& issued = issued_once();
  EXPECT_EQ(verify(issued.chain_pem, authority(), X509_PURPOSE_SSL_SERVER, kNow), "ok");
  EXPECT_THAT(verify(issued.chain_pem, authority(), X509_PURPOSE_SSL_CLIENT, kNow),
              ::testing::AnyOf(HasSubstr("purpose"), HasSubstr("unsuitable")));
  EXPECT_THAT(
      verify(issued.chain_pem, authority(), X509_PURPOSE_SSL_SERVER, kNow + hours(24 * 181)),
      HasSubstr("expired"));
  const auto other = CertificateAuthority::create("other", kNow);
  EXPECT_NE(verify(issued.chain_pem, *other, X509_PURPOSE_SSL_SERVER, kNow), "ok");
}

TEST(CertificateAuthorityTest, issues_nothing_that_outlives_it) {
  const auto late = authority().not_after() - hours(24);
  const auto issued = issue({"a"}, late);
  EXPECT_EQ(decode_certificate(issued.chain_pem)->not_after, authority().not_after() - seconds(2));
  for (const auto when : {authority().not_after() - seconds(2), authority().not_after()}) {
    const auto refused = authority().issue({.hosts = {"a"}}, rsa_key(), when);
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message, HasSubstr("replace it by a new one"));
  }
}

TEST(CertificateAuthorityTest, refuses_names_that_no_certificate_holds) {
  for (const auto& hosts :
       std::vector<std::vector<std::string>>{{}, {""}, {"a b"}, {"caf\u00e9"}}) {
    EXPECT_FALSE(authority().issue({.hosts = hosts}, rsa_key(), kNow));
  }
}

TEST(CertificateAuthorityTest, loads_what_it_wrote_in_any_encoding) {
  const auto& pem = authority().certificate_pem();
  for (const auto& key : {authority().key().pkcs8_pem(), authority().key().traditional_pem()}) {
    const auto loaded = CertificateAuthority::load("comment\n" + pem + pem, key);
    ASSERT_TRUE(loaded) << loaded.error().message;
    EXPECT_EQ(loaded->certificate_pem(), pem);
  }
}

TEST(CertificateAuthorityTest, refuses_halves_that_do_not_make_one) {
  const auto message = [](std::string_view certificate, std::string_view key) {
    const auto loaded = CertificateAuthority::load(certificate, key);
    return loaded ? "accepted" : loaded.error().message;
  };
  const auto key = authority().key().pkcs8_pem();
  const auto& leaf = issued_once();
  EXPECT_THAT(message("", key), HasSubstr("no readable PEM certificate"));
  EXPECT_THAT(message(authority().certificate_pem(), "x"), HasSubstr("no readable private key"));
  EXPECT_THAT(message(authority().certificate_pem(), leaf.key_pem), HasSubstr("does not belong"));
  EXPECT_THAT(message(leaf.chain_pem, leaf.key_pem), HasSubstr("CA:TRUE"));
}

TEST(CertificateAuthorityTest, signs_with_an_ec_key_too) {
  const auto key = PrivateKey::generate(KeyAlgorithm::ec_p256);
  const auto loaded =
      CertificateAuthority::load(testing::self_signed_authority(*key), key->traditional_pem());
  ASSERT_TRUE(loaded) << loaded.error().message;
  const auto now = loaded->not_after() - hours(1);
  const auto issued =
      loaded->issue({.hosts = {"a"}, .usages = {ExtendedKeyUsage::client_auth}}, rsa_key(), now);
  ASSERT_TRUE(issued) << issued.error().message;
  EXPECT_EQ(verify(issued->chain_pem, *loaded, X509_PURPOSE_SSL_CLIENT, now), "ok");
}

// --- when to issue again -----------------------------------------------------------------------

std::string reason(const std::string& chain, const std::vector<std::string>& hosts, Time now) {
  return authority().renewal_reason(chain, hosts, now).value_or("none");
}

TEST(RenewalTest, keeps_a_good_certificate_until_four_fifths_of_its_life) {
  const auto& chain = issued_once().chain_pem;
  const auto due = kNow - seconds(1) + seconds(15552001) * 4 / 5;
  EXPECT_EQ(reason(chain, kHosts, kNow), "none");
  EXPECT_EQ(reason(chain, kHosts, due - seconds(1)), "none");
  EXPECT_THAT(reason(chain, kHosts, due + seconds(1)),
              HasSubstr("due before its end at 2027-05-22"));
  EXPECT_THAT(reason(chain, kHosts, kNow + hours(24 * 181)), HasSubstr("expired at 2027-05-22"));
}

TEST(RenewalTest, compares_names_as_sets) {
  const auto& chain = issued_once().chain_pem;
  auto hosts = kHosts;
  std::ranges::reverse(hosts);
  hosts.push_back(hosts.front());
  EXPECT_EQ(reason(chain, hosts, kNow), "none");
  hosts.emplace_back("new.example.com");
  EXPECT_THAT(reason(chain, hosts, kNow), HasSubstr("DNS names"));
  EXPECT_THAT(reason(chain, {"localhost"}, kNow), HasSubstr("DNS names"));
}

TEST(RenewalTest, replaces_what_cannot_be_read) {
  EXPECT_THAT(reason("", kHosts, kNow), HasSubstr("no readable certificate"));
  EXPECT_THAT(
      reason("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", kHosts, kNow),
      HasSubstr("no readable certificate"));
}

TEST(RenewalTest, replaces_what_another_authority_issued) {
  const LeafRequest request{.hosts = kHosts};
  const auto namesake = CertificateAuthority::create(kName, kNow);
  EXPECT_THAT(reason(namesake->issue(request, rsa_key(), kNow)->chain_pem, kHosts, kNow),
              HasSubstr("another key"));
  const auto other = CertificateAuthority::create("other", kNow);
  EXPECT_THAT(reason(other->issue(request, rsa_key(), kNow)->chain_pem, kHosts, kNow),
              HasSubstr("issued by CN=other, not by CN=open-cluster"));
}

// --- requests ----------------------------------------------------------------------------------

TEST(SigningTest, copies_the_subject_byte_for_byte) {
  const auto csr = Csr::parse(testing::kRequestOfGo);
  const auto signed_pem =
      authority().sign(*csr,
                       {.usages = {ExtendedKeyUsage::server_auth, ExtendedKeyUsage::client_auth},
                        .alt_names = csr->alt_names()},
                       kNow);
  ASSERT_TRUE(signed_pem) << signed_pem.error().message;
  const auto certificate = x509::first_certificate(*signed_pem);
  const auto encoded = [](const X509_NAME* name) {
    unsigned char* der = nullptr;
    const int size = i2d_X509_NAME(name, &der);
    std::string bytes(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size));
    OPENSSL_free(der);
    return bytes;
  };
  EXPECT_EQ(encoded(X509_get_subject_name(certificate.get())),
            encoded(X509_REQ_get_subject_name(csr->native())));
  EXPECT_EQ(decode_certificate(*signed_pem)->subject.organizational_units,
            std::vector<std::string>{std::string(testing::kOrganizationalUnit)});
}

TEST(SigningTest, signs_as_the_reference_does) {
  const auto csr = Csr::parse(testing::kRequestOfGo);
  const auto signed_pem =
      authority().sign(*csr,
                       {.usages = {ExtendedKeyUsage::server_auth, ExtendedKeyUsage::client_auth},
                        .alt_names = csr->alt_names()},
                       kNow);
  ASSERT_TRUE(signed_pem) << signed_pem.error().message;
  const auto leaf = decode_certificate(*signed_pem);
  EXPECT_EQ(count(*signed_pem, "-----BEGIN"), 1);
  EXPECT_EQ(leaf->not_before, kNow);
  EXPECT_EQ(leaf->not_after - leaf->not_before, seconds(15552000));
  EXPECT_THAT(leaf->alt_names.dns, ElementsAre("cluster-proxy.addon.open-cluster-management.io"));
  EXPECT_THAT(leaf->extended_key_usages,
              ElementsAre(ExtendedKeyUsage::server_auth, ExtendedKeyUsage::client_auth));
  EXPECT_LE(serial_bits(*signed_pem), 128);
  EXPECT_GT(serial_bits(*signed_pem), 96);
  EXPECT_THAT(extensions(*signed_pem), ElementsAre("keyUsage critical", "extendedKeyUsage",
                                                   "authorityKeyIdentifier", "subjectAltName"));
  EXPECT_EQ(verify(*signed_pem, authority(), X509_PURPOSE_SSL_CLIENT, kNow), "ok");
}

TEST(SigningTest, gives_only_what_the_policy_gives) {
  const auto csr = Csr::parse(testing::kRequestOfGo);
  const auto signed_pem =
      authority().sign(*csr,
                       {.usages = {ExtendedKeyUsage::client_auth},
                        .alt_names = {.uris = {"spiffe://hub.example/cluster/cluster1"}}},
                       kNow);
  ASSERT_TRUE(signed_pem) << signed_pem.error().message;
  const auto leaf = decode_certificate(*signed_pem);
  EXPECT_THAT(leaf->alt_names.dns, IsEmpty());
  EXPECT_THAT(leaf->alt_names.uris, ElementsAre("spiffe://hub.example/cluster/cluster1"));
  EXPECT_THAT(leaf->extended_key_usages, ElementsAre(ExtendedKeyUsage::client_auth));
  EXPECT_NE(verify(*signed_pem, authority(), X509_PURPOSE_SSL_SERVER, kNow), "ok");
}

TEST(SigningTest, ends_with_its_authority) {
  const auto csr = Csr::parse(testing::kRequestOfGo);
  const auto late = authority().not_after() - hours(1);
  EXPECT_EQ(decode_certificate(*authority().sign(*csr, {}, late))->not_after,
            authority().not_after());
  EXPECT_FALSE(authority().sign(*csr, {}, authority().not_after()));
}

TEST(HostNames, are_told_apart_as_go_does) {
  EXPECT_EQ(canonical_ip("::ffff:10.0.0.1"), "10.0.0.1");
  EXPECT_EQ(canonical_ip("2001:DB8:0:0:0:0:0:1"), "2001:db8::1");
  for (const auto* name : {"", "localhost", "1.2.3", "010.0.0.1", "fe80::1%eth0", "[::1]"}) {
    EXPECT_EQ(canonical_ip(name), "") << name;
  }
}

}  // namespace
}  // namespace pki
