#include "http/request_reader.h"

#include <array>
#include <chrono>
#include <ctime>

#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <fmt/format.h>

namespace http {
namespace {

namespace beast = boost::beast;
using MessageParser = beast::http::request_parser<beast::http::string_body>;

unsigned status_of(const beast::error_code& error) {
  if (error == beast::http::error::header_limit) return 431;
  if (error == beast::http::error::body_limit) return 413;
  return 400;
}

RequestReader::Outcome outcome_of(const MessageParser::value_type& message) {
  RequestReader::Outcome outcome;
  const std::string_view target(message.target().data(), message.target().size());
  const std::size_t mark = std::min(target.find('?'), target.size());
  outcome.request.method = std::string(message.method_string());
  outcome.request.path = target.substr(0, mark);
  outcome.request.query = target.substr(std::min(mark + 1, target.size()));
  outcome.request.host = std::string(message[beast::http::field::host]);
  outcome.keep_alive = message.keep_alive();
  return outcome;
}

}  // namespace

struct RequestReader::Parser {
  explicit Parser(Limits limits) {
    message.header_limit(static_cast<std::uint32_t>(limits.head_bytes));
    message.body_limit(limits.body_bytes);
    message.eager(true);
  }
  MessageParser message;
};

RequestReader::RequestReader(Limits limits) : limits_(limits) {}
RequestReader::~RequestReader() = default;

std::optional<RequestReader::Outcome> RequestReader::next() {
  if (parser_ == nullptr) parser_ = std::make_unique<Parser>(limits_);
  beast::error_code error;
  const std::size_t used = parser_->message.put(boost::asio::buffer(pending_), error);
  pending_.erase(0, used);
  if (error && error != beast::http::error::need_more) return Outcome{.refusal = status_of(error)};
  if (!parser_->message.is_done()) return std::nullopt;
  const auto whole = std::exchange(parser_, nullptr);
  return outcome_of(whole->message.get());
}

std::string http_date(const async::Clock& clock) {
  const std::time_t now = std::chrono::system_clock::to_time_t(clock.wall_now());
  std::tm parts{};
  ::gmtime_r(&now, &parts);
  std::array<char, 40> text{};
  const std::size_t size =
      std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
  return {text.data(), size};
}

std::string encode_response(const ServerResponse& response, bool head_only, bool keep_alive,
                            const std::string& date) {
  const auto reason =
      beast::http::obsolete_reason(static_cast<beast::http::status>(response.status));
  std::string text =
      fmt::format("HTTP/1.1 {} {}\r\nContent-Type: {}\r\nContent-Length: {}\r\nDate: {}\r\n",
                  response.status, std::string_view(reason.data(), reason.size()),
                  response.content_type, response.body.size(), date);
  for (const auto& [name, value] : response.fields) text += fmt::format("{}: {}\r\n", name, value);
  if (!keep_alive) text += "Connection: close\r\n";
  text += "\r\n";
  if (!head_only) text += response.body;
  return text;
}

}  // namespace http
