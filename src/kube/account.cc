#include "kube/account.h"

#include <algorithm>
#include <optional>

#include "http/base64.h"

namespace kube {
namespace {

std::string token_text(const Material& token) {
  if (token.file.empty()) return token.inline_data;
  return read_file(token.file).value_or("");
}

/// base64url without padding, as in tokens (RFC 7515).
std::optional<std::string> decode_part(std::string_view part) {
  std::string text(part);
  std::ranges::replace(text, '-', '+');
  std::ranges::replace(text, '_', '/');
  text.append((4 - text.size() % 4) % 4, '=');
  return http::base64_decode(text);
}

/// What the token says of itself; nobody has checked it, nor need they: it is our own.
json::object claims_of(std::string_view token) {
  const auto begin = token.find('.');
  if (begin == std::string_view::npos) return {};
  const auto body = token.substr(begin + 1);
  const auto text = decode_part(body.substr(0, body.find('.')));
  if (!text) return {};
  auto claims = parse_json(*text);
  return claims && claims->is_object() ? std::move(claims->get_object()) : json::object();
}

}  // namespace

json::object account_owner(const Config& config, std::string_view in_namespace) {
  const auto claims = claims_of(token_text(config.user.token));
  const auto& bound = object_at(claims, "kubernetes.io");
  const auto& account = object_at(bound, "serviceaccount");
  const auto name = text_at(account, "name");
  const auto uid = text_at(account, "uid");
  if (name.empty() || uid.empty() || text_at(bound, "namespace") != in_namespace) return {};
  return {{"apiVersion", "v1"}, {"kind", "ServiceAccount"}, {"name", name}, {"uid", uid}};
}

void add_owner(json::object& object, const json::object& owner) {
  if (owner.empty()) return;
  auto& metadata = object["metadata"];
  if (!metadata.is_object()) metadata.emplace_object();
  auto& owners = metadata.get_object()["ownerReferences"];
  if (!owners.is_array()) owners.emplace_array();
  const auto is_same = [&](const json::value& each) {
    return each.is_object() && text_at(each.get_object(), "uid") == text_at(owner, "uid");
  };
  if (std::ranges::none_of(owners.get_array(), is_same)) owners.get_array().push_back(owner);
}

}  // namespace kube
