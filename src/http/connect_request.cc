#include "http/connect_request.h"

#include <stdexcept>
#include <utility>

#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>

namespace http {

namespace beast = boost::beast;

struct ConnectRequestReader::Parser {
  beast::http::request_parser<beast::http::empty_body> parser;
};

ConnectRequestReader::ConnectRequestReader() = default;
ConnectRequestReader::~ConnectRequestReader() = default;

namespace {

ConnectRequestReader::Outcome refuse(unsigned status) {
  return {.target = "", .refusal = status, .keep_alive = false};
}

template <typename Request>
ConnectRequestReader::Outcome outcome_of(const Request& request) {
  if (request.method() != beast::http::verb::connect) {
    // A body would have to be read before the next request; no client of a tunnel sends one.
    const bool body = request.has_content_length() || request.chunked();
    return {.target = "", .refusal = 405, .keep_alive = request.keep_alive() && !body};
  }
  std::string target(request.target());
  if (target.starts_with('/')) target = std::string(request[beast::http::field::host]);
  if (target.empty()) return refuse(400);
  return {.target = std::move(target)};
}

}  // namespace

std::optional<ConnectRequestReader::Outcome> ConnectRequestReader::next() {
  if (pending_.empty()) return std::nullopt;
  if (!parser_) {
    parser_ = std::make_unique<Parser>();
    parser_->parser.header_limit(static_cast<std::uint32_t>(kHeadBytes));
    parser_->parser.skip(true);
  }
  boost::system::error_code error;
  std::size_t used = 0;
  try {
    used = parser_->parser.put(boost::asio::buffer(pending_), error);
  } catch (const std::length_error&) {
    return refuse(431);  // Beast stores no field of 64 KiB or more
  }
  pending_.erase(0, used);
  if (error == beast::http::error::need_more && pending_.size() <= kHeadBytes) return std::nullopt;
  if (error == beast::http::error::header_limit || error == beast::http::error::need_more)
    return refuse(431);
  if (error) return refuse(400);
  if (!parser_->parser.is_header_done()) return std::nullopt;
  const auto finished = std::exchange(parser_, nullptr);
  return outcome_of(finished->parser.get());
}

std::string ConnectRequestReader::take_rest() { return std::exchange(pending_, {}); }

}  // namespace http
