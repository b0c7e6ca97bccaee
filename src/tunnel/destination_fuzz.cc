#include "tunnel/destination.h"

#include <cstddef>
#include <cstdint>

#include "base/bytes.h"
#include "base/check.h"

/// A pattern that is understood has one meaning: what it matches as a target it matches as the
/// address of that target, and written again it is the same.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input = base::as_text({data, size});
  const std::size_t cut = std::min(input.find('\n'), input.size());
  const auto pattern = tunnel::DestinationPattern::parse(input.substr(0, cut));
  if (!pattern) return 0;
  CHECK(tunnel::DestinationPattern::parse(pattern->text()));
  const std::string host(input.substr(std::min(cut + 1, input.size())));
  const net::HostPort target{host, 443};
  const bool matches = pattern->matches(target);
  boost::system::error_code error;
  const auto address = boost::asio::ip::make_address(host, error);
  if (!error) CHECK(pattern->matches(address, 443) == matches);
  const tunnel::DestinationRules denied({}, {*pattern});
  CHECK(denied.check_target(target).has_value() == !matches);
  return 0;
}
