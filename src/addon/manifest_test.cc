#include "addon/manifest.h"

#include "addon/embedded.h"
#include "addon/testing/fixture.h"

namespace addon {
namespace {

TEST(Manifest, fills_variables_of_every_kind) {
  const auto service =
      manifest("agent/external_service",
               {{"name", "n"}, {"namespace", "ns"}, {"target", "a.b"}, {"domain", "c"}});
  EXPECT_EQ(text_at(object_at(service, "spec"), "externalName"), "a.b.c");
  const auto secret =
      manifest("agent/secret", {{"name", "n"}, {"namespace", "ns"}, {"data", {{"k", "v"}}}});
  EXPECT_EQ(text_at(object_at(secret, "data"), "k"), "v");
}

TEST(Manifest, null_takes_members_and_elements_along) {
  const auto role = manifest("agent/cluster_role", {{"impersonation", nullptr}});
  EXPECT_EQ(array_at(role, "rules").size(), 1U);
  const auto service =
      manifest("server/service", {{"name", "n"}, {"namespace", "ns"}, {"type", nullptr}});
  EXPECT_FALSE(has(object_at(service, "spec"), "type"));
}

TEST(Manifest, values_are_not_read_as_manifests) {
  const auto account = manifest("agent/service_account", {{"namespace", "${name}: {x"}});
  EXPECT_EQ(namespace_of(account), "${name}: {x");
}

TEST(ManifestDeathTest, unknown_names_are_bugs) {
  EXPECT_DEATH((void)manifest("agent/nothing", {}), "");
  EXPECT_DEATH((void)manifest("agent/service_account", {}), "");
}

TEST(Manifest, all_files_are_embedded) { EXPECT_GE(embedded_manifests().size(), 20U); }

}  // namespace
}  // namespace addon
