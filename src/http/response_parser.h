#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "http/header.h"

namespace http {

/// Status line and header fields of a response.
struct ResponseHead {
  unsigned status = 0;
  std::string reason;
  std::vector<HeaderField> fields;

  /// The value of the first field of that name, in any case, or "".
  std::string_view find(std::string_view name) const;
};

/// Parses one HTTP/1.1 response, fed with bytes as they come. No I/O.
///
/// Flow: feed() and take_body() in turn until done(); end() when the stream ended. Interim
/// responses (1xx but 101) are skipped. The body comes decoded of its chunks.
class ResponseParser {
 public:
  struct Options {
    std::size_t max_head_bytes = 64 * 1024;
    bool without_body = false;  // the answer to HEAD
  };
  explicit ResponseParser(Options options);
  ~ResponseParser();

  /// Takes bytes off `input`, which the caller presents again with more behind it while it is not
  /// all taken. Returns how many were taken: 0 means more are needed, or the response is done.
  base::Result<std::size_t> feed(base::Bytes input);
  /// Says that no more bytes come. An error unless that ends the response properly.
  base::Result<void> end();

  bool head_done() const;
  bool done() const;
  /// Whether the connection may carry another request; meaningful once done().
  bool keep_alive() const;
  const ResponseHead& head() const;
  /// The body bytes parsed since the last call.
  std::string take_body();

 private:
  class Impl;
  void restart();
  Options options_;
  std::unique_ptr<Impl> impl_;
};

}  // namespace http
