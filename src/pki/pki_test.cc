#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/pem.h>

#include "net/openssl.h"
#include "net/testing/certificates.h"
#include "pki/pem.h"
#include "pki/reloading_tls.h"

namespace pki {
namespace {

const async::SystemClock kClock;

using ::testing::AllOf;
using ::testing::HasSubstr;

using Role = net::TlsContext::Role;

std::size_t count_certificates(std::string_view pem) {
  std::size_t count = 0;
  for (std::size_t at = pem.find("BEGIN CERT"); at != pem.npos; at = pem.find("BEGIN CERT", at + 1))
    ++count;
  return count;
}

class Pki : public ::testing::Test {
 protected:
  Pki() {
    std::string pattern = (std::filesystem::temp_directory_path() / "pki-XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
    write("a.crt", first_.certificate_pem);
    write("a.key", first_.key_pem);
    write("ca.crt", authority_.certificate_pem());
  }
  ~Pki() override { std::filesystem::remove_all(directory_); }

  std::string path(const std::string& name) const { return (directory_ / name).string(); }
  void write(const std::string& name, const std::string& content) const {
    // As Kubernetes does: a new file takes the place of the old one.
    std::ofstream(path(name + ".new")) << content;
    std::filesystem::rename(path(name + ".new"), path(name));
  }
  TlsFiles files() const { return {path("a.crt"), path("a.key"), path("ca.crt")}; }

  std::unique_ptr<ReloadingTls> open() const {
    auto tls = ReloadingTls::open(kClock, Role::server, files(), {});
    EXPECT_TRUE(tls) << tls.error().message;
    return tls ? std::move(*tls) : nullptr;
  }
  std::string refusal(const TlsFiles& wrong) const {
    auto tls = ReloadingTls::open(kClock, Role::server, wrong, {});
    return tls ? "accepted" : tls.error().message;
  }

  net::testing::Authority authority_;
  net::testing::Identity first_ = authority_.issue("first", {"first"});
  net::testing::Identity second_ = authority_.issue("second", {"second"});
  std::filesystem::path directory_;
};

using CaBundle = Pki;
using ReloadingTlsTest = Pki;

TEST_F(CaBundle, takes_every_certificate_and_skips_all_else) {
  const std::string text = "Subject: somebody\n" + first_.key_pem + authority_.certificate_pem() +
                           "\nnoise\n" + first_.certificate_pem;
  const auto bundle = parse_ca_bundle(text);
  ASSERT_TRUE(bundle) << bundle.error().message;
  EXPECT_EQ(count_certificates(*bundle), 2U);
}

TEST_F(CaBundle, skips_a_truncated_end) {
  const std::string whole = authority_.certificate_pem();
  const auto bundle = parse_ca_bundle(whole + whole.substr(0, whole.size() / 2));
  ASSERT_TRUE(bundle) << bundle.error().message;
  EXPECT_EQ(count_certificates(*bundle), 1U);
}

TEST_F(CaBundle, skips_a_certificate_with_headers) {
  std::string with_headers = first_.certificate_pem;
  with_headers.insert(with_headers.find('\n') + 1, "Proc-Type: x\n\n");
  const auto bundle = parse_ca_bundle(with_headers + authority_.certificate_pem());
  ASSERT_TRUE(bundle) << bundle.error().message;
  EXPECT_EQ(count_certificates(*bundle), 1U);
}

TEST_F(CaBundle, fails_on_a_malformed_certificate) {
  const std::string malformed = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
  const auto bundle = parse_ca_bundle(authority_.certificate_pem() + malformed);
  ASSERT_FALSE(bundle);
  EXPECT_THAT(bundle.error().message, HasSubstr("certificate 2 is malformed"));
}

TEST_F(CaBundle, fails_without_any_certificate) {
  for (const std::string& text : {std::string(), std::string("noise"), first_.key_pem}) {
    EXPECT_FALSE(parse_ca_bundle(text)) << text;
  }
}

TEST_F(Pki, knows_when_a_certificate_is_valid) {
  const auto validity = check_key_pair(first_.certificate_pem, first_.key_pem);
  ASSERT_TRUE(validity) << validity.error().message;
  EXPECT_THAT(validity->subject, HasSubstr("CN=first"));
  const auto now = std::chrono::system_clock::now();
  EXPECT_LT(validity->not_before, now);
  EXPECT_GT(validity->not_after, now + std::chrono::minutes(50));
  EXPECT_LT(validity->not_after, now + std::chrono::minutes(70));
}

TEST_F(Pki, refuses_an_encrypted_key) {
  const net::BioPtr in(
      BIO_new_mem_buf(first_.key_pem.data(), static_cast<int>(first_.key_pem.size())));
  const net::KeyPtr key(PEM_read_bio_PrivateKey(in.get(), nullptr, nullptr, nullptr));
  const net::BioPtr out(BIO_new(BIO_s_mem()));
  PEM_write_bio_PrivateKey(out.get(), key.get(), EVP_aes_128_cbc(),
                           reinterpret_cast<const unsigned char*>("secret"), 6, nullptr, nullptr);
  char* text = nullptr;
  const long size = BIO_get_mem_data(out.get(), &text);
  const auto result =
      check_key_pair(first_.certificate_pem, {text, static_cast<std::size_t>(size)});
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().message, HasSubstr("encrypted"));
}

TEST_F(ReloadingTlsTest, names_the_file_and_the_reason) {
  EXPECT_THAT(refusal({path("none"), path("a.key"), ""}),
              AllOf(HasSubstr("certificate file " + path("none")), HasSubstr("no such file")));
  EXPECT_THAT(refusal({path("a.crt"), path("none"), ""}), HasSubstr("key file " + path("none")));
  write("b.key", second_.key_pem);
  EXPECT_THAT(refusal({path("a.crt"), path("b.key"), ""}),
              AllOf(HasSubstr(path("b.key")), HasSubstr("does not belong to the certificate")));
  EXPECT_THAT(refusal({path("a.key"), path("a.key"), ""}), HasSubstr("no PEM certificate"));
  EXPECT_THAT(refusal({path("a.crt"), path("a.crt"), ""}),
              HasSubstr("no readable PEM private key"));
  EXPECT_THAT(refusal({path("a.crt"), path("a.key"), path("a.key")}),
              AllOf(HasSubstr("CA file " + path("a.key")), HasSubstr("no PEM certificate")));
}

TEST_F(ReloadingTlsTest, starts_with_an_expired_certificate) {
  const auto expired = authority_.issue("old", {"old"}, -60);
  write("a.crt", expired.certificate_pem);
  write("a.key", expired.key_pem);
  EXPECT_NE(open(), nullptr);
}

TEST_F(ReloadingTlsTest, keeps_one_context_while_nothing_changes) {
  const auto tls = open();
  EXPECT_EQ(tls->current(), tls->current());
}

TEST_F(ReloadingTlsTest, takes_new_files_and_leaves_the_old_context_to_its_connections) {
  const auto tls = open();
  const auto before = tls->current();
  write("a.crt", second_.certificate_pem);
  write("a.key", second_.key_pem);
  const auto after = tls->current();
  EXPECT_NE(before, after);
  EXPECT_EQ(before->role(), Role::server);
  EXPECT_EQ(tls->current(), after);
}

TEST_F(ReloadingTlsTest, waits_for_the_other_half_of_a_pair) {
  const auto tls = open();
  const auto before = tls->current();
  write("a.crt", second_.certificate_pem);
  EXPECT_EQ(tls->current(), before);
  EXPECT_EQ(tls->current(), before);
  write("a.key", second_.key_pem);
  EXPECT_NE(tls->current(), before);
}

TEST_F(ReloadingTlsTest, keeps_the_old_authorities_when_the_file_is_bad_or_gone) {
  const auto tls = open();
  const auto before = tls->current();
  write("ca.crt", "");
  EXPECT_EQ(tls->current(), before);
  std::filesystem::remove(path("ca.crt"));
  EXPECT_EQ(tls->current(), before);
  write("ca.crt", authority_.certificate_pem());
  EXPECT_NE(tls->current(), before);
}

TEST_F(ReloadingTlsTest, needs_no_identity_as_a_client) {
  EXPECT_TRUE(ReloadingTls::open(kClock, Role::client, {"", "", path("ca.crt")}, {}));
}

}  // namespace
}  // namespace pki
