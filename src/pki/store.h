#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "pki/certificate.h"
#include "pki/certificate_authority.h"

namespace pki {

/// What a certificate of a Store is for.
enum class Role { authority, server, agent, client, other };
std::string_view to_string(Role role);
/// By its key usages, and the cluster that it names.
Role role_of(const Certificate& certificate);

/// What there is to know about one certificate of a Store.
struct StoredCertificate {
  std::string name;  // of its files, without ".crt"
  Role role = Role::other;
  Certificate certificate;
  std::vector<std::string> clusters;  // that it names
  bool by_authority = false;          // signed by the store's own
  std::optional<bool> key_fits;       // none: there is no key file
  std::string problem;                // why the file cannot be read; then nothing else counts
};

/// A folder with a certificate authority and what it has issued, for installations without
/// Kubernetes: ca.crt and ca.key, NAME.crt and NAME.key. The folder is for its owner only (0700),
/// and so are the keys (0600). Nothing is overwritten but by renew(). Thread: one at a time.
class Store {
 public:
  using Time = std::chrono::system_clock::time_point;
  using Hosts = std::vector<std::string>;
  static constexpr std::chrono::seconds kLife = std::chrono::hours(24 * 365);

  /// A new folder with a new authority called `name`. Fails with Code::already_exists when there is
  /// an authority; a folder that is there already and has none is used.
  static base::Result<Store> create(const std::string& folder, const std::string& name, Time now);
  /// Fails with Code::not_found when there is no authority, with the way to make one. Without the
  /// authority's key, which may be kept elsewhere, nothing can be issued or renewed.
  static base::Result<Store> open(const std::string& folder);

  /// NAME.crt and NAME.key. Fails with Code::already_exists when one of them is there.
  base::Result<void> issue(const std::string& name, const LeafSpec& spec, Time now) const;
  /// A new certificate with a new key, for the same subject, names and usages; for as long as
  /// the old one, unless `life` says otherwise. Each file is replaced as a whole, the key first.
  base::Result<void> renew(const std::string& name, std::optional<std::chrono::seconds> life,
                           Time now) const;

  /// The names of what is there, in order of the alphabet; the authority's first.
  base::Result<std::vector<std::string>> names() const;
  StoredCertificate look_at(const std::string& name) const;

  const CertificateAuthority& authority() const { return authority_; }
  std::string certificate_path(const std::string& name) const { return path(name, ".crt"); }
  std::string key_path(const std::string& name) const { return path(name, ".key"); }

 private:
  Store(std::string folder, CertificateAuthority authority)
      : folder_(std::move(folder)), authority_(std::move(authority)) {}
  std::string path(const std::string& name, std::string_view ending) const;
  base::Result<void> check_key() const;

  std::string folder_;
  CertificateAuthority authority_;
};

/// Certificates for the parts. Errors (Code::invalid) say what a name has to be.
///
/// A server known by `hosts`, names and addresses.
base::Result<LeafSpec> server_spec(const Store::Hosts& hosts, std::chrono::seconds life);
/// The agents of one cluster. `cluster` is a DNS label, since names below it are the cluster's own.
base::Result<LeafSpec> agent_spec(const std::string& cluster, std::chrono::seconds life);
base::Result<LeafSpec> client_spec(const std::string& name,
                                   const std::vector<std::string>& organizations,
                                   std::chrono::seconds life);

/// Names of files: letters, digits, '.', '-' and '_', not beginning with a dot. Code::invalid.
base::Result<void> check_store_name(std::string_view name);

/// For people: one paragraph a certificate, with what is wrong and the way out.
std::string describe(const std::vector<StoredCertificate>& certificates, Store::Time now);
/// For programs: a JSON array, one object a certificate (docs/standalone.md).
std::string describe_json(const std::vector<StoredCertificate>& certificates, Store::Time now);

}  // namespace pki
