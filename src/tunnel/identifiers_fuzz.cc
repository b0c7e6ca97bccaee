#include "tunnel/identifiers.h"

#include <cstddef>
#include <cstdint>

#include "base/bytes.h"
#include "base/check.h"

/// Whatever an agent may refuse, a server accepts only with the same meaning.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view query = base::as_text({data, size});
  const auto strict = tunnel::parse_identifiers(query, tunnel::UnknownKeys::refuse);
  const auto lenient = tunnel::parse_identifiers(query, tunnel::UnknownKeys::ignore);
  if (strict) CHECK(lenient && *lenient == *strict);
  if (lenient) {
    for (const std::string& host : lenient->host) CHECK(host.size() <= size);
  }
  return 0;
}
