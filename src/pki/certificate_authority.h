#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "pki/csr.h"
#include "pki/names.h"
#include "pki/private_key.h"

using X509 = struct x509_st;

namespace pki {

/// The longest life of what an authority issues.
inline constexpr auto kLongestLife = std::chrono::hours(24 * 180);

/// Who a new certificate is for.
struct LeafRequest {
  std::vector<std::string> hosts;  // names and addresses; the least one becomes the common name
  std::vector<ExtendedKeyUsage> usages;
};

struct IssuedCertificate {
  std::string chain_pem;  // the leaf, then the authority
  std::string key_pem;
};

/// A new certificate with a new key, said in full.
struct LeafSpec {
  std::string common_name;
  std::vector<std::string> organizations;
  AltNames alt_names;
  std::vector<ExtendedKeyUsage> usages;
  std::chrono::seconds life;  // cut at the authority's own end

  bool operator==(const LeafSpec&) const = default;
};

/// What a certificate gets that a request asks for; all else in the request is dropped.
struct SigningPolicy {
  std::vector<ExtendedKeyUsage> usages;
  AltNames alt_names;
};

/// A certificate with its key that vouches for others. A value: copies share what never changes.
/// Times are given, so that callers own the clock. Thread: any.
class CertificateAuthority {
 public:
  using Time = std::chrono::system_clock::time_point;

  /// A new self-signed one for ten years, with `name` as common name and as DNS name.
  static base::Result<CertificateAuthority> create(const std::string& name, PrivateKey key,
                                                   Time now);
  /// The same with a new RSA 2048 key, which takes its time.
  static base::Result<CertificateAuthority> create(const std::string& name, Time now);
  /// The first certificate of `certificate_pem` with its key, RSA or EC, in any encoding that
  /// PrivateKey::parse takes. Fails with Code::invalid when they do not fit, or when the
  /// certificate may not vouch for others.
  static base::Result<CertificateAuthority> load(std::string_view certificate_pem,
                                                 std::string_view key_pem);

  /// The same to look at what it has signed, where the key is elsewhere: it cannot issue or sign.
  static base::Result<CertificateAuthority> load_without_key(std::string_view certificate_pem);

  /// The certificate encoded anew: lines of 64 characters, LF, nothing around it. Hashes of it
  /// therefore do not depend on how the file was written.
  const std::string& certificate_pem() const { return certificate_pem_; }
  bool has_key() const { return key_.has_value(); }
  const PrivateKey& key() const { return *key_; }
  Time not_after() const;

  /// A certificate with a new key, EC P-256 in PKCS#8, from a minute ago, for clocks that are
  /// behind. Fails with Code::invalid when the authority has ended.
  base::Result<IssuedCertificate> issue(const LeafSpec& spec, Time now) const;

  /// A certificate for `key`, which is RSA and is written in PKCS#1, from a second ago until 180
  /// days from now or two seconds before the authority's own end. Fails with Code::invalid when the
  /// authority has less left.
  base::Result<IssuedCertificate> issue(const LeafRequest& request, const PrivateKey& key,
                                        Time now) const;

  /// Whether the certificate at the front of `chain_pem` was signed by this authority.
  bool has_signed(std::string_view chain_pem) const;

  /// One PEM certificate for the key and, byte for byte, the subject of `request`; from now for
  /// 180 days or until the authority's own end. Fails with Code::invalid when that has passed.
  base::Result<std::string> sign(const Csr& request, const SigningPolicy& policy, Time now) const;

  /// Why the certificate at the front of `chain_pem` has to be issued again for `hosts`, or
  /// nothing: unreadable, expired, past four fifths of its life, by another authority, other names.
  std::optional<std::string> renewal_reason(std::string_view chain_pem,
                                            const std::vector<std::string>& hosts, Time now) const;

 private:
  CertificateAuthority(std::shared_ptr<X509> certificate, std::optional<PrivateKey> key);

  std::optional<std::string> trust_problem(X509& certificate) const;

  std::shared_ptr<X509> certificate_;
  std::optional<PrivateKey> key_;
  std::string certificate_pem_;
};

}  // namespace pki
