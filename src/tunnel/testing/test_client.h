#pragma once

#include <optional>
#include <string>

#include "tunnel/server/backend.h"
#include "tunnel/server/context.h"
#include "tunnel/server/leg.h"

namespace tunnel::testing {

/// A client of the server without a socket, which remembers what happens to its leg. Thread: that
/// of the loop.
class TestClient : public Leg::Frontend {
 public:
  explicit TestClient(ServerContext& context) : context_(context) {}
  ~TestClient() override { leave(); }

  /// Through whichever agent the router picks; false when there is none.
  bool dial(const std::string& target, const std::string& network = "tcp") {
    Leg::Frontend& self = *this;
    leg = dial_any(context_, self, {.network = network, .target = target}, Client{"client"}).leg;
    return leg != nullptr;
  }
  bool dial_through(Backend& backend, const std::string& target) {
    Leg::Frontend& self = *this;
    leg = backend.dial(self, {.network = "tcp", .target = target});
    return leg != nullptr;
  }
  void say(std::string_view text) {
    base::Buffer block(text.size());
    block.append(base::as_bytes(text));
    leg->count_up(text.size());
    leg->outlet().push(std::move(block));
  }
  /// Goes away.
  void leave() {
    if (leg != nullptr) std::exchange(leg, nullptr)->abandon(DialFailure::frontend_close);
  }
  /// Takes all that it has not taken, and what comes from now on.
  void take() {
    takes = true;
    if (leg != nullptr) leg->consumed(std::exchange(untaken, 0));
  }

  Leg* leg = nullptr;  // null before the dial and when the leg is over
  bool takes = true;
  bool dialed = false, target_done = false, closed = false, truncated = false;
  std::optional<DialFailure> failure;
  std::string error;
  std::string heard;
  std::size_t untaken = 0;  // bytes
  int rooms = 0;

 private:
  void on_dialed(Leg&) override { dialed = true; }
  void on_dial_failed(Leg&, DialFailure reason, const std::string& text) override {
    leg = nullptr;
    failure = reason;
    error = text;
  }
  void on_bytes(Leg&, base::Pieces pieces, base::Bytes) override {
    for (const base::Bytes bytes : pieces) heard += base::as_text(bytes);
    if (takes) return leg->consumed(pieces.size());
    untaken += pieces.size();
  }
  void on_target_done(Leg&) override { target_done = true; }
  void on_closed(Leg&, const std::string& text, bool incomplete) override {
    leg = nullptr;
    closed = true;
    error = text;
    truncated = incomplete;
  }
  void on_overload(Leg&, const std::string&) override {}
  void on_room(Leg&) override { ++rooms; }
  std::string client_name() const override { return "test client"; }

  ServerContext& context_;
};

}  // namespace tunnel::testing
