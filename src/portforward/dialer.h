#pragma once

#include <memory>
#include <string>

#include "http/client.h"
#include "kube/client.h"

namespace portforward {

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
  /// `client` speaks HTTP/1.1 only (kube::Config) and outlives the dialer.
  explicit ApiDialer(kube::Client& client) : client_(client) {}

  /// Errors have the API server's reason: Code::not_found for a pod that has gone.
  async::Task<http::UpgradedConnection> dial(PodName pod) override;

  enum class Transport { unknown, websocket, spdy };
  Transport transport() const { return transport_; }

 private:
  async::Task<http::UpgradedConnection> dial_websocket(std::string path);
  async::Task<http::UpgradedConnection> dial_spdy(std::string path);

  kube::Client& client_;
  Transport transport_ = Transport::unknown;
};

}  // namespace portforward
