#pragma once

#include <string>
#include <vector>

namespace http {

/// A header or pseudo-header field; names in lower case.
struct HeaderField {
  std::string name;
  std::string value;
};
using Headers = std::vector<HeaderField>;

}  // namespace http
