#include "stage.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <fmt/format.h>

#include "addon/hashes.h"
#include "addon/names.h"
#include "addon/proxy_server.h"
#include "base/check.h"

namespace golden {

using namespace addon;

namespace {

constexpr std::string_view kUnknownCa = "<stripped: PEM CERTIFICATE>";

}  // namespace

Stage::Stage(std::string name, json::object content)
    : name_(std::move(name)), content_(std::move(content)) {}

std::vector<json::object> Stage::objects(std::string_view kind) const {
  std::vector<json::object> list;
  for (const auto& each : array_at(content_, kind)) list.push_back(each.as_object());
  return list;
}

const json::object* Stage::find(const char* kind, std::string_view in_namespace,
                                std::string_view name) const {
  for (const auto& each : array_at(content_, kind)) {
    const auto& object = each.as_object();
    if (name_of(object) == name && namespace_of(object) == in_namespace) return &object;
  }
  return nullptr;
}

std::optional<ProxyConfiguration> Stage::configuration() const {
  const auto* object = find("managedproxyconfiguration", "", kConfigurationName);
  if (object == nullptr || !problems().empty()) return std::nullopt;
  return read_proxy_configuration(*object);
}

std::vector<std::string> Stage::problems() const {
  const auto* object = find("managedproxyconfiguration", "", kConfigurationName);
  if (object == nullptr) return {};
  return validate(read_proxy_configuration(*object));
}

std::string Stage::argument_text(std::string_view flag) const {
  const auto start = fmt::format("--{}=", flag);
  for (const auto& argument : texts_at(content_, "arguments")) {
    if (argument.starts_with(start)) return argument.substr(start.size());
  }
  return {};
}

bool Stage::argument(std::string_view flag) const { return argument_text(flag) == "true"; }

AgentOptions Stage::agent_options() const {
  return {.agent_image = argument_text("agent-image-name"),
          .install_namespace = argument_text("agent-install-namespace"),
          .kube_api_proxy = argument("enable-kube-api-proxy"),
          .service_proxy = argument("enable-service-proxy"),
          .network_policies = argument("enable-network-policies")};
}

TlsProfile Stage::tls() const {
  const auto reading = read_tls_profile(optional_object("tlsProfile"));
  CHECK(reading.has_value());
  return reading->profile;
}

bool Stage::has_ca() const { return content_.contains("ca"); }

std::string Stage::ca_pem() const {
  return std::string(has_ca() ? text_at(content_, "ca") : kUnknownCa);
}

std::string Stage::organizational_unit() const {
  if (has_ca()) return signer_organizational_unit(ca_pem()).value();
  for (const auto& addon : objects("managedclusteraddon")) {
    for (const auto& each : array_at(object_at(addon, "status"), "registrations")) {
      const auto& subject = object_at(object_at(each.as_object(), "customSigner"), "subject");
      const auto units = texts_at(subject, "organizationUnits");
      if (!units.empty()) return units.front();
    }
  }
  return {};
}

const json::object* Stage::load_balancer() const {
  const auto wanted = configuration();
  if (!wanted || !wanted->server.entrypoint->has_load_balancer) return nullptr;
  return find("services", wanted->server.in_namespace,
              wanted->server.entrypoint->load_balancer_name);
}

std::string Stage::load_balancer_address() const {
  const auto* service = load_balancer();
  return service == nullptr ? "" : addon::load_balancer_address(*service).value_or("");
}

const json::object* Stage::managed_cluster(std::string_view name) const {
  return find("managedcluster", "", name);
}

const json::object* Stage::find_config(std::string_view resource, std::string_view in_namespace,
                                       std::string_view name) const {
  return find(
      resource == kConfigurationResource ? "managedproxyconfiguration" : "addondeploymentconfig",
      in_namespace, name);
}

const json::object* Stage::optional_object(const char* name) const {
  const auto* value = content_.if_contains(name);
  return value != nullptr ? value->if_object() : nullptr;
}

std::vector<Stage> read_stages() {
  std::vector<Stage> stages;
  for (const auto& file : std::filesystem::directory_iterator(GOLDEN_CASES)) {
    std::ifstream stream(file.path());
    const std::string text{std::istreambuf_iterator<char>(stream), {}};
    const auto parsed = kube::parse_json(text);
    CHECK(parsed && parsed->is_object());
    stages.emplace_back(file.path().stem().string(), parsed->get_object());
  }
  std::ranges::sort(stages, {}, &Stage::name);
  return stages;
}

}  // namespace golden
