#include "pki/csr.h"

#include <cstddef>
#include <cstdint>

#include "base/bytes.h"
#include "base/check.h"

/// No request brings the parser down, and what it takes has a key.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto csr = pki::Csr::parse(base::as_text({data, size}));
  if (csr) CHECK(csr->native() != nullptr);
  return 0;
}
