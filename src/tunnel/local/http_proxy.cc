#include <utility>

#include "async/timeout.h"
#include "http/proxy_request.h"
#include "tunnel/local/visit.h"

namespace tunnel::local {
namespace {

using async::Task;
using client::Failure;

constexpr std::string_view kEstablished = "HTTP/1.1 200 Connection established\r\n\r\n";

Task<http::ProxyRequestReader::Outcome> read_request(Visit& visit,
                                                     http::ProxyRequestReader& reader) {
  for (;;) {
    CO_TRY(const std::string bytes, co_await visit.read_more());
    reader.feed(base::as_bytes(bytes));
    if (auto outcome = reader.next()) co_return *std::move(outcome);
  }
}

bool may_use(const Credentials& wanted, const std::string& given) {
  if (!wanted.wanted()) return true;
  const std::size_t colon = std::min(given.find(':'), given.size());
  return wanted.match(given.substr(0, colon), given.substr(std::min(colon + 1, given.size())));
}

unsigned status_for(Failure failure) {
  switch (failure) {
    case Failure::timed_out:
      return 504;
    case Failure::not_allowed:
      return 403;
    case Failure::overloaded:
      return 503;
    case Failure::bad_target:
      return 400;
    default:
      return 502;
  }
}

Task<void> refuse(Visit& visit, unsigned status, std::string reason) {
  visit.failed({base::Code::invalid, reason});
  co_return co_await visit.dismiss(http::proxy_refusal(status, reason));
}

Task<void> serve(const Context& context, std::unique_ptr<net::Stream> stream,
                 Credentials credentials) {
  Visit visit(context, std::move(stream));
  http::ProxyRequestReader reader;
  auto request = co_await async::with_timeout(context.clock, kFirstWordsWithin, "HTTP request",
                                              read_request(visit, reader));
  if (!request) {
    visit.failed(std::move(request).error());
    co_return base::Result<void>{};
  }
  if (request->refusal != 0) co_return co_await refuse(visit, request->refusal, request->reason);
  if (!may_use(credentials, request->credentials)) {
    co_return co_await refuse(visit, 407, "this proxy wants another user name and password");
  }
  auto dialed = co_await visit.dial(request->target);
  if (!dialed) {
    const auto& error = dialed.error();
    co_return co_await visit.dismiss(http::proxy_refusal(status_for(error.kind), error.message));
  }
  if (request->forwarded.empty())
    CO_TRY_VOID(co_await visit.stream().write_all(base::as_bytes(kEstablished)));
  std::string rest = reader.take_rest();
  if (!request->forwarded.empty() && !request->upgrade)
    rest.resize(visit.keep_to_request(request->forwarded, rest));
  co_return co_await visit.carry(request->forwarded + rest);
}

}  // namespace

Port::Serve http_proxy(const Context& context, Credentials credentials) {
  return [&context, credentials = std::move(credentials)](std::unique_ptr<net::Stream> stream) {
    return serve(context, std::move(stream), credentials);
  };
}

}  // namespace tunnel::local
