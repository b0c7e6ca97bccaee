#include <utility>

#include "async/timeout.h"
#include "tunnel/local/visit.h"

namespace tunnel::local {
namespace {

using async::Task;
using base::Code;

Task<std::string> shake_hands(Visit& visit, Socks5Handshake& handshake) {
  for (;;) {
    CO_TRY(const std::string bytes, co_await visit.read_more());
    handshake.feed(base::as_bytes(bytes));
    while (auto step = handshake.next()) {
      if (!step->target.empty()) co_return std::move(step->target);
      if (!step->refusal.empty()) {
        CO_TRY_VOID(co_await visit.dismiss(std::move(step->reply)));
        co_return base::fail(Code::invalid, std::move(step->refusal));
      }
      CO_TRY_VOID(co_await visit.stream().write_all(base::as_bytes(step->reply)));
    }
  }
}

Task<void> serve(const Context& context, std::unique_ptr<net::Stream> stream,
                 Credentials credentials) {
  Visit visit(context, std::move(stream));
  Socks5Handshake handshake(std::move(credentials));
  auto target = co_await async::with_timeout(context.clock, kFirstWordsWithin, "SOCKS5 request",
                                             shake_hands(visit, handshake));
  if (!target) {
    visit.failed(std::move(target).error());
    co_return base::Result<void>{};
  }
  auto dialed = co_await visit.dial(*std::move(target));
  if (!dialed) co_return co_await visit.dismiss(socks5_reply(dialed.error().kind));
  const std::string reply = socks5_reply(std::nullopt);
  CO_TRY_VOID(co_await visit.stream().write_all(base::as_bytes(reply)));
  co_return co_await visit.carry(handshake.take_rest());
}

}  // namespace

Port::Serve socks5_proxy(const Context& context, Credentials credentials) {
  return [&context, credentials = std::move(credentials)](std::unique_ptr<net::Stream> stream) {
    return serve(context, std::move(stream), credentials);
  };
}

}  // namespace tunnel::local
