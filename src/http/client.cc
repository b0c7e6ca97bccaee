#include "http/client.h"

#include <algorithm>
#include <poll.h>
#include <strings.h>
#include <utility>

#include <fmt/format.h>

#include "base/buffer.h"

namespace http {

using async::Task;
using base::Code;
using base::Result;

namespace {

bool same_name(std::string_view a, std::string_view b) {
  return a.size() == b.size() && ::strncasecmp(a.data(), b.data(), a.size()) == 0;
}

/// No byte that would end the line it stands on.
bool fits_a_line(std::string_view text) {
  return text.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos;
}

bool fits_a_word(std::string_view text) {
  return !text.empty() && fits_a_line(text) && !text.contains(' ');
}

/// An idle connection with something to read has either been closed or says what nobody asked for.
bool still_quiet(net::Stream& stream) {
  const int descriptor = stream.descriptor();
  if (descriptor < 0) return true;
  pollfd state{.fd = descriptor, .events = POLLIN, .revents = 0};
  return ::poll(&state, 1, 0) == 0;
}

}  // namespace

std::string_view ClientRequest::find(std::string_view name) const {
  for (const auto& field : fields) {
    if (same_name(field.name, name)) return field.value;
  }
  return {};
}

void ClientRequest::set(std::string name, std::string value) {
  std::erase_if(fields, [&](const HeaderField& field) { return same_name(field.name, name); });
  fields.push_back({std::move(name), std::move(value)});
}

Result<std::string> encode(const ClientRequest& request, const Origin& origin) {
  if (!fits_a_word(request.method) || !fits_a_word(request.target)) {
    return base::fail(Code::invalid,
                      "the method or target of the request has a space or control character");
  }
  auto wire = fmt::format("{} {} HTTP/1.1\r\nHost: {}\r\n", request.method, request.target,
                          origin.authority());
  for (const auto& [name, value] : request.fields) {
    if (!fits_a_word(name) || !fits_a_line(value)) {
      return base::fail(Code::invalid,
                        fmt::format("the value of header {} has a line break or NUL in it", name));
    }
    wire += fmt::format("{}: {}\r\n", name, value);
  }
  if (!request.body.empty() || request.method == "POST" || request.method == "PUT" ||
      request.method == "PATCH") {
    wire += fmt::format("Content-Length: {}\r\n", request.body.size());
  }
  wire += "\r\n";
  wire += request.body;
  return wire;
}

/// One request and its response on one connection.
struct ClientResponse::Exchange {
  Client* client;
  std::unique_ptr<net::Stream> stream;  // null once given back or ended
  ResponseParser parser;
  std::string unparsed;
  std::string parsed;  // body that came with the head

  Task<void> receive();
  void settle();
};

Task<void> ClientResponse::Exchange::receive() {
  CO_TRY_VOID(co_await stream->wait_readable());
  base::Buffer block(base::Buffer::kBlock);
  CO_TRY(const auto count, co_await stream->read_some(block.tail()));
  if (count == 0) {
    CO_TRY_VOID(parser.end());
    stream.reset();
    co_return Result<void>{};
  }
  block.commit(count);
  unparsed += base::as_text(block.bytes());
  CO_TRY(const auto taken, parser.feed(base::as_bytes(unparsed)));
  unparsed.erase(0, taken);
  settle();
  co_return Result<void>{};
}

void ClientResponse::Exchange::settle() {
  if (!stream || !parser.done()) return;
  auto free = std::move(stream);
  if (unparsed.empty() && parser.keep_alive()) client->keep(std::move(free));
}

ClientResponse::ClientResponse() = default;
ClientResponse::ClientResponse(ClientResponse&&) noexcept = default;
ClientResponse& ClientResponse::operator=(ClientResponse&&) noexcept = default;
ClientResponse::~ClientResponse() = default;
ClientResponse::ClientResponse(std::unique_ptr<Exchange> exchange)
    : exchange_(std::move(exchange)) {}

unsigned ClientResponse::status() const { return head().status; }
const ResponseHead& ClientResponse::head() const { return exchange_->parser.head(); }

Task<std::string> ClientResponse::read_part() {
  for (;;) {
    auto part = exchange_->parser.take_body();
    if (!part.empty() || !exchange_->stream) co_return part;
    CO_TRY_VOID(co_await exchange_->receive());
  }
}

Task<std::string> ClientResponse::read_all(std::size_t limit) {
  std::string whole;
  for (;;) {
    CO_TRY(auto part, co_await read_part());
    if (part.empty()) co_return whole;
    if (whole.size() + part.size() > limit) {
      co_return base::fail(Code::exhausted,
                           fmt::format("the response body is longer than {} bytes", limit));
    }
    whole = whole.empty() ? std::move(part) : whole + part;
  }
}

Client::Client(async::Clock& clock, Connector& connector, Options options)
    : clock_(clock), connector_(connector), options_(options) {}

std::unique_ptr<net::Stream> Client::take_idle() {
  while (!idle_.empty()) {
    auto last = std::move(idle_.back());
    idle_.pop_back();
    if (last.until > clock_.now() && still_quiet(*last.stream)) return std::move(last.stream);
  }
  return nullptr;
}

void Client::keep(std::unique_ptr<net::Stream> stream) {
  std::erase_if(idle_, [&](const Idle& idle) { return idle.until <= clock_.now(); });
  if (idle_.size() >= options_.max_idle) return;
  idle_.push_back({std::move(stream), clock_.now() + options_.idle_limit});
}

Task<ClientResponse> Client::send(ClientRequest request) {
  CO_TRY(const auto wire, encode(request, connector_.origin()));
  const bool head_only = request.method == "HEAD";
  const bool repeatable = request.repeatable || head_only || request.method == "GET";
  while (auto kept = take_idle()) {
    bool answered = false;
    auto response = co_await exchange(std::move(kept), wire, head_only, &answered);
    if (response) co_return ClientResponse(std::move(*response));
    const auto code = response.error().code;
    const bool stale = !answered && (code == Code::closed || code == Code::io);
    if (!stale || !repeatable) co_return base::fail(std::move(response).error());
  }
  CO_TRY(auto fresh, co_await connector_.connect());
  bool answered = false;
  CO_TRY(auto response, co_await exchange(std::move(fresh), wire, head_only, &answered));
  co_return ClientResponse(std::move(response));
}

// Sends `wire` on `stream` and returns once the head of the response has come.
Task<Client::ExchangePtr> Client::exchange(std::unique_ptr<net::Stream> stream,
                                           const std::string& wire, bool head_only,
                                           bool* answered) {
  const ResponseParser::Options parsing{.max_head_bytes = options_.max_head_bytes,
                                        .without_body = head_only};
  ExchangePtr exchange(
      new ClientResponse::Exchange{this, std::move(stream), ResponseParser(parsing), {}, {}});
  // A server may refuse a request before it has read it all; its answer says more than the failed
  // write.
  const auto written = co_await exchange->stream->write_all(base::as_bytes(wire));
  if (!written && !written.error().is(Code::closed)) co_return base::fail(written.error());
  while (!exchange->parser.head_done()) {
    auto received = co_await exchange->receive();
    if (!received) {
      *answered = !exchange->unparsed.empty();
      co_return base::fail(written ? std::move(received).error() : written.error());
    }
  }
  co_return exchange;
}

}  // namespace http
