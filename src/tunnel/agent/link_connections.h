#pragma once

#include <memory>
#include <string>
#include <unordered_map>

#include "async/task_group.h"
#include "tunnel/agent/context.h"
#include "tunnel/packet.h"

namespace tunnel {

class ConnectStream;
class TargetConnection;

/// The connections that one link carries, dialing or established, and the numbers they go by.
/// Numbers mean nothing on other links.
///
/// Flow: attach() when the call is there, detach() when it ends; the connections then flush what
/// they have received and go. stop() drops them at once. join() before destruction.
/// Thread: that of the loop.
class LinkConnections {
 public:
  explicit LinkConnections(AgentContext& context) : context_(context), tasks_(context.executor) {}

  void attach(ConnectStream& stream) { stream_ = &stream; }
  void detach();
  void stop() { tasks_.cancel(); }
  async::Task<void> until_idle() { return tasks_.until_empty(); }
  async::Awaitable<void> join() { return tasks_.join(); }

  /// Starts to dial what `request` asks for.
  void dial(const Packet& request);
  /// Ends the dial with this random, if it is still in progress.
  void cancel_dial(std::int64_t random);
  /// The following return false when there is no such connection.
  bool deliver(std::int64_t connect_id, base::Bytes bytes);
  bool close(std::int64_t connect_id);

  /// Connections dialing and established, without those that only flush.
  std::size_t size() const { return dialing_.size() + established_.size(); }
  /// Null once the link is lost.
  ConnectStream* stream() const { return stream_; }
  void set_server_id(std::string id) { server_id_ = std::move(id); }
  const std::string& server_id() const { return server_id_; }

 private:
  friend class TargetConnection;
  void established(TargetConnection& connection);
  void forget(TargetConnection& connection);
  TargetConnection* find(std::int64_t connect_id) const;

  AgentContext& context_;
  ConnectStream* stream_ = nullptr;
  std::string server_id_;
  std::int64_t last_id_ = 0;
  std::unordered_multimap<std::int64_t, TargetConnection*>
      dialing_;  // by random, which peers choose
  std::unordered_map<std::int64_t, TargetConnection*> established_;  // by connectID
  async::TaskGroup tasks_;
};

}  // namespace tunnel
