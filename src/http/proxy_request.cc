#include "http/proxy_request.h"

#include <algorithm>
#include <array>
#include <utility>

#include <boost/beast/http/rfc7230.hpp>
#include <boost/beast/http/write.hpp>
#include <fmt/format.h>

#include "http/base64.h"
#include "http/request_head.h"
#include "http/url.h"
#include "net/address.h"

namespace http {
namespace {

namespace beast = boost::beast;
using beast::http::field;
using Fields = beast::http::fields;
using Request = RequestHead;
using Outcome = ProxyRequestReader::Outcome;

Outcome refuse(unsigned status, std::string reason) {
  return {.refusal = status, .reason = std::move(reason)};
}

std::string basic_credentials(const Request& request) {
  constexpr std::string_view kBasic = "Basic ";
  const std::string_view text = request[field::proxy_authorization];
  if (!beast::iequals(text.substr(0, kBasic.size()), kBasic)) return "";
  return base64_decode(text.substr(kBasic.size())).value_or("");
}

/// Whether the client asks to speak something else on the connection, as WebSockets do.
bool upgrades(const Request& request) {
  return beast::http::token_list(request[field::connection]).exists("upgrade");
}

/// Removes what is meant for the next hop alone (RFC 9110, 7.6.1).
void remove_hop_fields(Request& request) {
  std::vector<std::string> named;
  for (const auto& token : beast::http::token_list(request[field::connection]))
    named.emplace_back(token);
  for (const std::string& name : named) {
    if (!beast::iequals(name, "upgrade")) request.erase(name);
  }
  for (const field name : {field::proxy_connection, field::proxy_authorization, field::keep_alive,
                           field::connection}) {
    request.erase(name);
  }
}

/// The head as the origin gets it. One request a connection: the next one of this client may be for
/// another origin. The version stays, since the answer goes to the client as it comes.
std::string forwarded_head(Request request, const Url& url) {
  const bool upgrade = upgrades(request);
  remove_hop_fields(request);
  request.set(field::connection, upgrade ? "upgrade" : "close");
  request.set(field::host, url.origin.authority());
  std::string path = url.path.empty() ? "/" : url.path;
  if (!url.query.empty()) path += "?" + url.query;
  std::string head = fmt::format("{} {} HTTP/1.{}\r\n", std::string_view(request.method_string()),
                                 path, request.version() % 10);
  for (const auto& each : request) {
    head += fmt::format("{}: {}\r\n", std::string_view(each.name_string()),
                        std::string_view(each.value()));
  }
  return head + "\r\n";
}

Outcome judge(Request request) {
  Outcome outcome{.credentials = basic_credentials(request)};
  constexpr std::string_view kHttp = "http://";
  const std::string target(request.target());
  if (request.method() == beast::http::verb::connect) {
    if (!net::parse_host_port(target)) return refuse(400, "the target of CONNECT is not host:port");
    outcome.target = target;
    return outcome;
  }
  if (!beast::iequals(std::string_view(target).substr(0, kHttp.size()), kHttp)) {
    return refuse(400, target.starts_with('/')
                           ? "this port is a proxy: set it as http_proxy, or ask for a whole URL"
                           : "the URL asked for is not http://; others come by CONNECT");
  }
  const auto url = parse_url(std::string(kHttp) + target.substr(kHttp.size()));
  if (!url) return refuse(400, url.error().message);
  outcome.target = url->origin.address();
  outcome.upgrade = upgrades(request);
  outcome.forwarded = forwarded_head(std::move(request), *url);
  return outcome;
}

std::string_view reason_of(unsigned status) {
  return std::string_view(beast::http::obsolete_reason(beast::http::int_to_status(status)));
}

}  // namespace

std::optional<Outcome> ProxyRequestReader::next() {
  constexpr std::string_view kEnd = "\r\n\r\n";
  constexpr char kTlsHandshake = 0x16;  // the first byte of a TLS connection
  constexpr char kSocks5 = 5;
  if (pending_.starts_with(kTlsHandshake))
    return refuse(400, "the client speaks TLS to the proxy; it has to be http://, not https://");
  if (pending_.starts_with(kSocks5))
    return refuse(400, "the client speaks SOCKS5; this port is for HTTP");
  const std::size_t end = pending_.find(kEnd);
  if (end == std::string::npos && pending_.size() <= kHeadBytes) return std::nullopt;
  if (end > kHeadBytes)
    return refuse(431, fmt::format("the request head is longer than {} bytes", kHeadBytes));
  auto request =
      parse_request_head(pending_.substr(0, end + kEnd.size()), 2 * ProxyRequestReader::kHeadBytes);
  pending_.erase(0, end + kEnd.size());
  if (!request) return refuse(400, "the request is not HTTP/1.1");
  return judge(*std::move(request));
}

std::string ProxyRequestReader::take_rest() { return std::exchange(pending_, {}); }

std::string proxy_refusal(unsigned status, const std::string& text) {
  const std::string body = text + "\n";
  return fmt::format(
      "HTTP/1.1 {} {}\r\n{}Content-Type: text/plain; charset=utf-8\r\nContent-Length: {}\r\n"
      "Connection: close\r\n\r\n{}",
      status, reason_of(status),
      status == 407 ? "Proxy-Authenticate: Basic realm=\"cluster-proxy\"\r\n" : "", body.size(),
      body);
}

}  // namespace http
