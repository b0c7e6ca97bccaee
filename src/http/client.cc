#include "http/client.h"

#include <utility>

#include <boost/asio/this_coro.hpp>

namespace http {

using async::Task;
using base::Code;
using base::Result;
using Fate = H2RequestError::Fate;

namespace {

// A server that refuses streams again and again is not going to take them.
constexpr int kMaxRepeats = 6;
constexpr auto kRepeatPause = std::chrono::seconds(1);

}  // namespace

/// A first connection on its way, which those wait for that may share it. It fails for all of them,
/// except when its maker gave up.
struct Client::Dialing {
  explicit Dialing(async::Executor executor) : ended(executor) {}
  bool over = false;
  std::optional<base::Error> error;
  async::Event ended;
};

Client::Client(async::Clock& clock, Connector& connector, Options options)
    : clock_(clock),
      connector_(connector),
      options_(options),
      h1_(clock, options.h1),
      one_at_a_time_(!connector.origin().tls) {}

Client::~Client() {
  if (h2_) h2_->close();
}

void Client::renew_connections() {
  ++renewals_;
  h1_.clear();
  if (auto old = std::exchange(h2_, nullptr)) old->retire();
}

Task<ClientResponse> Client::send(ClientRequest request) {
  CO_TRY_VOID(check_request(request));
  for (int repeats = 0;; ++repeats) {
    CO_TRY(const auto shared, co_await multiplexed());
    if (!shared) co_return co_await send_alone(std::move(request));
    const bool proven = shared->proven();
    auto response = co_await shared->send(request, connector_.origin());
    if (response) co_return std::move(*response);
    const bool may_repeat = proven && request.may_repeat();
    CO_TRY_VOID(co_await prepare_repeat(shared, std::move(response).error(), may_repeat, repeats));
  }
}

// Gives the error back unless the request is worth another try.
Task<void> Client::prepare_repeat(H2Ptr used, H2RequestError error, bool may_repeat, int repeats) {
  const bool again = error.fate == Fate::unprocessed ||
                     (error.fate == Fate::unanswered && may_repeat && repeats == 0);
  if (!again || repeats >= kMaxRepeats) co_return base::fail(std::move(error));
  const bool same_connection = used->accepting();
  if (same_connection && repeats > 0) CO_TRY_VOID(co_await clock_.sleep_for(kRepeatPause));
  co_return Result<void>{};
}

// The connection that takes one more request; null when the server speaks HTTP/1.1.
Task<Client::H2Ptr> Client::multiplexed() {
  for (;;) {
    if (h2_ && h2_->accepting()) co_return h2_;
    if (one_at_a_time_) co_return H2Ptr();
    const auto dialing = dialing_;
    if (dialing && !dialing->over) {
      while (!dialing->over) CO_TRY_VOID(co_await dialing->ended.wait());
      if (dialing->error) co_return base::fail(*dialing->error);
    } else {
      CO_TRY_VOID(co_await dial_first());
    }
  }
}

Task<void> Client::dial_first() {
  const auto dialing = std::make_shared<Dialing>(co_await async::asio::this_coro::executor);
  dialing_ = dialing;
  // However this ends, those who wait hear of it.
  const std::shared_ptr<void> tell(dialing.get(), [dialing](void*) {
    dialing->over = true;
    dialing->ended.notify_all();
  });
  auto connected = co_await connect_first();
  if (!connected && !connected.error().is(Code::cancelled)) dialing->error = connected.error();
  co_return connected;
}

Task<void> Client::connect_first() {
  const auto renewals = renewals_;
  CO_TRY(auto connection, co_await connector_.connect());
  if (renewals != renewals_) co_return Result<void>{};  // made with what is out of date
  one_at_a_time_ = connection.protocol != "h2";
  if (one_at_a_time_) {
    h1_.keep(std::move(connection.stream));
  } else {
    adopt(co_await async::asio::this_coro::executor, std::move(connection.stream));
  }
  co_return Result<void>{};
}

void Client::adopt(async::Executor executor, std::unique_ptr<net::Stream> stream) {
  one_at_a_time_ = false;
  h2_ = H2Client::start(std::move(executor), clock_, std::move(stream), options_.h2);
}

// A server may have learned HTTP/2 since it was asked last.
Task<ClientResponse> Client::send_alone(ClientRequest request) {
  const H1Connections::Request wire{.wire = encode(request, connector_.origin()),
                                    .head_only = request.method == "HEAD"};
  bool answered = false;
  while (auto kept = h1_.take()) {
    auto response = co_await h1_.exchange(std::move(kept), wire, &answered);
    if (response) co_return response;
    const auto code = response.error().code;
    const bool stale = !answered && (code == Code::closed || code == Code::io);
    if (!stale || !request.may_repeat()) co_return response;
  }
  CO_TRY(auto fresh, co_await connector_.connect());
  if (fresh.protocol != "h2") {
    co_return co_await h1_.exchange(std::move(fresh.stream), wire, &answered);
  }
  adopt(co_await async::asio::this_coro::executor, std::move(fresh.stream));
  co_return co_await send(std::move(request));
}

}  // namespace http
