#include "addon/service_proxy_args.h"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "addon/object.h"

namespace addon {
namespace {

using base::Code;
using base::fail;
using base::Result;

using Args = std::vector<std::string>;

/// A list as flags take it: text as it stands, elements of a list joined by commas.
std::string joined(const json::object& values, std::string_view name) {
  return array_at(values, name).empty() ? std::string(text_at(values, name))
                                        : fmt::format("{}", fmt::join(texts_at(values, name), ","));
}

void add_if_given(Args& args, std::string_view flag, std::string_view value) {
  if (!value.empty()) args.push_back(fmt::format("--{}={}", flag, value));
}

/// Whether an argument sets the flag, with one dash or two, with or without a value in it.
bool sets_flag(std::string_view arg, std::string_view flag) {
  const auto dashes = arg.find_first_not_of('-');
  if (dashes != 1 && dashes != 2) return false;
  std::string name(arg.substr(dashes, arg.find('=') - dashes));
  std::ranges::replace(name, '_', '-');
  return name == flag;
}

/// What additionalServiceProxyArgs give as the issuer: at most one.
struct ExtraIssuer {
  std::size_t count = 0;
  bool named = false;  // with a value that is not empty
};

ExtraIssuer extra_issuer(const Args& extra) {
  ExtraIssuer issuer;
  for (std::size_t i = 0; i < extra.size(); ++i) {
    const std::string_view arg = extra[i];
    if (!sets_flag(arg, "oidc-issuer-url")) continue;
    ++issuer.count;
    const auto equals = arg.find('=');
    const bool next = equals == arg.npos && i + 1 < extra.size();
    issuer.named = issuer.named || (equals == arg.npos ? next : equals + 1 < arg.size());
  }
  return issuer;
}

Result<void> check_extra(const Args& extra, std::string_view issuer) {
  if (std::ranges::any_of(extra,
                          [](auto& arg) { return sets_flag(arg, "enable-impersonation"); })) {
    return fail(Code::invalid,
                "additionalServiceProxyArgs must not set --enable-impersonation; use "
                "enableImpersonation instead");
  }
  const auto count = extra_issuer(extra).count;
  if (count > 1) {
    return fail(
        Code::invalid,
        "additionalServiceProxyArgs must not set --oidc-issuer-url more than once; give one");
  }
  if (count == 1 && !issuer.empty()) {
    return fail(Code::invalid,
                "the OIDC issuer is given both as oidcIssuerURL and by --oidc-issuer-url in "
                "additionalServiceProxyArgs; remove one");
  }
  return {};
}

Result<Args> required_claims(std::string_view text) {
  Args args;
  if (text.empty()) return args;
  const auto parsed = kube::parse_json(text);
  if (!parsed || !parsed->is_object()) {
    return fail(
        Code::invalid,
        "oidcRequiredClaimsJSON must be a JSON object of texts, such as {\"hd\":\"example.com\"}");
  }
  std::map<std::string, std::string> claims;  // in the order of their names
  for (const auto& claim : parsed->get_object()) {
    if (!claim.value().is_string()) {
      return fail(Code::invalid, "oidcRequiredClaimsJSON values must be strings");
    }
    claims[claim.key()] = claim.value().get_string();
  }
  for (const auto& [name, value] : claims) {
    args.push_back(fmt::format("--oidc-required-claim={}={}", name, value));
  }
  return args;
}

Result<Args> oidc_args(const json::object& values) {
  const auto issuer = text_at(values, "oidcIssuerURL");
  const auto client = text_at(values, "oidcClientID");
  if (issuer.empty() != client.empty()) {
    return fail(Code::invalid, "oidcIssuerURL and oidcClientID must be specified together");
  }
  TRY(const auto claims, required_claims(text_at(values, "oidcRequiredClaimsJSON")));
  if (issuer.empty()) return Args();
  Args args = {fmt::format("--oidc-issuer-url={}", issuer),
               fmt::format("--oidc-client-id={}", client)};
  add_if_given(args, "oidc-username-claim", text_at(values, "oidcUsernameClaim"));
  add_if_given(args, "oidc-username-prefix", text_at(values, "oidcUsernamePrefix"));
  add_if_given(args, "oidc-groups-claim", text_at(values, "oidcGroupsClaim"));
  add_if_given(args, "oidc-groups-prefix", text_at(values, "oidcGroupsPrefix"));
  // Even when empty: it turns the default off.
  args.push_back("--oidc-reserved-name-prefixes=" + joined(values, "oidcReservedNamePrefixes"));
  add_if_given(args, "oidc-signing-algs", joined(values, "oidcSigningAlgs"));
  std::ranges::copy(claims, std::back_inserter(args));
  add_if_given(args, "oidc-ca-configmap", text_at(values, "oidcCAConfigMap"));
  return args;
}

}  // namespace

bool needs_impersonation(const json::object& values) {
  constexpr std::array<std::string_view, 6> kTrue = {"1", "t", "T", "TRUE", "true", "True"};
  return contains(kTrue, text_at(values, "enableImpersonation")) ||
         !text_at(values, "oidcIssuerURL").empty() ||
         extra_issuer(texts_at(values, "additionalServiceProxyArgs")).named;
}

Result<Args> service_proxy_args(const json::object& values) {
  const auto extra = texts_at(values, "additionalServiceProxyArgs");
  TRY_VOID(check_extra(extra, text_at(values, "oidcIssuerURL")));
  TRY(const auto oidc, oidc_args(values));
  Args args = {"service-proxy"};
  if (!text_at(values, "additionalServiceCAConfigMap").empty()) {
    args.emplace_back("--additional-service-ca=/additional-service-ca/service-ca.crt");
  }
  args.push_back(fmt::format("--enable-impersonation={}", text_at(values, "enableImpersonation")));
  args.emplace_back("--cert=/server-cert/tls.crt");
  args.emplace_back("--key=/server-cert/tls.key");
  args.emplace_back("--hub-kubeconfig=/etc/kubeconfig/kubeconfig");
  std::ranges::copy(oidc, std::back_inserter(args));
  std::ranges::copy(extra, std::back_inserter(args));
  return args;
}

}  // namespace addon
