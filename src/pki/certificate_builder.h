#pragma once

#include <chrono>
#include <span>
#include <string>

#include "pki/private_key.h"
#include "pki/x509.h"

namespace pki {

/// Fills in a certificate, extension by extension in the order of the calls, and signs it. For the
/// .cc files of this library. The first failure sticks and is returned by sign().
class CertificateBuilder {
 public:
  CertificateBuilder();

  /// Random, positive, of at most `bits` bits.
  void set_serial(int bits);
  /// Both ends are cut to whole seconds, which is all that a certificate can say.
  void set_validity(std::chrono::system_clock::time_point from,
                    std::chrono::system_clock::time_point to);
  void set_public_key(EVP_PKEY* key);
  void set_subject(const X509_NAME* name);
  /// A subject of a common name and, before it, organizations.
  void set_subject(const std::string& common_name, std::span<const std::string> organizations = {});
  void set_issuer(const X509_NAME* name);
  /// Of a certificate that vouches for itself; after set_subject.
  void set_issuer_to_subject();

  /// `value` as OpenSSL's configuration files write it: "critical,CA:FALSE".
  void add(int nid, const char* value);
  void add(std::span<const ExtendedKeyUsage> usages);
  /// Nothing when there are no names.
  void add(const AltNames& names);
  void add_subject_key_id(std::span<const unsigned char> id);
  /// That of `issuer`, if it has one.
  void add_authority_key_id(X509& issuer);

  base::Result<net::X509Ptr> sign(const PrivateKey& key);

 private:
  void check(bool done, std::string_view what);
  void add(X509_NAME& name, int nid, const std::string& value);

  net::X509Ptr certificate_;
  base::Result<void> state_;
};

}  // namespace pki
