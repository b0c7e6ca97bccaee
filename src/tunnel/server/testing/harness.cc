#include "tunnel/server/testing/harness.h"

#include <utility>

namespace tunnel::testing {
namespace {

std::string describe(const Packet& packet) {
  std::string text(wire_name(packet.type));
  if (packet.random != 0) text += fmt::format(" random={}", packet.random);
  if (packet.connect_id != 0) text += fmt::format(" id={}", packet.connect_id);
  if (!packet.address.empty()) text += fmt::format(" address={}", packet.address);
  if (!packet.error.empty()) text += fmt::format(" error={}", packet.error);
  if (!packet.data.empty() && packet.data.size() < 100)
    text += " " + std::string(base::as_text(packet.data));
  return text;
}

}  // namespace

// The handler is destroyed with its stream; what it heard stays in the peer.
class Peer::ClientCall : public grpc::Call {
 public:
  ClientCall(http::H2Stream& stream, Peer& peer) : Call(stream), peer_(peer) {}
  using Call::stream;

 private:
  void on_message(base::Bytes message) override {
    const auto packet = decode_packet(message);
    peer_.bytes_ += packet->data.size();
    if (packet->random != 0) peer_.last_random_ = packet->random;
    peer_.received_.push_back(describe(*packet));
    if (!peer_.reading_) hold(true);
  }
  void on_broken(const grpc::Status&) override {}
  void on_metadata(const http::Headers& headers) override { peer_.metadata_ = headers; }
  void on_finished(const grpc::Status& status) override {
    peer_.status_ = status;
    peer_.call_ = nullptr;
  }
  Peer& peer_;
};

class Peer::ServerSide : public http::H2Session::Events {
 public:
  explicit ServerSide(http::H2Connection::Handler& handler)
      : handler_(handler), session({.role = http::H2Session::Role::server}, *this) {}
  std::unique_ptr<http::H2StreamHandler> on_request(http::H2Stream& stream,
                                                    const http::Headers& headers) override {
    return handler_.on_request(stream, headers);
  }
  void on_output() override {}
  void on_ping_acknowledged() override { handler_.on_ping_acknowledged(); }
  void on_goaway(std::uint32_t) override {}

 private:
  http::H2Connection::Handler& handler_;

 public:
  http::H2Session session;
};

Peer::Peer(http::H2Connection::Handler& server, std::string_view path,
           const http::Headers& metadata)
    : server_(std::make_unique<ServerSide>(server)) {
  const http::H2Session::Options options{.role = http::H2Session::Role::client,
                                         .stream_window = 1 << 16};
  http::H2Session::Events& events = *this;
  session_ = std::make_unique<http::H2Session>(options, events);
  const auto make = [this](http::H2Stream& stream) {
    auto call = std::make_unique<ClientCall>(stream, *this);
    call_ = call.get();
    return call;
  };
  (void)session_->request(grpc::request_headers(path, "test", metadata), make);
  exchange();
}

Peer::~Peer() = default;

void Peer::send(const std::string& message) {
  if (call_ == nullptr) return;
  call_->send(base::as_bytes(message));
  exchange();
}

void Peer::exchange() {
  const auto move = [](http::H2Session& from, http::H2Session& to) {
    base::BufferQueue out;
    (void)from.produce(out, 1 << 20);
    const bool any = !out.empty();
    while (!out.empty()) (void)to.receive(out.pop().bytes());
    return any;
  };
  while (move(*session_, server_->session) || move(server_->session, *session_)) {
  }
}

void Peer::half_close() {
  call_->stream().end();
  exchange();
}

void Peer::vanish() {
  server_->session.close_streams(http::H2Error::cancel);
  session_->close_streams(http::H2Error::cancel);
}

std::vector<std::string> Peer::received() {
  exchange();
  return std::exchange(received_, {});
}

Harness::Harness(std::vector<Strategy> strategies, async::Duration dial_timeout)
    : metrics_(registry_, strategies),
      router_(strategies, metrics_),
      deadlines_(loop.get_executor(), clock, dial_timeout),
      context{clock,
              loop.get_executor(),
              metrics_,
              budget,
              router_,
              stall_watch_,
              dial_timeout.count() > 0 ? &deadlines_ : nullptr,
              greeting_,
              half_close_linger_,
              close_linger_,
              departures_,
              late_answers_,
              windows_,
              remotes_,
              0,
              1,
              1 << 20,
              false} {
  tasks.spawn("deadlines", deadlines_.run());
  tasks.spawn("greeting", greeting_.run());
  tasks.spawn("half-close linger", half_close_linger_.run());
  tasks.spawn("close linger", close_linger_.run());
  tasks.spawn("departures", departures_.run());
  tasks.spawn("late answers", late_answers_.run());
  tasks.spawn("stall watch", stall_watch_.run());
  run_tasks();
}

Harness::~Harness() {
  tasks.cancel();
  run_tasks();
}

std::unique_ptr<Peer> Harness::agent(const std::string& id, const std::string& identifiers,
                                     std::vector<std::string> clusters) {
  handlers_.push_back(std::make_unique<AgentConnection>(
      context, admission, tasks, AgentPeer{"agent-address", std::move(clusters)}));
  const http::Headers metadata{{"agentid", id}, {"agentidentifiers", identifiers}};
  return std::make_unique<Peer>(*handlers_.back(), "/AgentService/Connect", metadata);
}

std::unique_ptr<Peer> Harness::client(std::shared_ptr<const ClientAccess> access) {
  handlers_.push_back(
      std::make_unique<ClientConnection>(context, Client{"client-address", std::move(access)}));
  return std::make_unique<Peer>(*handlers_.back(), "/ProxyService/Proxy", http::Headers{});
}

void Harness::advance(async::Duration by) {
  clock.advance(by);
  run_tasks();
}

void Harness::run_tasks() {
  loop.restart();
  loop.poll();
}

}  // namespace tunnel::testing
