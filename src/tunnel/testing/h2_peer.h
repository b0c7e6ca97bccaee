#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "async/task_group.h"
#include "http/h2_connection.h"

namespace tunnel::testing {

/// One stream of an H2Peer: what it heard, and the means to answer.
struct H2PeerStream {
  http::H2Stream* stream = nullptr;    // null once closed
  std::vector<http::Headers> headers;  // each block that came
  std::string body;
  bool ended = false;
  std::optional<std::uint32_t> closed;  // with which error
  bool takes = true;                    // gives the window back at once

  void say(std::string_view text) { stream->send(base::as_bytes(text)); }
  std::string header(std::string_view name) const;
};

/// A peer that speaks HTTP/2 but means by it what the test wants, down to bytes that are none.
/// Thread: that of the loop.
class H2Peer : private http::H2Connection::Handler {
 public:
  /// `tasks` is cancelled before the peer goes.
  H2Peer(async::TaskGroup& tasks, std::unique_ptr<net::Stream> stream,
         const http::H2Session::Options& options);
  ~H2Peer() override;

  H2PeerStream& open(const http::Headers& headers);
  /// Puts bytes between the frames: while nothing else is under way.
  void inject(std::string bytes);
  http::H2Session& session() { return connection_.session(); }
  void hang_up() { connection_.close(); }

  /// The peer's requests, in order.
  const std::vector<std::unique_ptr<H2PeerStream>>& requests() const { return requests_; }
  std::optional<std::uint32_t> goaway() const { return goaway_; }
  /// Why the connection ended.
  const std::optional<base::Error>& ended() const { return ended_; }

 private:
  class Handler;
  async::Task<void> run();
  async::Task<void> write(std::string bytes);
  std::unique_ptr<http::H2StreamHandler> on_request(http::H2Stream& stream,
                                                    const http::Headers& headers) override;
  void on_goaway(std::uint32_t error) override { goaway_ = error; }

  async::TaskGroup& tasks_;
  std::vector<std::unique_ptr<H2PeerStream>> requests_, opened_;
  std::optional<std::uint32_t> goaway_;
  std::optional<base::Error> ended_;
  http::H2Connection connection_;
};

/// A block of HPACK of a few KiB that unfolds to 800 KiB of headers.
std::string header_bomb();
/// A field of HPACK that is in no table, of less than 127 bytes each.
std::string literal_field(std::string_view name, std::string_view value);

/// A frame of HTTP/2 (RFC 9113, 4.1), whatever is in it.
std::string frame(std::uint8_t type, std::uint8_t flags, std::uint32_t stream,
                  std::string_view payload);

}  // namespace tunnel::testing
