#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tunnel/client/dialer.h"
#include "tunnel/testing/h2_peer.h"
#include "tunnel/testing/native_fixture.h"

namespace tunnel::client::testing {

/// A tunnel server in this process, whose one agent is the test, and frontends of it at the other
/// ends of cables. The clock stands still.
class FrontendWorld : public Entrance {
 public:
  enum class Frontend { http1, http2, grpc };

  explicit FrontendWorld(Frontend kind);
  ~FrontendWorld() override;

  /// Connections to the server look as if TLS had agreed on this; "" = in the clear.
  std::string alpn;
  /// What is there from now on instead of a server: it says this and hears nothing.
  std::optional<std::string> stranger;
  /// Connections cannot be made from now on.
  std::optional<base::Error> unreachable;

  /// Connections are neither made nor fail from now on.
  bool hangs = false;

  void dial(Dialer& dialer, const std::string& target);
  /// The outcome of dial() number `index`, once it is there.
  DialResult& result(std::size_t index = 0);
  bool settled(std::size_t index);
  /// The agent's end of the connection of dial() number `index`.
  tunnel::testing::H2PeerStream& target(std::size_t index = 0);
  /// The agent accepts it; the result is a hand on the client's end.
  tunnel::testing::Wire& establish(Dialer& dialer, const std::string& target);
  void lose_agent();
  /// How often somebody connected to the server.
  std::size_t connections() const { return cables_.size(); }
  net::testing::Cable& cable(std::size_t index) { return *cables_[index]; }

  tunnel::testing::NativeWorld world;

 private:
  async::Task<Connection> connect() override;
  const std::string& name() const override { return name_; }
  static async::Task<void> keep(Dialer& dialer, std::string target,
                                std::optional<DialResult>& result);
  static async::Task<void> serve(FrontendWorld& world, std::unique_ptr<net::Stream> stream);
  static async::Task<void> serve_http1(FrontendWorld& world, std::unique_ptr<net::Stream> stream);

  std::string name_ = "hub:8090";
  Frontend kind_;
  std::unique_ptr<tunnel::testing::H2Peer> agent_;
  std::vector<std::unique_ptr<net::testing::Cable>> cables_;
  std::vector<std::unique_ptr<std::optional<DialResult>>> results_;
};

}  // namespace tunnel::client::testing
