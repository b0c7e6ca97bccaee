#include <cstddef>
#include <cstdint>

#include "base/bytes.h"
#include "base/check.h"
#include "pki/pem.h"

/// What a bundle was reduced to is a bundle of the same certificates.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bundle = pki::parse_ca_bundle(base::as_text({data, size}));
  if (bundle) {
    const auto again = pki::parse_ca_bundle(*bundle);
    CHECK(again && *again == *bundle);
  }
  return 0;
}
