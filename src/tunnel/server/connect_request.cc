#include "tunnel/server/connect_request.h"

#include <array>
#include <string_view>
#include <utility>

#include "http/connect_request.h"
#include "http/request_reader.h"

namespace tunnel {
namespace {

using async::Task;
using base::Code;
using base::fail;

constexpr std::string_view kH2Preface = "PRI * HTTP/2.0";

std::string refusal_text(unsigned status, bool keep_alive, const async::Clock& clock) {
  if (status == 405) {
    return http::encode_response(
        http::error_response(405, "this proxy only supports CONNECT passthrough"), false,
        keep_alive, http::http_date(clock));
  }
  const std::string_view line =
      status == 431 ? "431 Request Header Fields Too Large" : "400 Bad Request";
  return fmt::format(
      "HTTP/1.1 {}\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n{}", line,
      line);
}

}  // namespace

Task<std::string> read_first(net::Stream& stream) {
  std::string first;
  while (first.size() < kH2Preface.size() && kH2Preface.starts_with(first)) {
    CO_TRY_VOID(co_await stream.wait_readable());
    std::array<std::uint8_t, 4096> block;
    CO_TRY(const std::size_t count, co_await stream.read_some(block));
    if (count == 0) co_return fail(Code::closed, "client left before its request");
    first += base::as_text({block.data(), count});
  }
  co_return first;
}

bool begins_http2(std::string_view first) { return first.starts_with(kH2Preface); }

Task<ConnectRequest> read_connect_request(net::Stream& stream, std::string first,
                                          async::Clock& clock) {
  http::ConnectRequestReader reader;
  reader.feed(base::as_bytes(first));
  for (;;) {
    while (auto outcome = reader.next()) {
      if (outcome->refusal == 0)
        co_return ConnectRequest{std::move(outcome->target), reader.take_rest()};
      const std::string reply = refusal_text(outcome->refusal, outcome->keep_alive, clock);
      CO_TRY_VOID(co_await stream.write_all(base::as_bytes(reply)));
      if (!outcome->keep_alive) {
        (void)co_await close_gracefully(stream);
        co_return fail(Code::invalid, fmt::format("request refused with {}: {}", outcome->refusal,
                                                  outcome->reason));
      }
    }
    CO_TRY_VOID(co_await stream.wait_readable());
    std::array<std::uint8_t, 4096> block;
    CO_TRY(const std::size_t count, co_await stream.read_some(block));
    if (count == 0) co_return fail(Code::closed, "client left before its request");
    reader.feed({block.data(), count});
  }
}

Task<void> close_gracefully(net::Stream& stream) {
  auto result = co_await stream.shutdown_write();
  stream.close();
  co_return result;
}

}  // namespace tunnel
