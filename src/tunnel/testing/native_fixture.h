#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "net/listener.h"
#include "net/testing/memory_stream.h"
#include "tunnel/agent/native_link.h"
#include "tunnel/server/native_backend.h"
#include "tunnel/server/testing/harness.h"
#include "tunnel/testing/wire.h"

namespace tunnel::testing {

/// A server and any number of agents, whose native links are cables in memory and whose targets are
/// sockets on loopback; the clock stands still.
class NativeWorld {
 public:
  /// The agent's end of a link, and what its owner hears.
  struct AgentEnd : LinkProtocol::Listener {
    void on_welcome(Welcome said) override { welcome = std::move(said); }
    void on_going_away() override { ++going_away; }
    void on_more_links(LinksWanted wanted) override { links_wanted = wanted; }
    void on_silence() override { ++silences; }
    void on_voice() override { ++voices; }
    void on_failure(base::Error why) override { failure = std::move(why); }

    std::optional<Welcome> welcome;
    int going_away = 0;
    LinksWanted links_wanted;
    int silences = 0;
    int voices = 0;
    std::optional<base::Error> failure;
    std::optional<base::Error> ended;  // run() has returned
    std::unique_ptr<NativeLink> link;
  };
  struct ServerEnd {
    std::unique_ptr<NativeBackend> backend;
    std::optional<base::Error> ended;
  };
  struct Link {
    Link(async::Executor executor) : cable(executor) {}
    net::testing::Cable cable;
    AgentEnd agent;
    ServerEnd server;
  };

  explicit NativeWorld(std::size_t largest_window = 4 << 20);
  ~NativeWorld();

  /// Both ends; not admitted yet.
  Link& connect(Introduction introduction = {"agent-1", "", "", 0});
  /// One end each; the other end of the cable is the test's.
  Link& connect_server_only();
  Link& connect_agent_only(Introduction introduction = {"agent-1", "", "", 0});
  /// Runs the loop until `done`; false when that takes 20 s.
  bool until(const std::function<bool()>& done);
  /// Runs all that can be done without time or the kernel.
  void settle();
  void advance(async::Duration by) { server.advance(by); }
  /// The loop has had a chance to bring what the kernel holds.
  void idle_for(std::chrono::milliseconds real_time);

  /// A listener on loopback whose connections are found under `targets`, in order.
  std::string listen(std::uint16_t port = 0);
  bool accepted(std::size_t count) {
    return until([&] { return targets.size() >= count; });
  }

  Harness server;
  metrics::Registry agent_registry;
  AgentMetrics agent_metrics{agent_registry};
  base::MemoryBudget agent_budget{64 << 20};
  StallWatch agent_stalls{server.clock};
  base::MemoryBudget agent_grown{32 << 20};
  http::H2Session::WindowPolicy agent_windows;
  AgentContext agent;
  std::vector<std::unique_ptr<Link>> links;
  std::vector<std::unique_ptr<net::Listener>> listeners;
  std::vector<std::unique_ptr<Wire>> targets;
  std::vector<std::unique_ptr<Wire>> wires;  // the test's
  std::vector<std::string> agent_clusters;   // that the certificate of the next agent names
  async::TaskGroup tasks{server.loop.get_executor()};

 private:
  void run_server_end(Link& link);
  void run_agent_end(Link& link, Introduction introduction);
  static async::Task<void> serve(ServerEnd& end);
  static async::Task<void> serve(AgentEnd& end, std::unique_ptr<net::Stream> stream);
  async::Task<void> accept_all(net::Listener& listener);
};

}  // namespace tunnel::testing
