#include "pki/private_key.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>

namespace pki {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

bool same(const PrivateKey& one, const PrivateKey& other) {
  return EVP_PKEY_eq(one.native(), other.native()) == 1;
}

class PrivateKeyTest : public ::testing::TestWithParam<KeyAlgorithm> {};

TEST_P(PrivateKeyTest, reads_back_either_encoding) {
  const auto key = PrivateKey::generate(GetParam());
  ASSERT_TRUE(key) << key.error().message;
  const auto traditional = PrivateKey::parse(key->traditional_pem());
  const auto pkcs8 = PrivateKey::parse(key->pkcs8_pem());
  ASSERT_TRUE(traditional && pkcs8);
  EXPECT_TRUE(same(*key, *traditional));
  EXPECT_TRUE(same(*key, *pkcs8));
  EXPECT_FALSE(same(*key, *PrivateKey::generate(GetParam())));
}

TEST_P(PrivateKeyTest, writes_the_blocks_that_go_reads) {
  const auto key = PrivateKey::generate(GetParam());
  ASSERT_TRUE(key) << key.error().message;
  EXPECT_THAT(key->pkcs8_pem(), StartsWith("-----BEGIN PRIVATE KEY-----\n"));
  EXPECT_THAT(key->traditional_pem(), StartsWith(GetParam() == KeyAlgorithm::rsa_2048
                                                     ? "-----BEGIN RSA PRIVATE KEY-----\n"
                                                     : "-----BEGIN EC PRIVATE KEY-----\n"));
}

INSTANTIATE_TEST_SUITE_P(Algorithms, PrivateKeyTest,
                         ::testing::Values(KeyAlgorithm::rsa_2048, KeyAlgorithm::ec_p256));

TEST(PrivateKeyParseTest, says_why_a_text_is_no_key) {
  EXPECT_THAT(PrivateKey::parse("").error().message, HasSubstr("no readable private key"));
  EXPECT_THAT(PrivateKey::parse("-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n"
                                "-----END ENCRYPTED PRIVATE KEY-----\n")
                  .error()
                  .message,
              HasSubstr("remove the passphrase"));
}

}  // namespace
}  // namespace pki
