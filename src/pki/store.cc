#include "pki/store.h"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

#include "pki/identity.h"
#include "pki/pem.h"

namespace pki {
namespace {

namespace fs = std::filesystem;
using base::Code;
using base::fail;
using base::Result;

constexpr std::string_view kAuthority = "ca";
constexpr mode_t kPublicFile = 0644;
constexpr mode_t kSecretFile = 0600;
constexpr mode_t kFolder = 0700;

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int number() const { return number_; }

 private:
  int number_;
};

Result<void> write_all(int file, std::string_view text, const std::string& path) {
  while (!text.empty()) {
    const ssize_t count = ::write(file, text.data(), text.size());
    if (count < 0) return fail(base::system_error(errno, "write").within(path));
    text.remove_prefix(static_cast<std::size_t>(count));
  }
  if (::fsync(file) != 0) return fail(base::system_error(errno, "write to disk").within(path));
  return {};
}

// Never there with another mode than its own, whatever the umask.
Result<void> write_new(const std::string& path, std::string_view text, mode_t mode) {
  const Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
  if (file.number() < 0 && errno == EEXIST) {
    return fail(
        Code::already_exists,
        fmt::format("{} exists and is not overwritten; renew it, or give another name", path));
  }
  if (file.number() < 0) return fail(base::system_error(errno, "create").within(path));
  if (::fchmod(file.number(), mode) != 0)
    return fail(base::system_error(errno, "set the mode").within(path));
  return write_all(file.number(), text, path);
}

Result<void> replace(const std::string& path, std::string_view text, mode_t mode) {
  const std::string fresh = path + ".new";
  ::unlink(fresh.c_str());  // of a run that was cut off
  TRY_VOID(write_new(fresh, text, mode));
  if (::rename(fresh.c_str(), path.c_str()) != 0)
    return fail(base::system_error(errno, "replace").within(path));
  return {};
}

Result<void> make_folder(const std::string& folder) {
  if (::mkdir(folder.c_str(), kFolder) == 0) {
    ::chmod(folder.c_str(), kFolder);
    return {};
  }
  if (errno != EEXIST) return fail(base::system_error(errno, "make the folder").within(folder));
  struct stat info{};
  if (::stat(folder.c_str(), &info) != 0 || !S_ISDIR(info.st_mode))
    return fail(Code::invalid, folder + " is no folder");
  if ((info.st_mode & 0077) != 0) {
    return fail(Code::invalid,
                fmt::format("folder {} is open to others, and keys are to be in it: chmod 700 {}",
                            folder, folder));
  }
  return {};
}

bool exists(const std::string& path) {
  std::error_code ignored;
  return fs::exists(fs::symlink_status(path, ignored));
}

LeafSpec spec_of(const Certificate& certificate) {
  const auto life = certificate.not_after - certificate.not_before;
  return {.common_name = certificate.subject.common_name,
          .organizations = certificate.subject.organizations,
          .alt_names = certificate.alt_names,
          .usages = certificate.extended_key_usages,
          .life = std::chrono::duration_cast<std::chrono::seconds>(life)};
}

}  // namespace

Result<void> check_store_name(std::string_view name) {
  const auto fine = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("-_.").contains(c);
  };
  if (!name.empty() && !name.starts_with('.') && std::ranges::all_of(name, fine)) return {};
  return fail(Code::invalid,
              fmt::format("\"{}\" cannot be the name of a file here: letters, digits, '-', '_' and "
                          "'.', which must not come first",
                          name));
}

std::string Store::path(const std::string& name, std::string_view ending) const {
  return fmt::format("{}/{}{}", folder_, name, ending);
}

Result<Store> Store::create(const std::string& folder, const std::string& name, Time now) {
  TRY_VOID(make_folder(folder));
  TRY(auto authority, CertificateAuthority::create(name, now));
  Store store(folder, std::move(authority));
  for (const auto& path : {store.key_path("ca"), store.certificate_path("ca")}) {
    if (exists(path)) {
      return fail(Code::already_exists,
                  fmt::format("{} has a certificate authority already ({}), which is not "
                              "overwritten; give another --dir",
                              folder, path));
    }
  }
  TRY_VOID(write_new(store.key_path("ca"), store.authority_.key().pkcs8_pem(), kSecretFile));
  TRY_VOID(
      write_new(store.certificate_path("ca"), store.authority_.certificate_pem(), kPublicFile));
  return store;
}

