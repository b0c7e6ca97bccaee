#include "app/client_commands.h"
#include "app/local_ports.h"

namespace app {

using base::Result;

Result<int> run_forward(const ClientConfig& config, const std::vector<Forward>& forwards,
                        const Output& out) {
  TRY(const auto client, Client::make(config));
  LocalPorts ports(*client, out);
  for (const Forward& forward : forwards) {
    TRY_VOID(ports.open(forward.listen, tunnel::local::forward_to(ports.context(), forward.target),
                        {"Forwarding from ", " -> " + forward.target}));
  }
  return client->serve([&](Client&) { return ports.serve(); }, [&] { return ports.stop(); });
}

Result<int> run_proxy(const ClientConfig& config, const LocalProxies& proxies, const Output& out) {
  TRY(const auto client, Client::make(config));
  LocalPorts ports(*client, out);
  const tunnel::local::Credentials credentials{proxies.name, proxies.password};
  if (proxies.socks5) {
    TRY_VOID(
        ports.open(*proxies.socks5, tunnel::local::socks5_proxy(ports.context(), credentials),
                   {"SOCKS5 proxy at ", " (socks5h://, so that names are looked up far away)"}));
  }
  if (proxies.http) {
    TRY_VOID(ports.open(*proxies.http, tunnel::local::http_proxy(ports.context(), credentials),
                        {"HTTP proxy at http://", ""}));
  }
  return client->serve([&](Client&) { return ports.serve(); }, [&] { return ports.stop(); });
}

}  // namespace app
