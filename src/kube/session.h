#pragma once

#include <memory>
#include <string>
#include <vector>

#include "async/clock.h"
#include "http/client.h"
#include "http/connector.h"
#include "kube/config.h"
#include "kube/credentials.h"

namespace kube {

/// The connections to an API server that one configuration leads to. Those who use one share it, so
/// that what is under way ends as it began when another configuration comes. Thread: that of the
/// loop.
class Session {
 public:
  using Fields = std::vector<http::HeaderField>;

  /// Code::invalid when the configuration cannot work. Reads no file and makes no connection yet.
  /// The references outlive it.
  static base::Result<std::shared_ptr<Session>> make(async::Loop& loop, async::Clock& clock,
                                                     Config config);

  const Config& config() const { return config_; }
  /// As in Credentials.
  async::Task<Fields> fields() { return credentials_.fields(); }
  void invalidate() { credentials_.invalidate(); }
  /// One attempt: `request` below the path of the server, on a connection made with the newest
  /// credentials. The session must outlive the response.
  async::Task<http::ClientResponse> send(http::ClientRequest request);

 private:
  Session(async::Loop& loop, async::Clock& clock, Config config, const http::Url& url);
  async::Task<void> follow_tls();

  const Config config_;
  std::string base_path_;
  Credentials credentials_;
  std::shared_ptr<const net::TlsContext> tls_in_use_;
  http::NetConnector connector_;
  http::Client http_;
};

}  // namespace kube