Result<Store> Store::open(const std::string& folder) {
  const std::string base = folder + "/ca";
  if (!exists(base + ".crt")) {
    return fail(Code::not_found,
                fmt::format("{} has no certificate authority (ca.crt, ca.key); make one with: "
                            "cluster-proxy pki init --dir {}",
                            folder, folder));
  }
  TRY(const std::string certificate, read_file(base + ".crt"));
  if (!exists(base + ".key")) {
    auto shown = CertificateAuthority::load_without_key(certificate);
    if (!shown) return fail(std::move(shown).error().within(base + ".crt"));
    return Store(folder, *std::move(shown));
  }
  TRY(const std::string key, read_file(base + ".key"));
  auto authority = CertificateAuthority::load(certificate, key);
  if (!authority) return fail(std::move(authority).error().within(folder));
  return Store(folder, *std::move(authority));
}

// Where the key is kept offline, there is still much to look at.
Result<void> Store::check_key() const {
  if (authority_.has_key()) return {};
  return fail(Code::not_found,
              fmt::format("the authority's key, {}, is not here: bring it back to issue and renew "
                          "certificates, or do that where it is",
                          key_path(std::string(kAuthority))));
}

Result<void> Store::issue(const std::string& name, const LeafSpec& spec, Time now) const {
  TRY_VOID(check_store_name(name));
  TRY_VOID(check_key());
  if (name == kAuthority)
    return fail(Code::invalid, "\"ca\" is the name of the authority's files; give another --name");
  for (const auto& path : {key_path(name), certificate_path(name)}) {
    if (exists(path)) {
      return fail(Code::already_exists,
                  fmt::format("{} exists and is not overwritten; renew it with: cluster-proxy pki "
                              "renew {}, or give another --name",
                              path, name));
    }
  }
  TRY(const auto issued, authority_.issue(spec, now));
  TRY_VOID(write_new(key_path(name), issued.key_pem, kSecretFile));
  return write_new(certificate_path(name), issued.chain_pem, kPublicFile);
}

Result<void> Store::renew(const std::string& name, std::optional<std::chrono::seconds> life,
                          Time now) const {
  TRY_VOID(check_store_name(name));
  TRY_VOID(check_key());
  if (name == kAuthority) {
    return fail(Code::invalid,
                "the authority is not renewed: make a new one in another folder, let both be "
                "trusted for a while (ca.crt files can be joined), and issue anew");
  }
  if (!exists(certificate_path(name)))
    return fail(Code::not_found, fmt::format("there is no {}", certificate_path(name)));
  TRY(const std::string old_pem, read_file(certificate_path(name)));
  auto old_certificate = decode_certificate(old_pem);
  if (!old_certificate)
    return fail(std::move(old_certificate).error().within(certificate_path(name)));
  LeafSpec spec = spec_of(*old_certificate);
  if (std::ranges::count(spec.usages, ExtendedKeyUsage::other) > 0) {
    return fail(Code::invalid,
                fmt::format("{} has usages that are not issued here; it is not renewed",
                            certificate_path(name)));
  }
  if (life) spec.life = *life;
  TRY(const auto issued, authority_.issue(spec, now));
  TRY_VOID(replace(key_path(name), issued.key_pem, kSecretFile));
  return replace(certificate_path(name), issued.chain_pem, kPublicFile);
}

Result<std::vector<std::string>> Store::names() const {
  std::vector<std::string> found;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder_, error)) {
    const fs::path& file = entry.path();
    if (file.extension() == ".crt" && file.stem() != kAuthority) found.push_back(file.stem());
  }
  if (error) return fail(base::system_error(error.value(), "read the folder").within(folder_));
  std::ranges::sort(found);
  found.insert(found.begin(), std::string(kAuthority));
  return found;
}

StoredCertificate Store::look_at(const std::string& name) const {
  StoredCertificate found{.name = name};
  const auto pem = read_file(certificate_path(name));
  if (!pem) {
    found.problem = pem.error().message;
    return found;
  }
  auto certificate = decode_certificate(*pem);
  if (!certificate) {
    found.problem = certificate.error().message;
    return found;
  }
  found.role = role_of(*certificate);
  found.clusters = clusters_named(certificate->alt_names.uris);
  found.by_authority = authority_.has_signed(*pem);
  if (const auto key = read_file(key_path(name)))
    found.key_fits = check_key_pair(*pem, *key).has_value();
  found.certificate = *std::move(certificate);
  return found;
}

std::string_view to_string(Role role) {
  switch (role) {
    case Role::authority:
      return "authority";
    case Role::server:
      return "server";
    case Role::agent:
      return "agent";
    case Role::client:
      return "client";
    case Role::other:
      return "other";
  }
  return "other";
}

Role role_of(const Certificate& certificate) {
  if (certificate.is_authority) return Role::authority;
  const auto may = [&](ExtendedKeyUsage usage) {
    return std::ranges::count(certificate.extended_key_usages, usage) > 0;
  };
  if (may(ExtendedKeyUsage::server_auth)) return Role::server;
  if (!may(ExtendedKeyUsage::client_auth)) return Role::other;
  return clusters_named(certificate.alt_names.uris).empty() ? Role::client : Role::agent;
}

}  // namespace pki
