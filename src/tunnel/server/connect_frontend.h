#pragma once

#include <memory>
#include <optional>
#include <string>

#include "async/event.h"
#include "net/stream.h"
#include "tunnel/relay.h"
#include "tunnel/server/client_rules.h"
#include "tunnel/server/connect_request.h"
#include "tunnel/server/context.h"
#include "tunnel/server/leg.h"

namespace tunnel {

/// One client connection in mode http-connect: dials what it has asked for through an agent, then
/// carries bytes both ways. Lives in the coroutine that awaits run(). Thread: that of the loop.
class ConnectFrontend : private Leg::Frontend, private Relay::Listener {
 public:
  ConnectFrontend(ServerContext& context, std::unique_ptr<net::Stream> stream, Client client,
                  ConnectRequest request);
  ~ConnectFrontend() override;

  async::Task<void> run();

 private:
  enum class Phase { dialing, established, failed, closed };

  async::Task<void> dial(std::string target);
  async::Task<void> wait_for_answer();
  async::Task<void> wait_for_news();
  async::Task<void> wait_until_gone();
  void read_early();
  void answered(Phase phase);
  void send_early();
  async::Task<void> reply(std::string text);
  async::Task<void> close();

  void on_dialed(Leg& leg) override;
  void on_dial_failed(Leg& leg, DialFailure reason, const std::string& error) override;
  void on_bytes(Leg& leg, base::Pieces pieces, base::Bytes packet) override;
  void on_target_done(Leg& leg) override;
  void on_closed(Leg& leg, const std::string& error, bool truncated) override;
  void on_overload(Leg& leg, const std::string& reason) override;
  void on_room(Leg& leg) override;
  std::string client_name() const override { return client_.name; }

  void on_read_end(Relay::ReadEnd end) override;
  void on_written(std::size_t count) override;
  void on_read(std::size_t count) override;
  void release_leg();

  ServerContext& context_;
  std::unique_ptr<net::Stream> stream_;
  Client client_;
  async::Event changed_;
  Phase phase_ = Phase::dialing;
  Leg* leg_ = nullptr;
  std::string failure_reply_;
  std::string target_;
  std::string early_;         // bytes of the tunnel that came before the answer
  bool requested_ = false;    // a CONNECT was read
  bool client_done_ = false;  // said its end while dialing
  bool client_gone_ = false;
  bool truncated_ = false;
  std::optional<Relay> relay_;
};

}  // namespace tunnel
