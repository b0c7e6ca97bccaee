#include "tunnel/server/client_rules.h"

#include <cstddef>
#include <cstdint>

#include "base/bytes.h"
#include "base/check.h"

/// A rule that is understood can be asked anything, and is not understood otherwise with an empty
/// part behind it.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input = base::as_text({data, size});
  const std::size_t cut = std::min(input.find('\n'), input.size());
  const std::string text(input.substr(0, cut));
  const auto rule = tunnel::ClientRule::parse(text);
  if (!rule) return 0;
  const auto again = tunnel::ClientRule::parse(text + ";");
  CHECK(again);
  pki::Certificate certificate;
  certificate.subject.common_name = input.substr(std::min(cut + 1, input.size()));
  CHECK(rule->names(&certificate) == again->names(&certificate));
  CHECK(rule->names(nullptr) == again->names(nullptr));
  const net::HostPort target{certificate.subject.common_name, 443};
  CHECK(rule->leads_to(target, "c1") == again->leads_to(target, "c1"));
  return 0;
}
