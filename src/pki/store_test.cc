#include "pki/store.h"

#include <filesystem>
#include <fstream>
#include <sys/stat.h>

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pki/pem.h"

namespace pki {
namespace {

using std::chrono::hours;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr Store::Time kNow{std::chrono::sys_days(std::chrono::year(2026) / 11 / 23)};

class StoreTest : public ::testing::Test {
 protected:
  StoreTest() {
    char name[] = "/tmp/pki-store-XXXXXX";
    root_ = ::mkdtemp(name);
  }
  ~StoreTest() override { std::filesystem::remove_all(root_); }

  std::string folder() const { return root_ + "/pki"; }
  Store store() {
    auto made = Store::create(folder(), "test", kNow);
    EXPECT_TRUE(made) << made.error().message;
    return *std::move(made);
  }
  static mode_t mode(const std::string& path) {
    struct stat info{};
    EXPECT_EQ(::stat(path.c_str(), &info), 0) << path;
    return info.st_mode & 0777;
  }
  static std::string text(const std::string& path) { return read_file(path).value_or("(none)"); }

  std::string root_;
};

TEST_F(StoreTest, is_for_its_owner_only) {
  const mode_t before = ::umask(0);
  const Store made = store();
  ASSERT_TRUE(made.issue("a", *agent_spec("c1", Store::kLife), kNow));
  ::umask(before);
  EXPECT_EQ(mode(folder()), 0700U);
  EXPECT_EQ(mode(folder() + "/ca.key"), 0600U);
  EXPECT_EQ(mode(folder() + "/a.key"), 0600U);
  EXPECT_EQ(mode(folder() + "/a.crt"), 0644U);
}

TEST_F(StoreTest, refuses_a_folder_that_others_can_read) {
  std::filesystem::create_directory(folder());
  ::chmod(folder().c_str(), 0755);
  const auto made = Store::create(folder(), "test", kNow);
  ASSERT_FALSE(made);
  EXPECT_THAT(made.error().message, HasSubstr("chmod 700"));
}

TEST_F(StoreTest, overwrites_nothing) {
  const Store made = store();
  const std::string authority = text(folder() + "/ca.crt");
  const auto again = Store::create(folder(), "test", kNow);
  ASSERT_FALSE(again);
  EXPECT_TRUE(again.error().is(base::Code::already_exists));
  EXPECT_EQ(text(folder() + "/ca.crt"), authority);

  std::ofstream(folder() + "/a.key") << "precious";
  const auto issued = made.issue("a", *agent_spec("c1", Store::kLife), kNow);
  ASSERT_FALSE(issued);
  EXPECT_THAT(issued.error().message, HasSubstr("a.key exists and is not overwritten"));
  EXPECT_EQ(text(folder() + "/a.key"), "precious");
  EXPECT_FALSE(std::filesystem::exists(folder() + "/a.crt"));
}

TEST_F(StoreTest, opens_what_it_made_and_says_how_to_make_one) {
  const auto none = Store::open(folder());
  ASSERT_FALSE(none);
  EXPECT_THAT(none.error().message, HasSubstr("cluster-proxy pki init --dir"));
  (void)store();
  const auto opened = Store::open(folder());
  ASSERT_TRUE(opened) << opened.error().message;
  EXPECT_TRUE(opened->issue("s", *server_spec({"hub", "10.0.0.5"}, Store::kLife), kNow));
  EXPECT_THAT(*opened->names(), ElementsAre("ca", "s"));
}

TEST_F(StoreTest, can_be_looked_at_while_the_authoritys_key_is_elsewhere) {
  const Store made = store();
  ASSERT_TRUE(made.issue("a", *agent_spec("c1", Store::kLife), kNow));
  std::filesystem::remove(made.key_path("ca"));
  const auto opened = Store::open(folder());
  ASSERT_TRUE(opened) << opened.error().message;
  EXPECT_TRUE(opened->look_at("a").by_authority);
  EXPECT_THAT(describe({opened->look_at("ca")}, kNow), HasSubstr("key      not here"));
  const auto issued = opened->issue("b", *agent_spec("c1", Store::kLife), kNow);
  ASSERT_FALSE(issued);
  EXPECT_THAT(issued.error().message, HasSubstr("ca.key, is not here"));
  EXPECT_FALSE(opened->renew("a", std::nullopt, kNow));
}

TEST_F(StoreTest, knows_what_each_certificate_is_for) {
  const Store made = store();
  ASSERT_TRUE(made.issue("s", *server_spec({"hub.example", "::1"}, Store::kLife), kNow));
  ASSERT_TRUE(made.issue("a", *agent_spec("c1", Store::kLife), kNow));
  ASSERT_TRUE(made.issue("c", *client_spec("alice", {"ops"}, Store::kLife), kNow));
  EXPECT_EQ(made.look_at("ca").role, Role::authority);
  const auto server = made.look_at("s");
  EXPECT_EQ(server.role, Role::server);
  EXPECT_THAT(server.certificate.alt_names.dns, ElementsAre("hub.example"));
  EXPECT_THAT(server.certificate.alt_names.ips, ElementsAre("::1"));
  EXPECT_TRUE(server.by_authority);
  EXPECT_EQ(server.key_fits, true);
  const auto agent = made.look_at("a");
  EXPECT_EQ(agent.role, Role::agent);
  EXPECT_THAT(agent.clusters, ElementsAre("c1"));
  const auto client = made.look_at("c");
  EXPECT_EQ(client.role, Role::client);
  EXPECT_EQ(client.certificate.subject.text, "CN=alice,O=ops");
  EXPECT_THAT(client.clusters, IsEmpty());
}

TEST_F(StoreTest, renews_for_the_same_names_and_usages_with_a_new_key) {
  const Store made = store();
  ASSERT_TRUE(made.issue("s", *server_spec({"hub", "10.0.0.5"}, hours(24 * 10)), kNow));
  const auto before = made.look_at("s");
  const std::string key = text(made.key_path("s"));
  const auto later = kNow + hours(24 * 9);
  ASSERT_TRUE(made.renew("s", std::nullopt, later));
  const auto after = made.look_at("s");
  EXPECT_EQ(after.certificate.alt_names, before.certificate.alt_names);
  EXPECT_EQ(after.certificate.subject, before.certificate.subject);
  EXPECT_EQ(after.certificate.extended_key_usages, before.certificate.extended_key_usages);
  EXPECT_GT(after.certificate.not_after, later + hours(24 * 9));
  EXPECT_NE(after.certificate.serial, before.certificate.serial);
  EXPECT_NE(text(made.key_path("s")), key);
  EXPECT_EQ(after.key_fits, true);
  EXPECT_EQ(mode(made.key_path("s")), 0600U);
  EXPECT_THAT(*made.names(), ElementsAre("ca", "s"));
}

TEST_F(StoreTest, renews_neither_the_authority_nor_what_is_not_there) {
  const Store made = store();
  EXPECT_THAT(made.renew("ca", std::nullopt, kNow).error().message, HasSubstr("issue anew"));
  EXPECT_THAT(made.renew("x", std::nullopt, kNow).error().message, HasSubstr("there is no"));
  EXPECT_THAT(made.renew("../x", std::nullopt, kNow).error().message, HasSubstr("\"../x\""));
}

TEST_F(StoreTest, tells_people_who_for_what_and_until_when) {
  const Store made = store();
  ASSERT_TRUE(made.issue("a", *agent_spec("c1", hours(24 * 20)), kNow));
  const std::vector<StoredCertificate> both = {made.look_at("ca"), made.look_at("a")};
  const std::string fresh = describe(both, kNow);
  EXPECT_THAT(fresh, HasSubstr("agents of cluster c1"));
  EXPECT_THAT(fresh, HasSubstr("20 days left; renew it: cluster-proxy pki renew a"));
  EXPECT_THAT(fresh, HasSubstr("2026-12-13 00:00 UTC"));
  EXPECT_THAT(describe(both, kNow + hours(24 * 25)), HasSubstr("EXPIRED 5 days ago"));
  EXPECT_THAT(describe(both, kNow - hours(1)), HasSubstr("NOT YET VALID"));
}

TEST_F(StoreTest, tells_what_is_wrong) {
  const Store made = store();
  ASSERT_TRUE(made.issue("a", *agent_spec("c1", Store::kLife), kNow));
  ASSERT_TRUE(made.issue("b", *agent_spec("c2", Store::kLife), kNow));
  std::filesystem::copy_file(made.key_path("b"), made.key_path("a"),
                             std::filesystem::copy_options::overwrite_existing);
  std::filesystem::remove(made.key_path("b"));
  std::ofstream(made.certificate_path("c")) << "no certificate";
  EXPECT_THAT(describe({made.look_at("a")}, kNow), HasSubstr("DOES NOT FIT"));
  EXPECT_THAT(describe({made.look_at("b")}, kNow), HasSubstr("key      not here"));
  EXPECT_THAT(describe({made.look_at("c")}, kNow), HasSubstr("CANNOT BE READ"));
}

TEST_F(StoreTest, tells_programs_the_same) {
  const Store made = store();
  ASSERT_TRUE(made.issue("a", *agent_spec("c1", Store::kLife), kNow));
  const auto all = boost::json::parse(describe_json({made.look_at("a")}, kNow)).as_array();
  const auto& agent = all.at(0).as_object();
  EXPECT_EQ(agent.at("role"), "agent");
  EXPECT_EQ(agent.at("state"), "valid");
  EXPECT_EQ(agent.at("clusters").as_array().at(0), "c1");
  EXPECT_EQ(agent.at("notAfter"), "2027-11-23T00:00:00Z");
  EXPECT_EQ(agent.at("daysLeft"), 365);
  EXPECT_EQ(agent.at("keyFits"), true);
}

TEST(Specs, say_what_a_name_has_to_be) {
  EXPECT_THAT(agent_spec("C1", Store::kLife).error().message, HasSubstr("a-z, 0-9"));
  EXPECT_FALSE(agent_spec("a.b", Store::kLife));
  EXPECT_FALSE(agent_spec("-a", Store::kLife));
  EXPECT_FALSE(agent_spec("", Store::kLife));
  EXPECT_FALSE(server_spec({}, Store::kLife));
  EXPECT_THAT(server_spec({"https://hub:8091"}, Store::kLife).error().message,
              HasSubstr("without scheme, port and brackets"));
  for (const char* host : {"", "bad host", "host!", "10.0.0.300", "[::1]", "*", "a..b", ".a", "a."})
    EXPECT_FALSE(server_spec({host}, Store::kLife)) << host;
  for (const char* host : {"*.example.com", "my_hub", "hub-2.example", "::1", "1.example"})
    EXPECT_TRUE(server_spec({host}, Store::kLife)) << host;
  EXPECT_FALSE(client_spec("", {}, Store::kLife));
}

}  // namespace
}  // namespace pki
