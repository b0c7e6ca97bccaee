#include "pki/digest.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <openssl/sha.h>

namespace pki {

std::string sha256(std::string_view bytes) {
  std::string digest(SHA256_DIGEST_LENGTH, '\0');
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
         reinterpret_cast<unsigned char*>(digest.data()));
  return digest;
}

std::string sha256_hex(std::string_view bytes) {
  std::string text;
  for (const char byte : sha256(bytes))
    text += fmt::format("{:02x}", static_cast<unsigned char>(byte));
  return text;
}

}  // namespace pki
