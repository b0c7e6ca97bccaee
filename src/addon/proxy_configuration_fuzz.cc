#include <cstdint>
#include <string_view>

#include "addon/certificates.h"
#include "addon/proxy_server.h"

// Any JSON object is a configuration that is refused with reasons, or one that objects can be made
// from.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto value = kube::parse_json({reinterpret_cast<const char*>(data), size});
  if (!value || !value->is_object()) return 0;
  const auto configuration = addon::read_proxy_configuration(value->get_object());
  if (!addon::validate(configuration).empty()) return 0;
  const addon::TlsProfile tls;
  const auto objects = addon::proxy_server_objects(
      {.configuration = configuration, .tls = tls, .ca_pem = "ca", .image_pull_policy = "Always"});
  if (objects.size() != 6) __builtin_trap();
  if (addon::wanted_certificates(configuration, "").size() < 3) __builtin_trap();
  return 0;
}
