#pragma once

#include <string>
#include <vector>

namespace net::testing {

struct Identity {
  std::string certificate_pem;
  std::string key_pem;
};

/// A certificate authority made for one test.
class Authority {
 public:
  Authority();
  const std::string& certificate_pem() const { return ca_.certificate_pem; }
  /// A certificate with common name `name` and `names` (DNS names or addresses) as alternatives,
  /// valid from an hour ago for `valid_seconds` from now.
  Identity issue(const std::string& name, const std::vector<std::string>& names,
                 long valid_seconds = 3600) const;

 private:
  Identity ca_;
};

}  // namespace net::testing
