#include "app/health_checks.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace app {
namespace {

using ::testing::HasSubstr;

class HealthChecksTest : public ::testing::Test {
 protected:
  HealthChecksTest() {
    checks_.add("files", [this] { return files_; });
    checks_.add("two words", [this] { return words_; });
    checks_.serve(routes_, "/healthz", {"two words"});
    checks_.serve(routes_, "/readyz");
  }
  http::ServerResponse get(const std::string& path, const std::string& query = "") {
    return routes_.answer({.method = "GET", .path = path, .query = query});
  }

  base::Result<void> files_;
  base::Result<void> words_ = base::fail(base::Code::unavailable, "not yet");
  HealthChecks checks_;
  http::Routes routes_;
};

TEST_F(HealthChecksTest, answer_for_all_but_those_left_out) {
  EXPECT_EQ(get("/healthz").status, 200U);
  EXPECT_EQ(get("/healthz").body, "ok");
  EXPECT_EQ(get("/readyz").status, 500U);
  EXPECT_THAT(get("/readyz").body, HasSubstr("[+]files ok\n[-]two words failed: reason withheld\n"
                                             "readyz check failed"));
  words_ = {};
  EXPECT_EQ(get("/readyz").body, "ok");
  EXPECT_EQ(get("/readyz", "verbose").body, "[+]files ok\n[+]two words ok\nreadyz check passed\n");
}

TEST_F(HealthChecksTest, answer_for_one_by_its_name) {
  EXPECT_EQ(get("/healthz/files").body, "ok");
  const auto words = get("/healthz/two%20words");
  EXPECT_EQ(words.status, 500U);
  EXPECT_THAT(words.body, HasSubstr("internal server error: not yet"));
  EXPECT_EQ(get("/healthz/other").status, 404U);
}

class ChangeCheckTest : public ::testing::Test {
 protected:
  ChangeCheckTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "health-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
  }
  ~ChangeCheckTest() override { std::filesystem::remove_all(folder_); }

  std::string file(const std::string& name, const std::string& content) const {
    std::ofstream(folder_ / name) << content;
    return (folder_ / name).string();
  }

  std::filesystem::path folder_;
};

TEST_F(ChangeCheckTest, fails_once_for_each_change) {
  ChangeCheck check({file("tls.crt", "one"), file("tls.key", "key")});
  ASSERT_TRUE(check.start());
  EXPECT_TRUE(check.check());
  file("tls.crt", "two");
  EXPECT_FALSE(check.check());
  EXPECT_TRUE(check.check());
  file("tls.key", "other");
  EXPECT_FALSE(check.check());
  EXPECT_TRUE(check.check());
}

TEST_F(ChangeCheckTest, names_a_file_that_is_not_there) {
  ChangeCheck check({"/no/such/file"});
  EXPECT_THAT(check.start().error().message, HasSubstr("/no/such/file"));
}

}  // namespace
}  // namespace app
