#include <algorithm>
#include <string_view>

#include <fmt/format.h>

#include "pki/identity.h"
#include "pki/names.h"
#include "pki/store.h"

namespace pki {
namespace {

using base::Code;
using base::fail;
using base::Result;

bool is_label(std::string_view text) {
  constexpr std::size_t kLongest = 63;
  const auto fine = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  };
  return !text.empty() && text.size() <= kLongest && std::ranges::all_of(text, fine) &&
         !text.starts_with('-') && !text.ends_with('-');
}

/// As TLS compares them: "hub.example.com", "*.example.com"; underscores are in use. One whose last
/// part is a number is an address that is wrong.
bool is_host_name(std::string_view text) {
  constexpr std::size_t kLongest = 253;
  const auto letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  const auto fine = [&](char c) { return letter(c) || digit(c) || c == '-' || c == '.'; };
  const std::string_view last = text.substr(text.rfind('.') + 1);
  const std::string_view plain = text.starts_with("*.") ? text.substr(2) : text;
  return !plain.empty() && text.size() <= kLongest && !plain.starts_with('.') &&
         !plain.contains("..") && !last.empty() && !std::ranges::all_of(last, digit) &&
         std::ranges::all_of(plain, fine);
}

}  // namespace

Result<LeafSpec> server_spec(const Store::Hosts& hosts, std::chrono::seconds life) {
  if (hosts.empty()) {
    return fail(Code::invalid,
                "a server needs the names and addresses by which agents and clients know it");
  }
  LeafSpec spec{
      .common_name = hosts.front(), .usages = {ExtendedKeyUsage::server_auth}, .life = life};
  for (const std::string& host : hosts) {
    const std::string address = canonical_ip(host);
    if (!address.empty()) {
      spec.alt_names.ips.push_back(address);
    } else if (!is_host_name(host)) {
      return fail(Code::invalid,
                  fmt::format("\"{}\" is neither a name nor an address: give it without scheme, "
                              "port and brackets",
                              host));
    } else {
      spec.alt_names.dns.push_back(host);
    }
  }
  return spec;
}

Result<LeafSpec> agent_spec(const std::string& cluster, std::chrono::seconds life) {
  if (!is_label(cluster)) {
    return fail(Code::invalid,
                fmt::format("\"{}\" is no name for a cluster: up to 63 of a-z, 0-9 and '-', which "
                            "stands within only",
                            cluster));
  }
  return LeafSpec{.common_name = cluster,
                  .organizations = {"cluster-proxy:agents"},
                  .alt_names = {.uris = {cluster_uri(cluster)}},
                  .usages = {ExtendedKeyUsage::client_auth},
                  .life = life};
}

Result<LeafSpec> client_spec(const std::string& name, const std::vector<std::string>& organizations,
                             std::chrono::seconds life) {
  if (name.empty()) return fail(Code::invalid, "a client needs a name");
  return LeafSpec{.common_name = name,
                  .organizations = organizations,
                  .alt_names = {},
                  .usages = {ExtendedKeyUsage::client_auth},
                  .life = life};
}

}  // namespace pki
