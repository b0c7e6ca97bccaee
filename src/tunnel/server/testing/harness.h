#pragma once

#include <memory>
#include <string>
#include <vector>

#include "async/task_group.h"
#include "grpc/call.h"
#include "http/h2_session.h"
#include "metrics/registry.h"
#include "tunnel/server/agent_service.h"
#include "tunnel/server/context.h"

namespace tunnel::testing {

/// One gRPC call of a peer that speaks raw packets, and the server's end of it, joined in memory.
class Peer : private http::H2Session::Events {
 public:
  Peer(http::H2Connection::Handler& server, std::string_view path, const http::Headers& metadata);
  ~Peer() override;

  void send(const std::string& message);
  /// Carries bytes both ways until neither side has more to say.
  void exchange();
  void half_close();
  /// The connection breaks.
  void vanish();
  /// The peer reads nothing more.
  void stop_reading() { reading_ = false; }

  /// Messages received since the last call, each as "DIAL_RSP random=1 id=2 error=x" or "DATA id=2
  /// hello".
  std::vector<std::string> received();
  std::size_t bytes_received() const { return bytes_; }
  const http::Headers& metadata() const { return metadata_; }
  const std::optional<grpc::Status>& status() const { return status_; }
  std::int64_t last_random() const { return last_random_; }

 private:
  class ClientCall;
  class ServerSide;
  std::unique_ptr<http::H2StreamHandler> on_request(http::H2Stream&,
                                                    const http::Headers&) override {
    return nullptr;
  }
  void on_output() override {}
  void on_ping_acknowledged() override {}
  void on_goaway(std::uint32_t) override {}

  bool reading_ = true;
  std::vector<std::string> received_;
  std::size_t bytes_ = 0;
  http::Headers metadata_;
  std::optional<grpc::Status> status_;
  std::int64_t last_random_ = 0;
  ClientCall* call_ = nullptr;
  std::unique_ptr<ServerSide> server_;
  std::unique_ptr<http::H2Session> session_;
};

/// A tunnel server without sockets, and a clock that stands still.
class Harness {
 public:
  explicit Harness(std::vector<Strategy> strategies = {Strategy::any},
                   async::Duration dial_timeout = {});
  ~Harness();

  /// An agent whose certificate names `clusters`.
  std::unique_ptr<Peer> agent(const std::string& id, const std::string& identifiers = "",
                              std::vector<std::string> clusters = {});
  std::unique_ptr<Peer> client(std::shared_ptr<const ClientAccess> access = nullptr);
  /// Lets time pass and due tasks run.
  void advance(async::Duration by);
  void run_tasks();
  std::string metrics() const { return registry_.expose(); }

  async::Loop loop;
  async::ManualClock clock{loop.get_executor()};
  AgentAdmission admission{.server_id = "server-1", .server_count = 3};

 private:
  metrics::Registry registry_;
  ServerMetrics metrics_;
  Router router_;
  StallWatch stall_watch_{clock};
  DelayLine deadlines_;
  DelayLine greeting_{loop.get_executor(), clock, std::chrono::milliseconds(25)};
  DelayLine half_close_linger_{loop.get_executor(), clock, std::chrono::seconds(30)};
  DelayLine departures_{loop.get_executor(), clock, StallWatch::kPatience};
  DelayLine close_linger_{loop.get_executor(), clock, std::chrono::seconds(5)};
  DelayLine late_answers_{loop.get_executor(), clock, std::chrono::milliseconds(500)};
  RemoteBackends remotes_{context};
  base::MemoryBudget grown_windows_{32 << 20};
  http::H2Session::WindowPolicy windows_{clock, grown_windows_, 4 << 20};

 public:
  base::MemoryBudget budget{64 << 20};
  ServerContext context;
  async::TaskGroup tasks{loop.get_executor()};

 private:
  std::vector<std::unique_ptr<http::H2Connection::Handler>> handlers_;
};

}  // namespace tunnel::testing
