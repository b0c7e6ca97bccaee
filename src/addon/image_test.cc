#include "addon/image.h"

#include "addon/testing/fixture.h"

namespace addon {
namespace {

using ::testing::HasSubstr;

std::string parts(std::string_view text) {
  const auto image = parse_image(text);
  return image ? fmt::format("{}|{}|{}", image->registry, image->image, image->tag) : "error";
}

TEST(Image, takes_references_apart) {
  EXPECT_EQ(parts("quay.io/ocm/proxy:v1"), "quay.io/ocm|proxy|v1");
  EXPECT_EQ(parts("host:5000/proxy"), "host:5000|proxy|latest");
  EXPECT_EQ(parts("proxy"), "|proxy|latest");
  EXPECT_EQ(parts("r/proxy@sha256:ab"), "r|proxy@sha256|ab");
  EXPECT_EQ(parts("r/proxy:v1@sha256:ab"), "r|proxy:v1@sha256|ab");
  for (const auto* bad : {"", "r/", "r/:v1", "r/proxy:", "r/a:b:c"}) EXPECT_EQ(parts(bad), "error");
}

TEST(Image, gives_the_reference_again) {
  for (const auto* text : {"quay.io/ocm/proxy:v1", "proxy:v1", "r:1/proxy@sha256:ab"}) {
    EXPECT_EQ(parse_image(text)->text(), text);
  }
}

base::Result<std::string> overridden(std::string_view annotation) {
  json::object cluster;
  put(make_object(make_object(cluster, "metadata"), "annotations"),
      "open-cluster-management.io/image-registries", json::value(annotation));
  return override_image("quay.io/ocm/proxy:v1", cluster);
}

TEST(OverrideImage, without_annotation_changes_nothing) {
  EXPECT_EQ(override_image("a/b:c", {}), "a/b:c");
  EXPECT_EQ(overridden("{}"), "quay.io/ocm/proxy:v1");
}

TEST(OverrideImage, last_match_wins_on_the_original_name) {
  EXPECT_EQ(overridden(R"({"registries":[{"source":"quay.io/ocm/","mirror":"m/x/"}]})"),
            "m/x/proxy:v1");
  EXPECT_EQ(overridden(R"({"registries":[{"source":"quay.io/ocm","mirror":"m"},
                                         {"source":"quay.io","mirror":"n"},
                                         {"source":"m","mirror":"o"}]})"),
            "n/ocm/proxy:v1");
}

TEST(OverrideImage, empty_source_keeps_the_last_part) {
  EXPECT_EQ(overridden(R"({"registries":[{"mirror":"m"}]})"), "m/proxy:v1");
  EXPECT_EQ(overridden(R"({"registries":[{}]})"), "proxy:v1");
}

TEST(OverrideImage, malformed_annotation_is_an_error_that_names_it) {
  for (const auto* bad : {"{", "[]", "{bad}"}) {
    const auto result = overridden(bad);
    ASSERT_FALSE(result) << bad;
    EXPECT_THAT(result.error().message, HasSubstr("open-cluster-management.io/image-registries"));
  }
}

}  // namespace
}  // namespace addon
