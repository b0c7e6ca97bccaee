#include "tunnel/client/proxy_call.h"

#include <optional>
#include <utility>

#include <fmt/format.h>

#include "base/id.h"
#include "grpc/call.h"
#include "tunnel/client/lingering_stream.h"
#include "tunnel/client/tunnel_end.h"
#include "tunnel/packet.h"

namespace tunnel::client {
namespace {

using base::Code;

constexpr std::size_t kHigh = 256 * 1024;     // bytes that wait for the server at most
constexpr std::size_t kUnread = 1024 * 1024;  // bytes that wait for the reader at most

/// The call, which its HTTP/2 stream owns, seen by an owner that may go before it or after it.
class ProxyCall : public grpc::Call {
 public:
  class Owner {
   public:
    virtual ~Owner() = default;
    virtual void on_packet(const Packet& packet) = 0;
    virtual void on_call_over(const grpc::Status& status, bool lost) = 0;
    virtual void on_call_room() = 0;
  };

  ProxyCall(http::H2Stream& stream, Owner& owner) : Call(stream), owner_(&owner) {}

  /// Only the end of the connection is awaited from here on.
  void forget() { owner_ = nullptr; }

 private:
  void on_message(base::Bytes message) override {
    const auto packet = decode_packet(message);
    if (!packet) return on_broken({grpc::StatusCode::internal, packet.error().message});
    if (owner_ != nullptr) return owner_->on_packet(*packet);
    if (packet->type == PacketType::close_response) cancel();
  }
  void on_broken(const grpc::Status& status) override {
    broken_ = status;
    cancel();
  }
  void on_peer_done() override { cancel(); }
  void on_drained() override {
    if (owner_ != nullptr) owner_->on_call_room();
  }
  void on_finished(const grpc::Status& status) override {
    if (owner_ != nullptr) owner_->on_call_over(broken_.ok() ? status : broken_, connection_lost());
  }

  Owner* owner_;
  grpc::Status broken_;
};

class ProxyEnd : public TunnelEnd, private ProxyCall::Owner {
 public:
  explicit ProxyEnd(const Dial& dial)
      : TunnelEnd(dial.executor, dial.clock, dial.peer(), kSilenceAfterEnd),
        random_(base::random_dial_id()) {}
  ~ProxyEnd() override { ProxyEnd::close(); }

  base::Result<void> open(http::H2Session& session, const std::string& target) {
    const auto headers = grpc::request_headers("/ProxyService/Proxy", "cluster-proxy", {});
    ProxyCall::Owner& self = *this;
    TRY_VOID(session.request(headers, [&](http::H2Stream& stream) {
      auto call = std::make_unique<ProxyCall>(stream, self);
      call_ = call.get();
      return call;
    }));
    send(encode_dial_request("tcp", target, random_));
    return {};
  }

  async::Task<void> answer() {
    while (connect_id_ == 0 && !refusal_ && !over_) CO_TRY_VOID(co_await changed().wait());
    co_return base::Result<void>{};
  }
  bool accepted() const { return connect_id_ != 0; }
  const std::optional<Refusal>& refusal() const { return refusal_; }
  /// How the call has ended.
  const std::optional<grpc::Status>& over() const { return over_; }
  bool lost_with_connection() const { return lost_; }

  void close() override {
    ProxyCall* call = std::exchange(call_, nullptr);
    give_up();
    if (call == nullptr) return;
    call->forget();
    if (!accepted()) return call->cancel();
    call->send(base::as_bytes(encode_close_request(connect_id_)));
    if (call->holding()) call->hold(false);
  }
  void abort() override {
    ProxyCall* call = std::exchange(call_, nullptr);
    give_up();
    if (call == nullptr) return;
    call->forget();
    call->cancel();
  }

 private:
  void send(const std::string& packet) { call_->send(base::as_bytes(packet)); }

  void on_packet(const Packet& packet) override {
    switch (packet.type) {
      case PacketType::dial_response:
        if (packet.random == random_ && !accepted()) dialed(packet);
        return;
      case PacketType::close_dial:
        if (packet.random == random_ && !accepted()) refuse("the agent was lost while it dialed");
        return;
      case PacketType::data:
        if (packet.connect_id == connect_id_ && accepted()) data(packet.data);
        return;
      case PacketType::close_response:
        return closed(packet);
      default:
        return;
    }
  }

  void dialed(const Packet& packet) {
    if (!packet.error.empty()) return refuse(packet.error);
    if (packet.connect_id == 0) return refuse("the server named no connection");
    connect_id_ = packet.connect_id;
    changed().notify_all();
  }
  void refuse(std::string_view text) {
    refusal_.emplace().text = text;
    changed().notify_all();
  }
  void data(base::Bytes bytes) {
    if (bytes.empty()) return;
    received(bytes);
    if (unread() >= kUnread) call_->hold(true);
  }
  // konnectivity tells nobody whether the target's bytes are whole.
  void closed(const Packet& packet) {
    if (!accepted()) return refuse(packet.error.empty() ? "closed while dialing" : packet.error);
    if (packet.connect_id != connect_id_) return;
    if (packet.error.empty()) {
      received_end();
      received_failure({Code::closed, "the target has closed the connection"});
    } else {
      received_failure({Code::closed, std::string(packet.error)});
    }
    if (ProxyCall* call = std::exchange(call_, nullptr)) {
      call->forget();
      call->cancel();
    }
  }

  void on_call_over(const grpc::Status& status, bool lost) override {
    call_ = nullptr;
    over_ = status;
    lost_ = lost;
    received_failure({Code::closed, "the connection to the server was lost"});
  }
  void on_call_room() override { room(); }

  bool link_full() const override { return call_ != nullptr && call_->queued() >= kHigh; }
  void link_push(base::Buffer bytes) override {
    if (call_ == nullptr) return;
    frame_data(bytes, connect_id_);
    call_->send_framed(std::move(bytes));
  }
  void link_finish() override {}
  void link_silent() override { close(); }
  void link_consumed(std::size_t) override {
    if (call_ != nullptr && call_->holding() && unread() < kUnread / 2) call_->hold(false);
  }

  std::int64_t random_;
  std::int64_t connect_id_ = 0;
  ProxyCall* call_ = nullptr;  // null once it is over, or of no more use
  std::optional<Refusal> refusal_;
  std::optional<grpc::Status> over_;
  bool lost_ = false;
};

}  // namespace

async::Awaitable<DialResult> dial_grpc(std::shared_ptr<Link> link, Dial dial) {
  auto end = std::make_unique<ProxyEnd>(dial);
  CO_TRY_VOID(end->open(link->session(), dial.target));
  CO_TRY_VOID(co_await end->answer());
  if (end->accepted()) {
    link->prove(Link::Spoken::grpc);
    co_return end;
  }
  if (const auto& refusal = end->refusal()) {
    link->prove(Link::Spoken::grpc);
    co_return std::unexpected(explain(*refusal, dial.target, dial.server));
  }
  const grpc::Status& status = *end->over();
  if (end->lost_with_connection()) co_return std::unexpected(co_await lost(link, dial));
  const std::string why = status.ok()
                              ? "it ended the call"
                              : fmt::format("{} {}", grpc::go_name(status.code), status.message);
  co_return std::unexpected(DialError(
      Failure::protocol, fmt::format("{} does not speak konnectivity here: {}", dial.server, why)));
}

}  // namespace tunnel::client
