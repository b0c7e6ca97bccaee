#include "addon/signer_secret.h"

#include <array>
#include <utility>

#include "addon/names.h"
#include "http/base64.h"
#include "pki/pem.h"

namespace addon {
namespace {

using base::Code;
using base::Result;
using pki::CertificateAuthority;

// A new authority is made when a fifth of the old one's ten years is left.
constexpr auto kRenewBefore = std::chrono::hours(24 * 730);
// Clusters that are away this long learn of the next authority when they are back.
constexpr auto kLongestPreparation = std::chrono::hours(24);

constexpr std::string_view kWayOut =
    "put a CA certificate into ca.crt and its key into ca.key, or delete the Secret to have a new "
    "CA made";

json::string text(std::string_view view) { return json::string(view.data(), view.size()); }

Result<CertificateAuthority> authority_in(const json::object& secret, std::string_view certificate,
                                          std::string_view key) {
  const auto certificate_pem = secret_data(secret, certificate);
  const auto key_pem = secret_data(secret, key);
  if (!certificate_pem || !key_pem) {
    return base::fail(Code::invalid, fmt::format("it has no {} or no {}, or they are no base64; {}",
                                                 certificate, key, kWayOut));
  }
  auto authority = CertificateAuthority::load(*certificate_pem, *key_pem);
  if (!authority) {
    return base::fail(Code::invalid, fmt::format("{} and {}: {}; {}", certificate, key,
                                                 authority.error().message, kWayOut));
  }
  return authority;
}

void put(json::object& data, std::string_view certificate, std::string_view key,
         const CertificateAuthority& authority) {
  data[text(certificate)] = http::base64_encode(authority.certificate_pem());
  data[text(key)] = http::base64_encode(authority.key().pkcs8_pem());
}

json::object& member(json::object& parent, const char* name) {
  auto& value = parent[name];
  if (!value.is_object()) value = json::object();
  return value.get_object();
}

void mark_changed(json::object& secret, kube::WallTime now) {
  auto& annotations = member(member(secret, "metadata"), "annotations");
  annotations.erase(text(kRotateAnnotation));
  annotations[text(kRotatedAnnotation)] = kube::format_time(now);
}

Result<void> prepare(json::object& data, kube::WallTime now) {
  TRY(const auto made, CertificateAuthority::create(std::string(kSignerCommonName), now));
  put(data, "next-ca.crt", "next-ca.key", made);
  return {};
}

void switch_over(json::object& data) {
  data["previous-ca.crt"] = data["ca.crt"];
  data["ca.crt"] = data["next-ca.crt"];
  data["ca.key"] = data["next-ca.key"];
  data.erase("next-ca.crt");
  data.erase("next-ca.key");
}

}  // namespace

std::optional<std::string> secret_data(const json::object& secret, std::string_view name) {
  const auto& data = kube::object_at(secret, "data");
  if (!data.contains(json::string_view(name.data(), name.size()))) return std::nullopt;
  return http::base64_decode(kube::text_at(data, name));
}

std::string SignerSecret::trust_pem() const {
  std::string pem = current.certificate_pem();
  if (next) pem += next->certificate_pem();
  return pem + previous_pem;
}

Result<SignerSecret> read_signer_secret(const json::object& secret) {
  TRY(auto current, authority_in(secret, "ca.crt", "ca.key"));
  SignerSecret read{.current = std::move(current)};
  const auto& data = kube::object_at(secret, "data");
  if (data.contains("next-ca.crt")) {
    TRY(read.next, authority_in(secret, "next-ca.crt", "next-ca.key"));
  }
  if (const auto previous = secret_data(secret, "previous-ca.crt")) {
    auto bundle = pki::parse_ca_bundle(*previous);
    if (!bundle) {
      return base::fail(Code::invalid, fmt::format("previous-ca.crt: {}; remove that key",
                                                   bundle.error().message));
    }
    read.previous_pem = std::move(*bundle);
  }
  const auto& annotations = kube::object_at(kube::object_at(secret, "metadata"), "annotations");
  read.rotation_wanted = annotations.contains(text(kRotateAnnotation));
  read.changed = kube::parse_time(kube::text_at(annotations, kRotatedAnnotation));
  return read;
}

json::object signer_data(const CertificateAuthority& authority) {
  json::object data;
  put(data, "ca.crt", "ca.key", authority);
  return data;
}

RotationStep rotation_step(const SignerSecret& secret, kube::WallTime now,
                           bool trusted_everywhere) {
  const auto since = secret.changed ? now - *secret.changed : kube::WallTime::duration::zero();
  if (secret.next) {
    const bool is_due = trusted_everywhere || (secret.changed && since >= kLongestPreparation);
    return is_due ? RotationStep::switch_over : RotationStep::none;
  }
  if (!secret.previous_pem.empty() && secret.changed && since >= pki::kLongestLife)
    return RotationStep::retire;
  const bool is_old = secret.current.not_after() - now < kRenewBefore;
  return secret.rotation_wanted || is_old ? RotationStep::prepare : RotationStep::none;
}

Result<json::object> after_step(json::object secret, RotationStep step, kube::WallTime now) {
  auto& data = member(secret, "data");
  if (step == RotationStep::prepare) TRY_VOID(prepare(data, now));
  if (step == RotationStep::switch_over) switch_over(data);
  if (step == RotationStep::retire) data.erase("previous-ca.crt");
  mark_changed(secret, now);
  return secret;
}

json::object with_previous(json::object secret, const CertificateAuthority& old,
                           kube::WallTime now) {
  member(secret, "data")["previous-ca.crt"] = http::base64_encode(old.certificate_pem());
  mark_changed(secret, now);
  return secret;
}

}  // namespace addon
