#pragma once

#include <memory>
#include <optional>
#include <string>

#include "async/event.h"
#include "http/h2_connection.h"
#include "tunnel/control_stream.h"
#include "tunnel/server/agent_service.h"
#include "tunnel/server/backend.h"
#include "tunnel/server/context.h"
#include "tunnel/server/path_load.h"

namespace tunnel {

/// A native link of an agent (docs/protocol.md), from its handshake to its end: reversed HTTP/2, on
/// which each dial is a stream. Lives in the coroutine that awaits run(). Thread: that of the loop.
class NativeBackend : public Backend,
                      private http::H2Connection::Handler,
                      private ControlStream::Owner,
                      private DelayLine::Entry {
 public:
  /// The references outlive the link.
  NativeBackend(ServerContext& context, const AgentAdmission& admission,
                std::unique_ptr<net::Stream> stream, AgentPeer peer);
  ~NativeBackend() override;

  /// Asks the agent who it is, lets it in, serves until the link ends. Returns why it ended.
  async::Task<void> run();

  Leg* dial(Leg::Frontend& frontend, const DialRequest& request) override;
  void heard() override;
  bool silent(async::TimePoint now) const override { return answers_.silent(now); }
  std::string_view kind() const override { return "native"; }
  std::optional<async::Duration> round_trip() override {
    return measured(connection_.session().round_trip());
  }
  void tell_draining() override;
  void probe() override;

 private:
  async::Task<void> admit();
  async::Task<void> introduced();
  async::Task<void> wait_for_introduction();
  async::Task<void> wait_for_end();
  async::Task<AgentCredentials> credentials();
  async::Task<void> welcome();
  void enter(AgentCredentials credentials);
  async::Task<void> refuse(base::Error why);
  void leave();
  void ask_for_links();
  void ask_for_links_of_path();

  std::unique_ptr<http::H2StreamHandler> on_request(http::H2Stream&,
                                                    const http::Headers&) override {
    return nullptr;  // agents ask nothing
  }
  void on_ping_acknowledged() override;
  void on_delay_over() override { connection_.session().ping(); }
  void on_goaway(std::uint32_t error) override;
  void on_silence() override;
  void on_voice() override;
  void on_introduction(const http::Headers& headers) override;
  void on_control(const ControlMessage& message) override;
  void on_control_sent() override { changed_.notify_all(); }
  void on_control_over(const std::string& reason) override;

  ServerContext& context_;
  const AgentAdmission& admission_;
  AnswerWatch answers_;
  async::Event changed_;
  std::optional<http::Headers> introduction_;  // until it was read
  std::optional<std::string> over_;            // why the control stream ended
  bool admitted_ = false;
  bool left_ = false;  // it gets no more dials
  bool asked_for_links_ = false;
  PathLoad path_load_;
  std::size_t asked_for_path_ = 1;  // links
  ControlStream* control_ = nullptr;
  http::H2Connection connection_;
};

}  // namespace tunnel
