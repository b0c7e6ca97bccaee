#pragma once

#include <memory>
#include <optional>
#include <string>

#include "async/event.h"
#include "async/task_group.h"
#include "http/h2_connection.h"
#include "tunnel/agent/context.h"
#include "tunnel/agent/link_protocol.h"
#include "tunnel/control_stream.h"

namespace tunnel {

/// The agent's end of the native link (docs/protocol.md): the HTTP/2 server, to which each dial is
/// a CONNECT stream.
class NativeLink : public LinkProtocol,
                   private http::H2Connection::Handler,
                   private ControlStream::Owner {
 public:
  /// The references must outlive the link.
  NativeLink(AgentContext& context, Listener& listener, Introduction introduction);
  ~NativeLink() override;

  async::Task<void> run(std::unique_ptr<net::Stream> stream) override;
  void disconnect() override { http_.reset(); }
  void drain() override;
  void stop() override { tasks_.cancel(); }
  async::Task<void> until_idle() override { return tasks_.until_empty(); }
  async::Awaitable<void> join() override { return tasks_.join(); }

 private:
  async::Task<void> wait_for_welcome();
  async::Task<void> watch_server();
  async::Task<void> wait_for_end();
  base::Result<void> read_introduction(const http::Headers& headers);
  http::Headers answer() const;
  std::unique_ptr<http::H2StreamHandler> open_control(http::H2Stream& stream,
                                                      const http::Headers& headers);
  std::unique_ptr<http::H2StreamHandler> open_connection(http::H2Stream& stream,
                                                         const http::Headers& headers);
  void end(base::Error why);

  std::unique_ptr<http::H2StreamHandler> on_request(http::H2Stream& stream,
                                                    const http::Headers& headers) override;
  void on_goaway(std::uint32_t) override { listener_.on_going_away(); }
  void on_silence() override { listener_.on_silence(); }
  void on_voice() override { listener_.on_voice(); }
  void on_control(const ControlMessage& message) override;
  void on_control_over(const std::string& reason) override;

  AgentContext& context_;
  Listener& listener_;
  Introduction introduction_;
  Welcome welcome_;
  async::Duration ping_interval_{};
  bool welcomed_ = false;
  std::optional<base::Error> ended_;
  ControlStream* control_ = nullptr;
  async::Event changed_;
  std::unique_ptr<http::H2Connection> http_;
  async::TaskGroup tasks_;
};

}  // namespace tunnel
