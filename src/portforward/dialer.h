#pragma once

#include <memory>
#include <string>

#include "http/client.h"
#include "kube/client.h"

namespace portforward {

/// Where the client of the API server comes from at the moment: configurations change.
class ClientSource {
 public:
  virtual ~ClientSource() = default;
  virtual std::shared_ptr<kube::Client> client() = 0;
};

struct PodName {
  std::string in_namespace;
  std::string name;

  auto operator<=>(const PodName&) const = default;
};

/// Opens a connection to a pod on which SPDY/3.1 is spoken. An interface so that tests do without
/// an API server.
class Dialer {
 public:
  virtual ~Dialer() = default;
  virtual async::Task<http::UpgradedConnection> dial(PodName pod) = 0;
};

/// Through the API server: SPDY within a WebSocket where it offers that (Kubernetes 1.31), which
/// passes more proxies, else SPDY itself. Which one worked is remembered. Thread: that of the loop.
class ApiDialer : public Dialer {
 public:
  /// `source` outlives the dialer.
  explicit ApiDialer(ClientSource& source) : source_(source) {}

  /// Errors have the API server's reason: Code::not_found for a pod that has gone.
  async::Task<http::UpgradedConnection> dial(PodName pod) override;

  enum class Transport { unknown, websocket, spdy };
  Transport transport() const { return transport_; }

 private:
  async::Task<http::UpgradedConnection> dial_websocket(kube::Client& client, std::string path);
  async::Task<http::UpgradedConnection> dial_spdy(kube::Client& client, std::string path);

  ClientSource& source_;
  Transport transport_ = Transport::unknown;
};

}  // namespace portforward
