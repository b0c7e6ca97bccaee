#include "tunnel/server/client_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tunnel {
namespace {

using ::testing::HasSubstr;

ClientRule rule(std::string_view text) {
  auto parsed = ClientRule::parse(text);
  EXPECT_TRUE(parsed) << parsed.error().message;
  return parsed ? *std::move(parsed) : ClientRule();
}

pki::Certificate certificate() {
  pki::Certificate made;
  made.subject.common_name = "backup";
  made.subject.organizations = {"platform", "ops"};
  made.subject.organizational_units = {"night"};
  made.alt_names.dns = {"backup.example.com"};
  made.alt_names.emails = {"b@example.com"};
  made.alt_names.uris = {"spiffe://hub/backup"};
  return made;
}

TEST(ClientRules, all_that_is_said_of_a_client_must_hold) {
  const auto client = certificate();
  for (const char* text : {"any", "cn=backup", "cn=back*", "o=ops", "o=ops; o=platform",
                           "cn=backup; ou=night; dns=*.example.com", "email=b@*",
                           "uri=spiffe://hub/*", "  cn = backup ;; "})
    EXPECT_TRUE(rule(text).names(&client)) << text;
  for (const char* text : {"cn=Backup", "o=op", "cn=backup; o=other", "unix", "dns=example.com"})
    EXPECT_FALSE(rule(text).names(&client)) << text;
}

TEST(ClientRules, a_client_of_a_socket_shows_no_certificate) {
  EXPECT_TRUE(rule("unix").names(nullptr));
  EXPECT_TRUE(rule("any").names(nullptr));
  EXPECT_FALSE(rule("cn=*").names(nullptr));
}

TEST(ClientRules, lead_where_they_say) {
  EXPECT_TRUE(rule("any").leads_to({"x", 1}, "c1"));
  const auto narrow = rule("any; cluster=prod-*; cluster=test; destination=*:5432");
  EXPECT_TRUE(narrow.leads_to({"db", 5432}, "prod-1"));
  EXPECT_TRUE(narrow.leads_to({"db", 5432}, "test"));
  EXPECT_FALSE(narrow.leads_to({"db", 5433}, "test"));
  EXPECT_FALSE(narrow.leads_to({"db", 5432}, "dev"));
  EXPECT_TRUE(narrow.leads_to({"db", 5432}, ""));
}

TEST(ClientRules, say_what_is_wrong_and_how_they_are_written) {
  for (const auto& [text, why] : std::vector<std::pair<std::string, std::string>>{
           {"", "does not say who"},
           {"cluster=c1", "does not say who"},
           {"cn=", "has no value"},
           {"cn", "has no value"},
           {"name=x", "\"name\" is not known"},
           {"any; destination=10.0.0.0/99", "/0 to /32"}}) {
    const auto parsed = ClientRule::parse(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_THAT(parsed.error().message, HasSubstr(why)) << text;
  }
  EXPECT_THAT(ClientRule::parse("name=x").error().message, HasSubstr("want WHO; WHERE"));
}

}  // namespace
}  // namespace tunnel
