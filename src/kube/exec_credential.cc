#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "http/base64.h"
#include "kube/credentials.h"
#include "kube/json.h"

namespace kube {

using base::Code;
using base::Result;

std::string exec_info(const ExecPlugin& plugin, const ClusterConfig& cluster,
                      const std::string& ca_pem) {
  json::object spec{{"interactive", false}};
  if (plugin.provide_cluster_info) {
    json::object known{{"server", cluster.server}};
    if (!cluster.tls_server_name.empty()) known["tls-server-name"] = cluster.tls_server_name;
    if (cluster.insecure_skip_tls_verify) known["insecure-skip-tls-verify"] = true;
    if (!ca_pem.empty()) known["certificate-authority-data"] = http::base64_encode(ca_pem);
    if (!cluster.proxy_url.empty()) known["proxy-url"] = cluster.proxy_url;
    spec["cluster"] = std::move(known);
  }
  return json::serialize(json::object{
      {"kind", "ExecCredential"}, {"apiVersion", plugin.api_version}, {"spec", std::move(spec)}});
}

Result<ExecCredential> parse_exec_credential(std::string_view text, const ExecPlugin& plugin) {
  const auto refuse = [&](std::string reason) {
    return base::fail(Code::invalid, fmt::format("exec plugin {}: {}", plugin.command, reason));
  };
  const auto parsed = parse_json(text);
  if (!parsed) return refuse("its output is " + parsed.error().message);
  const auto* object = parsed->if_object();
  if (object == nullptr || text_at(*object, "kind") != "ExecCredential") {
    return refuse("its output is no ExecCredential");
  }
  if (text_at(*object, "apiVersion") != plugin.api_version) {
    return refuse(fmt::format("it printed apiVersion \"{}\" where \"{}\" was wanted",
                              text_at(*object, "apiVersion"), plugin.api_version));
  }
  const auto& status = object_at(*object, "status");
  ExecCredential credential{
      .token = std::string(text_at(status, "token")),
      .client_certificate = std::string(text_at(status, "clientCertificateData")),
      .client_key = std::string(text_at(status, "clientKeyData"))};
  if (credential.client_certificate.empty() != credential.client_key.empty()) {
    return refuse("it gave only one of clientCertificateData and clientKeyData");
  }
  if (credential.token.empty() && credential.client_certificate.empty()) {
    return refuse("it gave neither a token nor a client certificate");
  }
  if (const auto expiry = text_at(status, "expirationTimestamp"); !expiry.empty()) {
    credential.expires = parse_time(expiry);
    if (!credential.expires) return refuse("its expirationTimestamp is not a time");
  }
  return credential;
}

}  // namespace kube
