#include "addon/hashes.h"

#include "addon/testing/fixture.h"
#include "pki/certificate_authority.h"

namespace addon {
namespace {

TEST(ServiceProxyHost, is_a_hash_of_the_cluster) {
  EXPECT_EQ(
      service_proxy_host("cluster1"),
      "cluster-a140791d2b20a847f2c74c62c384f93fb83691d871e80385.open-cluster-management.proxy");
  EXPECT_TRUE(service_proxy_host("loopback")
                  .starts_with("cluster-64edaa3fb9310e98cdb183cddbf156d9964a05c017fa7f8e."));
  EXPECT_EQ(service_proxy_host("").size(), 86U);
}

TEST(ExportedServiceHost, fits_into_a_dns_label) {
  const auto host = exported_service_host(
      {.cluster = "cluster1", .in_namespace = "default", .service = "service1"});
  EXPECT_EQ(host, "cluster-proxy-1f28e10e03e76d3df8306b102a1da1adc79e744dd27fe48eb");
  EXPECT_EQ(host.size(), 63U);
}

TEST(TlsConfigHash, follows_version_and_suites) {
  EXPECT_EQ(tls_config_hash({}), "a2ab04e887acfcef");
  EXPECT_EQ(tls_config_hash({.minimum_version = "VersionTLS13", .cipher_suites = {}}),
            "cfa622fa0e118ebc");
  EXPECT_EQ(tls_config_hash({.minimum_version = "VersionTLS12",
                             .cipher_suites = {"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
                                               "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"}}),
            "dff5ff7d016d7829");
}

TEST(SignerOrganizationalUnit, depends_on_the_certificate_only) {
  const auto authority = pki::CertificateAuthority::create("x", std::chrono::system_clock::now());
  ASSERT_TRUE(authority) << authority.error().message;
  const auto unit = signer_organizational_unit(authority->certificate_pem());
  ASSERT_TRUE(unit) << unit.error().message;
  EXPECT_EQ(unit->size(), 95U);
  EXPECT_TRUE(unit->starts_with("signer-"));
  EXPECT_EQ(signer_organizational_unit("words\n" + authority->certificate_pem() + "\nmore\n" +
                                       authority->certificate_pem())
                .value_or(""),
            *unit);
  EXPECT_FALSE(signer_organizational_unit("words"));
}

}  // namespace
}  // namespace addon
