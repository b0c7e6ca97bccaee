#include "addon/image.h"

#include <optional>

#include <fmt/format.h>

#include "addon/names.h"
#include "addon/object.h"

namespace addon {
namespace {

using base::Code;

std::string_view without_slash(std::string_view text) {
  if (text.ends_with('/')) text.remove_suffix(1);
  return text;
}

std::string_view last_part(std::string_view image) {
  const auto slash = image.rfind('/');
  return slash == image.npos ? image : image.substr(slash + 1);
}

/// The image under another registry; nothing when `source` is not where it is.
std::optional<std::string> moved(std::string_view image, const json::object& registry) {
  const auto source = without_slash(text_at(registry, "source"));
  const auto mirror = without_slash(text_at(registry, "mirror"));
  if (source.empty())
    return fmt::format("{}{}{}", mirror, mirror.empty() ? "" : "/", last_part(image));
  if (!image.starts_with(source)) return std::nullopt;
  return fmt::format("{}{}", mirror, image.substr(source.size()));
}

base::Result<json::array> registries(std::string_view annotation) {
  const auto parsed = kube::parse_json(annotation);
  if (!parsed || !parsed->is_object()) {
    const auto why = parsed ? std::string("it is no object") : parsed.error().message;
    return base::fail(
        Code::invalid,
        fmt::format(
            "annotation {} of the ManagedCluster: {}; give {{\"registries\":[{{\"source\":..., "
            "\"mirror\":...}}]}}, or remove it",
            kImageRegistriesAnnotation, why));
  }
  return array_at(parsed->get_object(), "registries");
}

}  // namespace

std::string ImageReference::text() const {
  return fmt::format("{}{}{}:{}", registry, registry.empty() ? "" : "/", image, tag);
}

base::Result<ImageReference> parse_image(std::string_view text) {
  const auto last = last_part(text);
  const auto registry = without_slash(text.substr(0, text.size() - last.size()));
  const auto colon = last.rfind(':');
  const auto image = last.substr(0, colon);
  const bool digest = image.contains('@');
  if (image.empty() || last.ends_with(':') || (!digest && image.contains(':'))) {
    return base::fail(Code::invalid,
                      fmt::format("image \"{}\": no image name; give [registry/]name[:tag]", text));
  }
  ImageReference reference{.registry = std::string(registry), .image = std::string(image)};
  if (colon != last.npos) reference.tag = last.substr(colon + 1);
  return reference;
}

base::Result<std::string> override_image(std::string_view image,
                                         const json::object& managed_cluster) {
  std::string result(image);
  const auto annotation = annotation_of(managed_cluster, kImageRegistriesAnnotation);
  if (annotation.empty()) return result;
  TRY(const auto list, registries(annotation));
  for (const auto& registry : list) {
    if (!registry.is_object()) continue;
    if (auto name = moved(image, registry.get_object())) result = *std::move(name);
  }
  return result;
}

}  // namespace addon
