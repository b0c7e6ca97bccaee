#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "tunnel/client/join.h"
#include "tunnel/local/port.h"

namespace tunnel::local {

/// One connection to a local port, while it is served. Tells its outcome when it goes.
class Visit {
 public:
  Visit(const Context& context, std::unique_ptr<net::Stream> stream);
  ~Visit();
  Visit(const Visit&) = delete;
  Visit& operator=(const Visit&) = delete;

  net::Stream& stream() { return *stream_; }
  async::Clock& clock() { return context_.clock; }
  /// More of what the client says before it is connected; an error for its end.
  async::Task<std::string> read_more();
  /// Connects to `target`, or gives up when the client goes away meanwhile.
  async::Awaitable<std::expected<void, client::DialError>> dial(std::string target);
  /// Nothing that follows the request with this head is carried. Returns how many of the bytes that
  /// were read behind it belong to it.
  std::size_t keep_to_request(const std::string& head, std::string_view behind);
  /// After dial(): sends `first` to the target, then joins the two until both have ended.
  async::Task<void> carry(std::string first);
  void failed(base::Error error);
  /// The client gets `last_words`, then the end.
  async::Task<void> dismiss(std::string last_words);

 private:
  async::Task<void> client_gone();
  async::Task<void> client_closed();
  async::Task<void> forsaken(const client::Join& join);

  const Context& context_;
  std::unique_ptr<net::Stream> stream_;
  std::unique_ptr<net::Stream> far_;
  Outcome outcome_;
};

/// How long a client may take to say what it wants.
inline constexpr async::Duration kFirstWordsWithin = std::chrono::seconds(60);

}  // namespace tunnel::local
