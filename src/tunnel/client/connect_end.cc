#include "tunnel/client/connect_end.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "tunnel/agent/tunnel_stream.h"
#include "tunnel/client/tunnel_end.h"

namespace tunnel::client {
namespace {

using base::Code;
using http::H2Error;

constexpr std::size_t kMostText = 4096;  // bytes of a refusal's body that are worth keeping

constexpr unsigned kNotImplemented = 501;

unsigned status_of(const http::Headers& headers) {
  const std::string* text = http::find(headers, ":status");
  unsigned status = 0;
  if (text != nullptr) std::from_chars(text->data(), text->data() + text->size(), status);
  return status;
}

/// One CONNECT stream: first as a dial, then as the connection.
class ConnectEnd : public TunnelEnd, private TunnelStream::Owner {
 public:
  explicit ConnectEnd(const Dial& dial)
      : TunnelEnd(dial.executor, dial.clock, dial.peer(), async::Duration(0)) {}

  base::Result<void> open(http::H2Session& session, const std::string& target) {
    TRY_VOID(session.request({{":method", "CONNECT"}, {":authority", target}},
                             [this](http::H2Stream& stream) { return stream_.attach(stream); }));
    return {};
  }

  /// Returns once it is known whether the target is connected.
  async::Task<void> answer() {
    while (!accepted_ && !refused_ && !reset_) CO_TRY_VOID(co_await changed().wait());
    co_return base::Result<void>{};
  }
  bool accepted() const { return accepted_; }
  /// Whether the server has said why not.
  bool answered() const { return answered_; }
  std::optional<H2Error> reset_by() const { return reset_; }
  const Refusal& refusal() const { return refusal_; }

  void close() override {
    if (!finished()) stream_.finish();
    give_up();
    stream_.leave();
  }
  void abort() override {
    stream_.reset(H2Error::connect);
    give_up();
  }

 private:
  void on_answer(const http::Headers& headers) override {
    answered_ = true;
    refusal_.status = status_of(headers);
    // A gRPC server says 200 to whatever it does not know, and why in its own words.
    const bool grpc = http::find(headers, "grpc-status") != nullptr;
    if (grpc) refusal_.status = kNotImplemented;
    accepted_ = refusal_.status / 100 == 2;
    if (const std::string* why = http::find(headers, "proxy-status")) refusal_.proxy_status = *why;
    changed().notify_all();
  }
  void on_bytes(base::Pieces pieces) override {
    for (const base::Bytes bytes : pieces) {
      if (accepted_) {
        received(bytes);
      } else {
        refusal_.text += base::as_text(bytes).substr(0, kMostText - refusal_.text.size());
      }
    }
    if (!accepted_) stream_.consumed(pieces.size());
  }
  void on_end() override {
    if (accepted_) return received_end();
    refused_ = true;
    changed().notify_all();
  }
  void on_reset(H2Error error) override {
    reset_ = error;
    if (answered_ && !accepted_) refused_ = true;
    received_failure({Code::closed, error == H2Error::connection_lost
                                        ? "the connection to the server was lost"
                                        : "the connection was reset"});
  }
  void on_room() override { room(); }

  bool link_full() const override { return stream_.full(); }
  void link_push(base::Buffer bytes) override { stream_.push(std::move(bytes)); }
  void link_finish() override { stream_.finish(); }
  void link_consumed(std::size_t count) override { stream_.consumed(count); }

  bool answered_ = false;
  bool accepted_ = false;
  bool refused_ = false;  // and all is said
  std::optional<H2Error> reset_;
  Refusal refusal_;
  TunnelStream stream_{*this};
};

}  // namespace

async::Awaitable<DialResult> dial_connect(std::shared_ptr<Link> link, Dial dial) {
  auto end = std::make_unique<ConnectEnd>(dial);
  CO_TRY_VOID(end->open(link->session(), dial.target));
  CO_TRY_VOID(co_await end->answer());
  if (end->accepted()) {
    link->prove(Link::Spoken::connect);
    co_return end;
  }
  if (end->answered()) {
    DialError refused = explain(end->refusal(), dial.target, dial.server);
    if (refused.kind != Failure::protocol) link->prove(Link::Spoken::connect);
    co_return std::unexpected(std::move(refused));
  }
  // A stream that was opened on a connection already broken is reset by our own side, which says
  // nothing of the server.
  if (end->reset_by() == H2Error::connection_lost || link->broken())
    co_return std::unexpected(co_await lost(link, dial));
  co_return std::unexpected(
      DialError(Failure::protocol, fmt::format("{} refuses CONNECT over HTTP/2", dial.server)));
}

}  // namespace tunnel::client
