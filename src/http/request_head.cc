#include "http/request_head.h"

#include <stdexcept>

#include <boost/beast/http/parser.hpp>

namespace http {

namespace beast = boost::beast;

std::optional<RequestHead> parse_request_head(const std::string& head, std::size_t limit) {
  beast::http::request_parser<beast::http::empty_body> parser;
  parser.header_limit(static_cast<std::uint32_t>(limit));
  parser.skip(true);
  boost::system::error_code error;
  try {
    parser.put(boost::asio::buffer(head), error);
  } catch (const std::length_error&) {
    return std::nullopt;  // Beast stores no field of 64 KiB or more
  }
  if (error || !parser.is_header_done()) return std::nullopt;
  return parser.release();
}

}  // namespace http
