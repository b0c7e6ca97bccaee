#include "pki/reloading_tls.h"

#include <chrono>
#include <sys/stat.h>

#include <fmt/format.h>

#include "base/log.h"
#include "pki/pem.h"

namespace pki {
namespace {

using base::Error;
using base::Result;

std::int64_t nanoseconds(const timespec& time) {
  return static_cast<std::int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
}

/// `error` as one sentence: where, why, and what to do about it.
std::unexpected<Error> explain(Error error, std::string_view where, std::string_view way_out) {
  error.message = fmt::format("{}: {}; {}", where, error.message, way_out);
  return base::fail(std::move(error));
}

Result<std::string> read_named(std::string_view what, const std::string& path) {
  auto content = read_file(path);
  if (content) return content;
  return explain(std::move(content).error(), fmt::format("{} file {}", what, path),
                 "check the path, the mount and the permissions");
}

void warn_of_time(const std::string& path, const Validity& validity,
                  std::chrono::system_clock::time_point now) {
  if (now > validity.not_after) {
    LOG_WARN("certificate expired: peers will refuse it; renew it, it is then read by itself",
             {"file", path}, {"subject", validity.subject});
  } else if (now < validity.not_before) {
    LOG_WARN("certificate not valid yet: peers will refuse it; check the clock of this machine",
             {"file", path}, {"subject", validity.subject});
  }
}

Result<void> load_identity(const async::Clock& clock, const TlsFiles& files,
                           net::TlsOptions& options) {
  if (files.certificate.empty()) return {};
  TRY(options.certificate_chain_pem, read_named("certificate", files.certificate));
  TRY(options.private_key_pem, read_named("key", files.key));
  auto validity = check_key_pair(options.certificate_chain_pem, options.private_key_pem);
  if (!validity) {
    return explain(std::move(validity).error(),
                   fmt::format("certificate {} and key {}", files.certificate, files.key),
                   "give a PEM certificate and its own PEM key");
  }
  warn_of_time(files.certificate, *validity, clock.wall_now());
  return {};
}

Result<void> load_authorities(const TlsFiles& files, net::TlsOptions& options) {
  if (files.ca.empty()) return {};
  TRY(const std::string bundle, read_named("CA", files.ca));
  auto authorities = parse_ca_bundle(bundle);
  if (!authorities) {
    return explain(std::move(authorities).error(), fmt::format("CA file {}", files.ca),
                   "give the PEM certificates of the authorities to trust");
  }
  options.trusted_ca_pem = *std::move(authorities);
  return {};
}

}  // namespace

FileStamp stamp_of(const std::string& path) {
  struct stat info{};
  if (path.empty() || ::stat(path.c_str(), &info) != 0) return {};
  return {.device = info.st_dev,
          .inode = info.st_ino,
          .size = static_cast<std::uint64_t>(info.st_size),
          .modified = nanoseconds(info.st_mtim),
          .changed = nanoseconds(info.st_ctim)};
}

Result<std::unique_ptr<ReloadingTls>> ReloadingTls::open(const async::Clock& clock,
                                                         net::TlsContext::Role role,
                                                         const TlsFiles& files,
                                                         const net::TlsOptions& options) {
  std::unique_ptr<ReloadingTls> tls(new ReloadingTls(clock, role, files, options));
  tls->tried_ = tls->stamps();
  TRY(tls->current_, tls->load());
  return tls;
}

std::shared_ptr<const net::TlsContext> ReloadingTls::current() {
  const std::lock_guard lock(mutex_);
  if (stamps() != tried_) reload();
  return current_;
}

ReloadingTls::Stamps ReloadingTls::stamps() const {
  return {stamp_of(files_.certificate), stamp_of(files_.key), stamp_of(files_.ca)};
}

void ReloadingTls::reload() {
  // Before reading: a file that changes while it is read is then read again.
  tried_ = stamps();
  auto loaded = load();
  if (!loaded) {
    LOG_WARN("changed TLS files cannot be used; the old ones stay in use",
             {"reason", loaded.error()});
    return;
  }
  current_ = *std::move(loaded);
  LOG_INFO("TLS files reloaded", {"certificate", files_.certificate}, {"ca", files_.ca});
}

Result<std::shared_ptr<const net::TlsContext>> ReloadingTls::load() const {
  net::TlsOptions options = options_;
  TRY_VOID(load_identity(clock_, files_, options));
  TRY_VOID(load_authorities(files_, options));
  return net::TlsContext::make(role_, options);
}

}  // namespace pki
