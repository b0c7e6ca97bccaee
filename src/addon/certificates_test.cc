#include "addon/certificates.h"

#include "addon/testing/fixture.h"

namespace addon {
namespace {

using testing::at;
using testing::configuration_object;
using ::testing::ElementsAre;

TEST(Certificates, name_servers_in_every_way_they_are_dialled) {
  auto object = configuration_object();
  at(object, {"spec", "authentication", "signer", "selfSigned"})["additionalSANs"] = {
      "x.example", "", "localhost"};
  const auto wanted = wanted_certificates(read_proxy_configuration(object), "10.0.0.9");
  ASSERT_EQ(wanted.size(), 3U);
  EXPECT_EQ(wanted[2].secret, "proxy-client");
  EXPECT_THAT(wanted[2].leaf.usages, ElementsAre(pki::ExtendedKeyUsage::client_auth));
  EXPECT_THAT(wanted[0].leaf.usages, ElementsAre(pki::ExtendedKeyUsage::server_auth));
  EXPECT_THAT(wanted[0].leaf.hosts,
              ElementsAre("x.example", "localhost", "127.0.0.1", "proxy-entrypoint.hub",
                          "proxy-entrypoint.hub.svc", "entry.example", "10.0.0.9"));
}

TEST(Certificates, user_server_has_one_when_it_is_configured) {
  auto object = configuration_object();
  at(object, {"spec", "userServer"})["additionalSANs"] = json::array{"u.example"};
  const auto wanted = wanted_certificates(read_proxy_configuration(object), "");
  ASSERT_EQ(wanted.size(), 4U);
  EXPECT_EQ(wanted[3].secret, "cluster-proxy-user-serving-cert");
  EXPECT_EQ(wanted[3].leaf.hosts.back(), "u.example");
}

}  // namespace
}  // namespace addon
