#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "async/clock.h"
#include "http/client_response.h"
#include "net/stream.h"

namespace http {

/// The HTTP/1.1 connections of one client that wait for their next request, and the exchange of one
/// request and response on one of them. Thread: that of the loop. `clock` outlives it.
class H1Connections {
 public:
  struct Options {
    std::size_t max_idle = 4;
    // Below the 90 s after which a kube-apiserver hangs up.
    async::Duration idle_limit = std::chrono::seconds(60);
    std::size_t max_head_bytes = 64 * 1024;
  };
  H1Connections(async::Clock& clock, Options options) : clock_(clock), options_(options) {}

  /// A connection that is still open, as far as can be told; null when there is none.
  std::unique_ptr<net::Stream> take();
  void keep(std::unique_ptr<net::Stream> stream);
  void clear() { idle_.clear(); }
  std::size_t idle() const { return idle_.size(); }

  struct Request {
    std::string wire;        // head and body
    bool head_only = false;  // the response has no body
  };
  /// Sends `request` on `stream` and returns once the head of the response has come. The connection
  /// is kept once the body was read to its end. On failure `answered` tells whether any byte of a
  /// response came. This object outlives the response.
  async::Task<ClientResponse> exchange(std::unique_ptr<net::Stream> stream, const Request& request,
                                       bool* answered);

 private:
  struct Idle {
    std::unique_ptr<net::Stream> stream;
    async::TimePoint until;
  };
  class Exchange;

  async::Clock& clock_;
  Options options_;
  std::vector<Idle> idle_;
};

}  // namespace http
