#pragma once

#include <chrono>
#include <expected>
#include <memory>
#include <optional>

#include "async/clock.h"
#include "async/event.h"
#include "async/task_group.h"
#include "http/client_request.h"
#include "http/client_response.h"
#include "http/h2_connection.h"

namespace http {

/// Why a request on an HTTP/2 connection failed, and what that means for sending it again.
struct H2RequestError : base::Error {
  enum class Fate {
    unprocessed,  // the server has done nothing with it: any request may be sent again
    unanswered,   // the connection went before the response began: repeatable ones may be
    refused       // sending it again does not help
  };
  H2RequestError(base::Error cause) : base::Error(std::move(cause)) {}  // implicit: rises by TRY
  H2RequestError(Fate fate_of, base::Error cause) : base::Error(std::move(cause)), fate(fate_of) {}

  Fate fate = Fate::refused;
};

/// One HTTP/2 connection of a client: any number of requests at once, each on a stream with a
/// window of its own, so that a response that nobody reads holds up no other.
///
/// The connection lives by itself, until it is lost, or closed, or has answered the last request
/// after GOAWAY or retire(). A peer that says nothing for `ping_after` is pinged, and given up when
/// it then is silent for `ping_limit`. Thread: that of the loop. The clock outlives it.
class H2Client : public std::enable_shared_from_this<H2Client>, private H2Connection::Handler {
 public:
  struct Options {
    async::Duration ping_after = std::chrono::seconds(30);
    async::Duration ping_limit = std::chrono::seconds(15);
    std::uint32_t stream_window = 4 << 20;       // bytes of one response that nobody has read yet
    std::uint32_t connection_window = 64 << 20;  // bytes on the way, of all responses
    std::uint32_t header_limit = 64 * 1024;      // bytes of one response's fields
  };
  static std::shared_ptr<H2Client> start(async::Executor executor, async::Clock& clock,
                                         std::unique_ptr<net::Stream> stream,
                                         const Options& options);
  ~H2Client() override;

  /// Returns when the head of the response has come. Waits while the server allows no further
  /// stream. The request has passed check_request().
  async::Awaitable<std::expected<ClientResponse, H2RequestError>> send(ClientRequest request,
                                                                       Origin origin);
  /// Takes no more requests; those under way go on.
  void retire();
  /// Ends it at once, and with it what is under way.
  void close();

  /// Whether send() makes sense: no GOAWAY came, and the connection is there.
  bool accepting() const { return accepting_; }
  /// Whether it has ever carried a response.
  bool proven() const { return proven_; }

 private:
  struct Call;
  class CallHandler;
  class Exchange;
  using CallPtr = std::shared_ptr<Call>;

  H2Client(async::Executor executor, async::Clock& clock, std::unique_ptr<net::Stream> stream,
           const Options& options);
  static async::Task<void> serve(std::shared_ptr<H2Client> self);
  async::Awaitable<std::expected<void, H2RequestError>> open(CallPtr call, ClientRequest request,
                                                             Headers headers);
  base::Result<void> submit(const CallPtr& call, const ClientRequest& request,
                            const Headers& headers);
  async::Awaitable<H2RequestError> explain(CallPtr call);
  std::unique_ptr<H2StreamHandler> on_request(H2Stream&, const Headers&) override { return {}; }
  void on_goaway(std::uint32_t error) override;

  async::Executor executor_;
  async::Clock& clock_;
  Options options_;
  bool accepting_ = true;
  bool proven_ = false;
  std::optional<base::Error> over_;  // why the connection ended
  async::Event changed_;             // there may be room for a stream, or none ever again
  H2Connection connection_;
  async::TaskGroup tasks_;
};

}  // namespace http
