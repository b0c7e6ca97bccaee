#pragma once

#include <memory>
#include <string_view>

#include "base/result.h"
#include "pki/names.h"

using X509_REQ = struct X509_req_st;

namespace pki {

/// A certificate signing request whose requester has proven that it holds the key. A value:
/// copies share what was parsed. Thread: any.
class Csr {
 public:
  /// The one PEM block of `pem`, of type CERTIFICATE REQUEST; text around it is ignored. Fails with
  /// Code::invalid and the reason: another type, malformed, a key below 112 bits of strength, a
  /// signature that its own key did not make.
  static base::Result<Csr> parse(std::string_view pem);

  const DistinguishedName& subject() const { return subject_; }
  const AltNames& alt_names() const { return alt_names_; }

  X509_REQ* native() const { return request_.get(); }

 private:
  Csr() = default;
  std::shared_ptr<X509_REQ> request_;
  DistinguishedName subject_;
  AltNames alt_names_;
};

}  // namespace pki
