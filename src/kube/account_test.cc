#include "kube/account.h"

#include <gtest/gtest.h>

#include "http/base64.h"

namespace kube {
namespace {

/// A token as an API server makes it, but for its signature.
std::string token(std::string_view claims) {
  auto body = http::base64_encode(claims);
  body.erase(body.find_last_not_of('=') + 1);
  return "e30." + body + ".c2lnbmF0dXJl";
}

json::object owner(std::string text, std::string_view in_namespace = "ns") {
  Config config;
  config.user.token.inline_data = std::move(text);
  return account_owner(config, in_namespace);
}

constexpr auto kBound =
    R"({"kubernetes.io":{"namespace":"ns","serviceaccount":{"name":"me","uid":"u-1"},"~":"??>"}})";

TEST(AccountOwner, is_the_account_of_a_bound_token) {
  EXPECT_EQ(
      json::value(owner(token(kBound))),
      json::value(
          {{"apiVersion", "v1"}, {"kind", "ServiceAccount"}, {"name", "me"}, {"uid", "u-1"}}));
}

TEST(AccountOwner, owns_nothing_in_other_namespaces) {
  EXPECT_TRUE(owner(token(kBound), "other").empty());
}

TEST(AccountOwner, is_none_without_a_bound_token) {
  for (const auto* text : {"", "opaque", "a.b.c", "e30.e30.e30", "e30.bnVsbA.x", "e30.%%%.x"}) {
    EXPECT_TRUE(owner(text).empty()) << text;
  }
  EXPECT_TRUE(owner(token(R"({"kubernetes.io":{"namespace":"ns"}})")).empty());
}

TEST(AddOwner, keeps_owners_and_adds_none_twice) {
  const json::object mine{{"uid", "1"}};
  json::object lease{{"metadata", {{"ownerReferences", json::array{{{"uid", "0"}}}}}}};
  add_owner(lease, mine);
  add_owner(lease, mine);
  add_owner(lease, {});
  EXPECT_EQ(array_at(object_at(lease, "metadata"), "ownerReferences").size(), 2U);
  json::object bare;
  add_owner(bare, {});
  EXPECT_TRUE(bare.empty());
  add_owner(bare, mine);
  EXPECT_EQ(array_at(object_at(bare, "metadata"), "ownerReferences").size(), 1U);
}

}  // namespace
}  // namespace kube
