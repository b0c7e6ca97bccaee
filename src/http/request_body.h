#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include <boost/system/error_code.hpp>

#include "base/bytes.h"

namespace http {

/// Finds the end of one HTTP/1.1 request (RFC 9112, 6) in the bytes that follow its head. Sans-IO.
class RequestBody {
 public:
  /// `head`: up to the empty line, as parse_request_head() takes it.
  explicit RequestBody(const std::string& head);
  ~RequestBody();
  RequestBody(RequestBody&&) noexcept;

  /// How many of the next bytes belong to the request: all of them as long as it is not over.
  std::size_t take(base::Bytes bytes);
  /// Its last byte was taken, or what came is no body of the kind that its head announces.
  bool over() const { return over_; }

 private:
  struct Parser;
  std::size_t parse(base::Bytes bytes);
  std::size_t put(base::Bytes bytes, boost::system::error_code& error);

  std::unique_ptr<Parser> parser_;
  std::string unread_;  // the beginning of a chunk's head, or of a trailer
  bool over_ = false;
};

}  // namespace http
