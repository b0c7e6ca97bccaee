#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "async/clock.h"
#include "net/tls.h"
#include "pki/tls_files.h"

namespace pki {

/// What tells one content of a file from another without reading it. All zero for a missing file.
struct FileStamp {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::uint64_t size = 0;
  std::int64_t modified = 0;  // nanoseconds since the epoch
  std::int64_t changed = 0;   // of owner, mode or content; nanoseconds since the epoch

  bool operator==(const FileStamp&) const = default;
};
FileStamp stamp_of(const std::string& path);

/// A TLS configuration that follows its files: certificates, keys and authorities are replaced on
/// disk while the program runs.
///
/// Flow: open() once, then current() for every new connection.
/// Guarantees: connections that exist keep what they began with. When the new files cannot be used
///   (half written, a key that does not fit yet), the old configuration stays, the reason is logged
///   once, and the next change of a file is tried again.
/// Thread: any for current(), which reads the files only when their stamps have changed.
class ReloadingTls {
 public:
  /// `options` gives everything but certificate, key and authorities. Fails with Code::invalid or
  /// the system's error, naming file, reason and way out. An expired certificate is only warned of:
  /// its peers decide. `clock` outlives the object.
  static base::Result<std::unique_ptr<ReloadingTls>> open(const async::Clock& clock,
                                                          net::TlsContext::Role role,
                                                          const TlsFiles& files,
                                                          const net::TlsOptions& options);

  std::shared_ptr<const net::TlsContext> current();

 private:
  using Stamps = std::array<FileStamp, 3>;

  ReloadingTls(const async::Clock& clock, net::TlsContext::Role role, TlsFiles files,
               net::TlsOptions options)
      : clock_(clock), role_(role), files_(std::move(files)), options_(std::move(options)) {}

  Stamps stamps() const;
  base::Result<std::shared_ptr<const net::TlsContext>> load() const;
  void reload();

  const async::Clock& clock_;
  net::TlsContext::Role role_;
  TlsFiles files_;
  net::TlsOptions options_;
  std::mutex mutex_;  // of what follows
  Stamps tried_;      // of the files when they were read last, with success or without
  std::shared_ptr<const net::TlsContext> current_;
};

}  // namespace pki
