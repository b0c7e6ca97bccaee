#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "base/result.h"

/// PEM texts as values. Errors say what is wrong, not in which file: whoever read it adds that.
namespace pki {

/// The whole file; at most 16 MiB, which no certificate needs.
base::Result<std::string> read_file(const std::string& path);

/// The certificates of a bundle of authorities, as PEM, with all else removed. The rules are those
/// of konnectivity: a block of type CERTIFICATE without headers must hold a certificate; blocks of
/// other types, and what is no PEM, are skipped; no certificate at all is an error.
base::Result<std::string> parse_ca_bundle(std::string_view pem);

/// When the first certificate of a chain is valid.
struct Validity {
  std::string subject;  // "CN=x,O=y"
  std::chrono::system_clock::time_point not_before;
  std::chrono::system_clock::time_point not_after;
};

/// Fails unless `chain_pem` begins with a certificate and `key_pem` holds its key, unencrypted.
base::Result<Validity> check_key_pair(std::string_view chain_pem, std::string_view key_pem);

}  // namespace pki
