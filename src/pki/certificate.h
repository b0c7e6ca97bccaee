#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "pki/names.h"

namespace pki {

/// What a certificate says. Nothing of it is verified.
struct Certificate {
  DistinguishedName subject;
  DistinguishedName issuer;
  AltNames alt_names;
  std::vector<ExtendedKeyUsage> extended_key_usages;
  std::chrono::system_clock::time_point not_before;
  std::chrono::system_clock::time_point not_after;
  bool is_authority = false;
  std::string serial;  // hexadecimal, upper case
};

/// The first certificate of `pem`. Fails with Code::invalid when there is none.
base::Result<Certificate> decode_certificate(std::string_view pem);

}  // namespace pki
