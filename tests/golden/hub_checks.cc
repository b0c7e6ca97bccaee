#include <set>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "addon/certificates.h"
#include "addon/cluster_profile.h"
#include "addon/hub_rbac.h"
#include "addon/names.h"
#include "addon/proxy_server.h"
#include "checks.h"
#include "pki/names.h"

namespace golden {

using namespace addon;

namespace {

std::string label(const json::object& object) {
  return fmt::format("{}/{}", text_at(object, "kind"), name_of(object));
}

json::object body(const json::object& object) {
  json::object result = object;
  for (const auto* name : {"apiVersion", "kind", "metadata", "status"}) result.erase(name);
  return result;
}

/// Those parts of metadata that the manager writes.
json::object written(const json::object& metadata) {
  json::object result;
  for (const auto* name : {"labels", "annotations"}) {
    for (const auto& member : object_at(metadata, name)) {
      const std::string_view key = member.key();
      if (key.starts_with(kProxyGroup)) put(make_object(result, name), key, member.value());
    }
  }
  result["ownerReferences"] = array_at(metadata, "ownerReferences");
  return result;
}

/// Kind, name, hash, JSON.
struct Rendered {
  std::string object;
  std::string hash;
  std::string text;
};

std::vector<Rendered> rendered(const Stage& stage) {
  std::vector<Rendered> list;
  for (const auto& each : array_at(stage.content(), "rendered")) {
    const auto& fields = each.as_array();
    const auto field = [&](std::size_t i) { return std::string(fields[i].as_string()); };
    list.push_back({fmt::format("{}/{}", field(0), field(1)), field(2), field(3)});
  }
  return list;
}

/// The same object in the list of those that were read back.
const json::object* live(const Stage& stage, const std::string& object) {
  for (const auto& each : array_at(stage.content(), "live")) {
    if (label(each.as_object()) == object) return &each.as_object();
  }
  return nullptr;
}

bool is_provider(const json::value& each) {
  return text_at(each.as_object(), "name") == "open-cluster-management";
}

bool has_provider(const json::object& profile) {
  return std::ranges::any_of(array_at(object_at(profile, "status"), "accessProviders"),
                             is_provider);
}

}  // namespace

void check_proxy_server(const Stage& stage, Comparison& comparison) {
  const auto configuration = stage.configuration();
  const auto recorded = rendered(stage);
  if (!configuration || recorded.empty()) return;
  const auto tls = stage.tls();
  const ProxyServerInputs inputs{.configuration = *configuration,
                                 .tls = tls,
                                 .ca_pem = stage.ca_pem(),
                                 .image_pull_policy = "IfNotPresent"};
  const auto reference = reference_proxy_server_objects(inputs);
  const auto ours = proxy_server_objects(inputs);
  ASSERT_EQ(reference.size(), recorded.size()) << stage.name();
  // While the cloud gives no address the reference stops before it makes any of them.
  const bool provisioned =
      stage.load_balancer() == nullptr || !stage.load_balancer_address().empty();
  for (std::size_t i = 0; i < recorded.size(); ++i) {
    const auto& [object, hash, text] = recorded[i];
    EXPECT_EQ(label(reference[i]), object) << stage.name();
    if (!stage.has_ca() && object == "Secret/proxy-server-ca") continue;
    comparison.same_text(stage, "rendered JSON of " + object, text,
                         canonical_json(body(reference[i])));
    comparison.same_text(stage, "rendered hash of " + object, hash, spec_hash(reference[i]));
    comparison.same(stage, "hub " + object, reference[i], ours[i].object);
    if (!provisioned) continue;
    const auto* read = live(stage, object);
    ASSERT_NE(read, nullptr) << stage.name() << object;
    comparison.same(stage, "hub metadata of " + object, written(object_at(*read, "metadata")),
                    written(object_at(reference[i], "metadata")));
  }
}

void check_certificates(const Stage& stage, Comparison& comparison) {
  const auto configuration = stage.configuration();
  if (!configuration) return;
  auto wanted = wanted_certificates(*configuration, stage.load_balancer_address());
  wanted.push_back(service_proxy_certificate(configuration->server.in_namespace));
  for (const auto& recorded : stage.objects("certificates")) {
    const auto found =
        std::ranges::find(wanted, text_at(recorded, "secret"), &CertificateRequest::secret);
    // The user server's certificate stays when it is no longer wanted.
    if (found == wanted.end() && text_at(recorded, "secret") == kUserServingSecret) continue;
    ASSERT_NE(found, wanted.end()) << stage.name() << " " << text_at(recorded, "secret");
    const auto names = pki::alt_names_of_hosts(found->leaf.hosts);
    ASSERT_TRUE(names) << names.error().message;
    const bool server = found->leaf.usages.front() == pki::ExtendedKeyUsage::server_auth;
    const json::object ours = {{"secret", found->secret},
                               {"subject", "CN=" + *std::ranges::min_element(found->leaf.hosts)},
                               {"dns", texts(names->dns)},
                               {"ip", texts(names->ips)},
                               {"usages", json::array{server ? "serverAuth" : "clientAuth"}}};
    comparison.same(stage, "certificate " + found->secret, recorded, ours);
  }
}

void check_hub_rbac(const Stage& stage, Comparison& comparison) {
  const auto recorded = stage.objects("rbac");
  std::set<std::string> met;
  for (const auto& addon : stage.objects("managedclusteraddon")) {
    const auto subjects = agent_subjects(addon);
    if (subjects.empty()) continue;
    for (const auto& ours : hub_rbac(addon, subjects, {}, nullptr)) {
      const auto found = std::ranges::find_if(recorded, [&](const json::object& each) {
        return label(each) == label(ours) && namespace_of(each) == namespace_of(ours);
      });
      if (found == recorded.end()) continue;
      comparison.same(stage, "hub " + label(ours), *found, ours);
      EXPECT_FALSE(rbac_differs(*found, ours)) << stage.name() << label(ours);
      met.insert(fmt::format("{} {}", namespace_of(*found), label(*found)));
    }
  }
  if (!stage.objects("managedclusteraddon").empty()) {
    EXPECT_EQ(met.size(), recorded.size()) << stage.name();
  }
}

void check_load_balancer(const Stage& stage, Comparison& comparison) {
  const auto configuration = stage.configuration();
  const auto* read = stage.load_balancer();
  if (!configuration || read == nullptr) return;
  const auto wanted = load_balancer_service(*configuration);
  json::object reference = *read;
  json::object& spec = make_object(reference, "spec");
  json::object& metadata = make_object(reference, "metadata");
  // What the API server fills in.
  for (const auto* name :
       {"allocateLoadBalancerNodePorts", "clusterIP", "clusterIPs", "externalTrafficPolicy",
        "internalTrafficPolicy", "ipFamilies", "ipFamilyPolicy", "sessionAffinity"}) {
    spec.erase(name);
  }
  for (auto& port : make_array(spec, "ports")) {
    port.as_object().erase("nodePort");
    port.as_object().erase("protocol");
    port.as_object()["targetPort"] = 0;
  }
  metadata.erase("finalizers");
  reference.erase("status");
  comparison.same(stage, "hub load balancer Service", reference, wanted);
}

void check_profiles(const Stage& stage, Comparison& comparison) {
  const auto configuration = stage.configuration();
  const auto* secret = stage.optional_object("userServingSecret");
  if (!configuration || secret == nullptr) return;
  const AccessProvider provider{
      .proxy_namespace = configuration->server.in_namespace,
      .ca_base64 = std::string(text_at(object_at(*secret, "data"), "tls.crt"))};
  const auto profiles = stage.objects("profiles");
  // The first pass comes before the Secret.
  if (std::ranges::none_of(profiles, has_provider)) return;
  for (const auto& profile : profiles) {
    EXPECT_EQ(is_ours(profile), has_provider(profile)) << stage.name() << " " << name_of(profile);
    if (!is_ours(profile)) continue;
    json::object before = profile;
    auto& providers = make_array(make_object(before, "status"), "accessProviders");
    providers.erase(std::ranges::find_if(providers, is_provider));
    comparison.same(stage, "ClusterProfile status", object_at(profile, "status"),
                    with_access_provider(before, provider));
  }
}

}  // namespace golden
