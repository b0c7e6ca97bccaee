#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/object.hpp>

#include "async/clock.h"
#include "async/event.h"
#include "async/task_group.h"
#include "kube/config.h"
#include "net/listener.h"
#include "net/stream.h"

namespace kube::testing {

namespace json = boost::json;

/// A request as the fake saw it.
struct SeenRequest {
  std::string method;
  std::string target;
  std::string authorization;
  std::string body;
  async::TimePoint at;
};

/// An answer that a test prepares.
struct CannedAnswer {
  unsigned status = 200;
  std::string reason;        // of the Status object
  std::string extra_fields;  // whole lines
  bool hang_up = false;      // close the connection instead of answering
};

/// An API server of one process for tests, speaking real HTTP on loopback, to be driven through the
/// real client only.
///
/// It stores objects of any resource by path, gives every change a resource version, refuses stale
/// updates and deletes (409), merges patches, double creations (409), and watches and lists whose
/// history was compacted (410), filters by label, and sends bookmarks when told to. Thread: that of
/// the loop.
class FakeApiServer {
 public:
  FakeApiServer(async::Loop& loop, async::Clock& clock);
  ~FakeApiServer();

  /// For a client of this server; `token` may be "".
  Config config(const std::string& token = "") const;
  std::uint16_t port() const { return listener_->port(); }

  /// Stores an object under `collection` ("/apis/g/v1/namespaces/n/things") as another client
  /// would.
  void put(const std::string& collection, json::object object);
  void erase(const std::string& path);
  const json::object* find(const std::string& path) const;
  std::size_t count() const { return objects_.size(); }

  /// The next request gets this answer; several queue up.
  void answer_next(CannedAnswer answer) { canned_.push_back(std::move(answer)); }
  /// Answers POSTs to a path that ends in `suffix`.
  void on_post(std::string suffix, std::function<json::object(const json::object&)> handler);

  /// Whether a watch may begin with the state. A server that does not know it takes the request for
  /// a plain watch.
  enum class StateByWatch { yes, refused, unknown };
  void state_by_watch(StateByWatch answer) { state_by_watch_ = answer; }

  /// Forgets all history before now.
  void compact();
  /// A bookmark to every open watch.
  void send_bookmarks();
  /// The ERROR event of a compacted history to every open watch, then its end.
  void expire_watches();
  /// Ends every open watch in an orderly way.
  void end_watches();
  /// Closes every connection in the middle of what it does.
  void cut_connections();

  const std::vector<SeenRequest>& requests() const { return requests_; }
  /// How many requests began with "METHOD target".
  std::size_t count_requests(std::string_view beginning) const;
  std::size_t open_watches() const { return watches_.size(); }
  std::size_t accepted() const { return accepted_; }

  async::Awaitable<void> stop();

 private:
  struct Request;
  struct Watch;
  struct Change;
  async::Task<void> accept_loop();
  async::Task<void> serve(std::unique_ptr<net::Stream> stream);
  async::Task<void> serve_watch(net::Stream& stream, const Request& request);
  std::string answer(const Request& request);
  std::string refusal_of_watch(const Request& request) const;
  std::string state_for(const Request& request) const;
  std::string list(const Request& request);
  std::string create(const Request& request);
  std::string update(const Request& request);
  std::string patch(const Request& request);
  std::string remove(const Request& request);
  void change(const char* type, const std::string& path, json::object object);
  void tell_watches(const std::string& line, bool last);

  async::Clock& clock_;
  std::unique_ptr<net::Listener> listener_;
  std::map<std::string, json::object> objects_;  // by path
  std::vector<Change> history_;
  std::int64_t version_ = 100;
  std::int64_t compacted_ = 0;
  StateByWatch state_by_watch_ = StateByWatch::yes;
  std::deque<CannedAnswer> canned_;
  std::vector<std::pair<std::string, std::function<json::object(const json::object&)>>> posts_;
  std::vector<SeenRequest> requests_;
  std::vector<Watch*> watches_;
  std::vector<net::Stream*> connections_;
  std::size_t accepted_ = 0;
  async::Event changed_;
  async::TaskGroup tasks_;
};

}  // namespace kube::testing
