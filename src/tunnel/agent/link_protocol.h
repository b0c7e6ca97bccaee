#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "async/task.h"
#include "net/stream.h"

namespace tunnel {

/// Who the agent is, for every server.
struct AgentIdentity {
  std::string agent_id;
  std::string identifiers;  // query string, maybe empty
  std::string token_file;   // read before every connect; empty = no token
};

/// What the agent says of itself on a link.
struct Introduction {
  std::string agent_id;
  std::string identifiers;
  std::string token;  // empty = none
  int link = 0;       // not 0: a further link of the same agent
};

/// What a server says of itself.
struct Welcome {
  std::string server_id;
  int server_count = 0;
};

/// How many links a server wishes to have of this agent.
struct LinksWanted {
  std::int64_t count = 0;  // 0 = it has not said
  bool far = false;        // for a long path, whatever cores there are
};

/// What is spoken on a link to a server once TLS is up, with the connections that it carries.
/// Thread: that of the loop.
class LinkProtocol {
 public:
  class Listener {
   public:
    virtual ~Listener() = default;
    /// The server lets the agent in.
    virtual void on_welcome(Welcome welcome) = 0;
    /// The server wants the link to end.
    virtual void on_going_away() = 0;
    virtual void on_more_links(LinksWanted wanted) = 0;
    /// The server has fallen silent, and speaks again: what the link carries waits meanwhile.
    virtual void on_silence() = 0;
    virtual void on_voice() = 0;
    virtual void on_failure(base::Error why) = 0;
  };

  virtual ~LinkProtocol() = default;
  /// Serves until the link is lost; always ends with the error that says why.
  virtual async::Task<void> run(std::unique_ptr<net::Stream> stream) = 0;
  /// Ends the connection, if run() was cancelled before it could.
  virtual void disconnect() = 0;
  /// Tells the server that this agent should get no more dials if another can have them.
  virtual void drain() = 0;
  /// Drops the connections at once.
  virtual void stop() = 0;
  /// Returns when it carries no connection.
  virtual async::Task<void> until_idle() = 0;
  /// After run(): returns when the connections have flushed what they had.
  virtual async::Awaitable<void> join() = 0;
};

}  // namespace tunnel
