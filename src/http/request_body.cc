#include "http/request_body.h"

#include <algorithm>
#include <stdexcept>
#include <string_view>

#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>

namespace http {
namespace {

namespace beast = boost::beast;
constexpr std::size_t kUnread = 64 * 1024;  // bytes of a chunk's head, or of the trailer

// A body whose bytes nobody wants to have.
struct Passing {
  struct value_type {};
  class reader {
   public:
    template <bool request, typename Fields>
    reader(beast::http::header<request, Fields>&, value_type&) {}
    void init(const boost::optional<std::uint64_t>&, boost::system::error_code& error) {
      error = {};
    }
    template <typename Buffers>
    std::size_t put(const Buffers& buffers, boost::system::error_code& error) {
      error = {};
      return boost::asio::buffer_size(buffers);
    }
    void finish(boost::system::error_code& error) { error = {}; }
  };
};

}  // namespace

struct RequestBody::Parser : beast::http::request_parser<Passing> {};

RequestBody::RequestBody(const std::string& head) : parser_(std::make_unique<Parser>()) {
  parser_->body_limit(boost::none);
  parser_->header_limit(static_cast<std::uint32_t>(head.size() + kUnread));
  parser_->eager(true);
  parse(base::as_bytes(head));
  if (!parser_->is_header_done()) over_ = true;
  unread_.clear();
}

RequestBody::~RequestBody() = default;
RequestBody::RequestBody(RequestBody&&) noexcept = default;

std::size_t RequestBody::take(base::Bytes bytes) {
  if (over_) return 0;
  // Beast takes it for granted that an empty first chunk comes with its end.
  constexpr std::size_t kLeast = std::string_view("0\r\n\r\n").size();
  if (parser_->chunked() && unread_.size() + bytes.size() < kLeast) {
    unread_ += base::as_text(bytes);
    return bytes.size();
  }
  if (unread_.empty()) {
    const std::size_t parsed = parse(bytes);
    if (over_) return parsed;
    unread_ = base::as_text(bytes.subspan(parsed));
    return bytes.size();
  }
  const std::size_t before = unread_.size();
  unread_ += base::as_text(bytes);
  const std::size_t parsed = parse(base::as_bytes(unread_));
  if (over_) return std::max(parsed, before) - before;
  unread_.erase(0, parsed);
  over_ = unread_.size() > kUnread;
  return bytes.size();
}

// Beast stores no field of 64 KiB or more: a trailer with one is no trailer.
std::size_t RequestBody::put(base::Bytes bytes, boost::system::error_code& error) {
  try {
    return parser_->put(boost::asio::buffer(bytes.data(), bytes.size()), error);
  } catch (const std::length_error&) {
    error = beast::http::error::header_limit;
    return 0;
  }
}

// How many it could make something of; the rest is to come again, with more.
std::size_t RequestBody::parse(base::Bytes bytes) {
  std::size_t parsed = 0;
  while (!parser_->is_done()) {
    boost::system::error_code error;
    const std::size_t count = put(bytes.subspan(parsed), error);
    parsed += count;
    if (error == beast::http::error::need_more || (!error && count == 0)) return parsed;
    if (error) break;
    if (parsed == bytes.size() && !parser_->is_done()) return parsed;
  }
  over_ = true;
  return parsed;
}

}  // namespace http
