#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "tunnel/server/backend.h"
#include "tunnel/server/directory.h"

namespace tunnel {

class RemoteLeg;

/// Stands on one loop for a link that lives on another: its dials cross over by posted messages
/// (see crossing.h). Thread: that of its own loop.
class RemoteBackend : public Backend {
 public:
  /// What its home says of the link.
  struct Origin {
    std::shared_ptr<LinkEntry> entry;
    ServerContext* context;  // of the home loop: its executor may be used from here
    std::string agent_id;
    Identifiers identifiers;
    AgentPeer peer;
  };

  RemoteBackend(ServerContext& context, const Origin& origin);
  ~RemoteBackend() override;

  Leg* dial(Leg::Frontend& frontend, const DialRequest& request) override;
  bool silent(async::TimePoint now) const override;
  void probe() override;
  bool draining() const override { return origin_.entry->draining; }
  bool further() const override { return origin_.entry->further; }
  std::size_t connections() const override { return origin_.entry->connections; }
  std::string_view kind() const override { return "remote"; }
  bool remote() const override { return true; }

  const LinkEntry& link() const { return *origin_.entry; }
  void count(DialFailure reason);
  /// Destroys the leg.
  void forget(const RemoteLeg& leg);
  /// The link has gone. Its legs are told one by one; true when none is left.
  bool retire();
  /// It was only silent, and is back.
  void revive() { retired_ = false; }

 private:
  ServerContext& context_;
  Origin origin_;
  bool retired_ = false;
  std::unordered_map<const RemoteLeg*, std::unique_ptr<RemoteLeg>> legs_;
};

/// The links of other loops that one loop knows. They leave the router when they go.
class RemoteBackends {
 public:
  explicit RemoteBackends(ServerContext& context) : context_(context) {}
  ~RemoteBackends();

  void add(std::unique_ptr<RemoteBackend> backend);
  void remove(const LinkEntry& entry);
  /// The last leg of a link that has gone is over.
  void forget(const LinkEntry& entry) { backends_.erase(&entry); }

 private:
  ServerContext& context_;
  std::unordered_map<const LinkEntry*, std::unique_ptr<RemoteBackend>> backends_;
};

}  // namespace tunnel
