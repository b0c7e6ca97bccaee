#include "http/connect_request.h"

#include <algorithm>
#include <cctype>
#include <utility>

#include <fmt/format.h>

#include "http/request_head.h"

namespace http {
namespace {

namespace beast = boost::beast;
using Request = RequestHead;
using Outcome = ConnectRequestReader::Outcome;

Outcome refuse(unsigned status, std::string reason) {
  return {.refusal = status, .reason = std::move(reason)};
}

// How a client begins that takes HTTP/2 for agreed (RFC 9113, 3.4).
constexpr std::string_view kHttp2Preface = "PRI * HTTP/2.0";

constexpr char kTlsHandshake = 0x16;  // the first byte of a TLS connection

Outcome refuse_tls() {
  return refuse(400,
                "the client speaks TLS; this socket speaks without it: turn TLS off at the "
                "client");
}

Outcome refuse_unparsed(std::string_view head) {
  if (head.starts_with(kHttp2Preface)) {
    return refuse(400,
                  "the client speaks HTTP/2; make it ask by HTTP/1.1 CONNECT, or start the server "
                  "with --mode=grpc when it is a gRPC client");
  }
  return refuse(400, "the client does not speak HTTP/1; this port takes HTTP/1.1 CONNECT");
}

Outcome refuse_long_head() {
  return refuse(431, fmt::format("the request head is longer than {} bytes",
                                 ConnectRequestReader::kHeadBytes));
}

// The parser takes CRLF only.
std::string with_crlf(std::string_view head) {
  std::string text;
  text.reserve(head.size() + 64);
  for (const char c : head) {
    if (c == '\n' && !text.ends_with('\r')) text += '\r';
    text += c;
  }
  return text;
}

// An authority is a host and perhaps a port; brackets stand around the host only.
bool is_authority(std::string_view target) {
  const auto allowed = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
           std::string_view("-._~%!$&'()*+,;=:[]@").contains(c);
  };
  const std::size_t open = target.find('['), close = target.find(']');
  const bool bracketed = open == 0 && close != std::string_view::npos;
  if (open != std::string_view::npos && !bracketed) return false;
  const std::string_view port = bracketed ? target.substr(close + 1) : target;
  return !target.empty() && std::ranges::all_of(target, allowed) &&
         std::ranges::count(port, ':') <= (bracketed ? 1 : 2);
}

Outcome judge(const Request& request) {
  const bool connect = request.method() == beast::http::verb::connect;
  const auto hosts = request.count(beast::http::field::host);
  if (hosts > 1 || (hosts == 0 && request.version() >= 11 && !connect))
    return refuse(400, "the request has no Host field, or several");
  if (!connect) {
    // A body would have to be read before the next request; no client of a tunnel sends one.
    const bool body = request.count(beast::http::field::content_length) > 0 || request.chunked();
    return {.refusal = 405,
            .keep_alive = request.keep_alive() && !body,
            .reason = fmt::format("the client asked for {}; this port takes CONNECT only",
                                  std::string_view(request.method_string()))};
  }
  std::string target(request.target());
  if (target.starts_with('/')) target = std::string(request[beast::http::field::host]);
  if (!is_authority(target)) return refuse(400, "the target of CONNECT is not host:port");
  return {.target = std::move(target)};
}

}  // namespace

// The head ends with an empty line. Empty lines before it are skipped (RFC 9112, 2.2).
std::optional<std::string> ConnectRequestReader::take_head() {
  const std::size_t begin = pending_.find_first_not_of("\r\n");
  if (begin == std::string::npos) return std::nullopt;
  for (std::size_t at = pending_.find('\n', std::max(begin, searched_)); at != std::string::npos;
       at = pending_.find('\n', at + 1)) {
    const bool crlf = at + 1 < pending_.size() && pending_[at + 1] == '\r';
    const std::size_t end = at + (crlf ? 2 : 1);
    if (end >= pending_.size()) break;
    if (pending_[end] == '\n') {
      std::string head = pending_.substr(begin, end + 1 - begin);
      pending_.erase(0, end + 1);
      searched_ = 0;
      return head;
    }
  }
  searched_ = pending_.size() > 2 ? pending_.size() - 2 : 0;
  return std::nullopt;
}

std::optional<Outcome> ConnectRequestReader::next() {
  if (pending_.starts_with(kTlsHandshake)) return refuse_tls();
  const auto head = take_head();
  if (!head) {
    if (pending_.size() > kHeadBytes) return refuse_long_head();
    return std::nullopt;
  }
  if (head->size() > kHeadBytes) return refuse_long_head();
  const auto request = parse_request_head(with_crlf(*head), 2 * ConnectRequestReader::kHeadBytes);
  return request ? judge(*request) : refuse_unparsed(*head);
}

std::string ConnectRequestReader::take_rest() { return std::exchange(pending_, {}); }

}  // namespace http
