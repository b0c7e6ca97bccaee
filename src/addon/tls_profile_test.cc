#include "addon/tls_profile.h"

#include "addon/testing/fixture.h"

namespace addon {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::parsed;

base::Result<TlsProfileReading> read(std::string_view data) {
  const auto config_map = parsed(fmt::format(R"({{"data": {}}})", data));
  return read_tls_profile(&config_map);
}

TEST(TlsProfile, without_config_map_is_the_default) {
  EXPECT_EQ(read_tls_profile(nullptr)->profile, TlsProfile());
  EXPECT_EQ(read("{}")->profile, TlsProfile());
  EXPECT_EQ(TlsProfile().minimum_version, "VersionTLS12");
}

TEST(TlsProfile, takes_both_spellings_of_a_version) {
  EXPECT_EQ(read(R"({"minTLSVersion": "TLSv1.3"})")->profile.minimum_version, "VersionTLS13");
  EXPECT_EQ(read(R"({"minTLSVersion": "VersionTLS10"})")->profile.minimum_version, "VersionTLS10");
  const auto bad = read(R"({"minTLSVersion": "1.2"})");
  ASSERT_FALSE(bad);
  EXPECT_THAT(bad.error().message, HasSubstr("minTLSVersion \"1.2\""));
}

TEST(TlsProfile, keeps_order_and_leaves_unknown_suites_out) {
  const auto reading = read(
      R"({"cipherSuites": "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, TLS_X ,TLS_RSA_WITH_RC4_128_SHA,"})");
  ASSERT_TRUE(reading);
  EXPECT_THAT(reading->profile.cipher_suites,
              ElementsAre("TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "TLS_RSA_WITH_RC4_128_SHA"));
  EXPECT_THAT(reading->warnings, ElementsAre(HasSubstr("TLS_X"), HasSubstr("insecure")));
}

TEST(TlsProfile, fails_when_no_suite_is_left) {
  EXPECT_FALSE(read(R"({"cipherSuites": "TLS_X"})"));
  EXPECT_FALSE(read(R"({"cipherSuites": ","})"));
}

}  // namespace
}  // namespace addon
