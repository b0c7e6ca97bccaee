#include "addon/cluster_profile.h"

#include <algorithm>

#include <fmt/format.h>

#include "addon/names.h"
#include "addon/object.h"

namespace addon {
namespace {

constexpr std::string_view kManagerLabel = "x-k8s.io/cluster-manager";
constexpr std::string_view kManager = "open-cluster-management";  // and the name of the provider

json::object entry(std::string_view cluster, const AccessProvider& provider) {
  const json::object extension = {{"name", "client.authentication.k8s.io/exec"},
                                  {"extension", {{"clusterName", cluster}}}};
  return {{"name", kManager},
          {"cluster",
           {{"server", fmt::format("https://{}.{}:{}/{}", kUserServer, provider.proxy_namespace,
                                   kUserServerPort, cluster)},
            {"certificate-authority-data", provider.ca_base64},
            {"extensions", json::array{extension}}}}};
}

}  // namespace

bool is_ours(const json::object& profile) {
  const auto& labels = object_at(object_at(profile, "metadata"), "labels");
  return text_at(labels, kManagerLabel) == kManager && has(labels, kClusterNameLabel);
}

json::object with_access_provider(const json::object& profile, const AccessProvider& provider) {
  json::object status = object_at(profile, "status");
  auto& providers = make_array(status, "accessProviders");
  auto wanted = entry(name_of(profile), provider);
  const auto found = std::ranges::find_if(providers, [](const json::value& each) {
    return each.is_object() && text_at(each.get_object(), "name") == kManager;
  });
  if (found != providers.end()) {
    *found = std::move(wanted);
  } else {
    providers.push_back(std::move(wanted));
  }
  make_array(status, "conditions");
  return status;
}

}  // namespace addon
