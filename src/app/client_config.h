#pragma once

#include <string>

#include "async/clock.h"
#include "base/log.h"
#include "pki/tls_files.h"
#include "tunnel/client/entrance.h"

namespace app {

/// How commands of the client reach the server: validated values.
struct ClientConfig {
  std::string server;  // "host:port", or the path of a Unix socket
  bool tls = true;
  pki::TlsFiles files;      // what the client shows and trusts
  std::string server_name;  // that the server's certificate has to carry; "" = the host of `server`
  tunnel::client::Protocol protocol = tunnel::client::Protocol::automatic;
  async::Duration dial_limit = std::chrono::seconds(30);
  base::log::Options log;
};

}  // namespace app
