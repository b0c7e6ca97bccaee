#include "pki/csr.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/pem.h>

#include "pki/testing/requests.h"
#include "pki/x509.h"

namespace pki {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

using testing::kRequestOfGo;

std::string to_pem(X509_REQ& request) {
  const auto out = x509::writer();
  PEM_write_bio_X509_REQ(out.get(), &request);
  return x509::content(*out);
}

/// A request for `key`, signed by `signer`.
std::string make_request(EVP_PKEY* key, EVP_PKEY* signer) {
  const x509::RequestPtr request(X509_REQ_new());
  X509_REQ_set_pubkey(request.get(), key);
  X509_REQ_sign(request.get(), signer, EVP_sha256());
  return to_pem(*request);
}

std::string refusal(std::string_view pem) {
  const auto csr = Csr::parse(pem);
  return csr ? "accepted" : csr.error().message;
}

TEST(CsrTest, reads_what_go_makes) {
  const auto csr = Csr::parse(kRequestOfGo);
  ASSERT_TRUE(csr) << csr.error().message;
  EXPECT_EQ(csr->subject().common_name, "open-cluster-management:cluster-proxy:proxy-agent");
  EXPECT_THAT(csr->subject().organizations,
              ElementsAre("second:group", "open-cluster-management:cluster-proxy"));
  EXPECT_THAT(csr->subject().organizational_units, ElementsAre(testing::kOrganizationalUnit));
  EXPECT_THAT(csr->subject().text,
              HasSubstr("O=open-cluster-management:cluster-proxy+O=second:group"));
  EXPECT_THAT(csr->alt_names().dns, ElementsAre("cluster-proxy.addon.open-cluster-management.io"));
}

TEST(CsrTest, takes_text_around_the_block) {
  EXPECT_EQ(refusal("noise\n" + std::string(kRequestOfGo) + "more noise\n"), "accepted");
}

TEST(CsrTest, reads_a_request_without_names) {
  const net::KeyPtr key(EVP_EC_gen("P-256"));
  const auto csr = Csr::parse(make_request(key.get(), key.get()));
  ASSERT_TRUE(csr) << csr.error().message;
  EXPECT_EQ(csr->subject().text, "");
  EXPECT_TRUE(csr->alt_names().empty());
}

TEST(CsrTest, refuses_another_block_type) {
  std::string other(kRequestOfGo);
  for (std::size_t at = 0; (at = other.find(" REQUEST", at)) != other.npos;) other.erase(at, 8);
  EXPECT_THAT(refusal(other), HasSubstr("type must be CERTIFICATE REQUEST, not CERTIFICATE"));
  std::string old(kRequestOfGo);
  for (std::size_t at = 0; (at = old.find("CERTIFICATE", at)) != old.npos; at += 15)
    old.insert(at, "NEW ");
  EXPECT_THAT(refusal(old), HasSubstr("not NEW CERTIFICATE REQUEST"));
}

TEST(CsrTest, refuses_what_is_malformed) {
  EXPECT_THAT(refusal(""), HasSubstr("not PEM"));
  EXPECT_THAT(refusal("-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n"
                      "-----END CERTIFICATE REQUEST-----\n"),
              HasSubstr("malformed"));
}

TEST(CsrTest, refuses_a_signature_by_another_key) {
  const net::KeyPtr key(EVP_EC_gen("P-256"));
  const net::KeyPtr other(EVP_EC_gen("P-256"));
  EXPECT_THAT(refusal(make_request(key.get(), other.get())),
              HasSubstr("not made with its own key"));
  std::string changed(kRequestOfGo);
  changed.replace(changed.find("MIIB8zCCAZoCAQAwgesxQzATBgNVBAoTDHNlY29uZ"), 41,
                  "MIIB8zCCAZoCAQAwgesxQzATBgNVBAoTDHNlY29uY");
  EXPECT_THAT(refusal(changed), HasSubstr("certificate signing request: its signature"));
}

TEST(CsrTest, refuses_a_weak_key) {
  const net::KeyPtr key(EVP_RSA_gen(1024));
  EXPECT_THAT(refusal(make_request(key.get(), key.get())), HasSubstr("too weak"));
}

}  // namespace
}  // namespace pki
