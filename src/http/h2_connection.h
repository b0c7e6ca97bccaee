#pragma once

#include <memory>

#include "async/clock.h"
#include "async/event.h"
#include "http/h2_session.h"
#include "net/stream.h"

namespace http {

/// Drives an H2Session over a Stream. Hears the session's events by being its owner; hands requests
/// on.
class H2Connection : private H2Session::Events {
 public:
  /// What the user of a connection hears; see H2Session::Events.
  class Handler {
   public:
    virtual ~Handler() = default;
    virtual std::unique_ptr<H2StreamHandler> on_request(H2Stream& stream,
                                                        const Headers& headers) = 0;
    virtual void on_ping_acknowledged() {}
    virtual void on_goaway(std::uint32_t) {}
    /// A peer that is watched has fallen silent; it may speak again.
    virtual void on_silence() {}
    virtual void on_voice() {}
  };

  /// How many intervals without a byte make a watched peer silent, and how many end the connection.
  struct Patience {
    int silent;
    int lost;
  };

  /// `handler` must outlive the connection.
  H2Connection(async::Executor executor, std::unique_ptr<net::Stream> stream,
               const H2Session::Options& options, Handler& handler);
  ~H2Connection() override;

  /// Reads and writes until the connection ends, whoever ends it; every stream has been closed
  /// towards its handler then. Returns why it ended; Code::closed for an ordinary end.
  async::Task<void> run();

  /// Pings the peer when it has said nothing for `idle`, and ends the connection when it then stays
  /// silent for `patience`: to be run beside run(). Returns Code::timeout.
  async::Task<void> keep_alive(async::Clock& clock, async::Duration idle, async::Duration patience);

  /// Pings the peer every `interval`, to be run beside run(), tells the handler when it falls
  /// silent, and ends the connection when it stays so. Returns Code::timeout.
  async::Task<void> ping_every(async::Clock& clock, async::Duration interval, Patience patience);
  /// The same for the side that is pinged.
  async::Task<void> expect_pings(async::Clock& clock, async::Duration interval, Patience patience);

  /// How often bytes came: who finds it unchanged has heard nothing since.
  std::uint64_t heard() const { return heard_; }
  /// Ends the connection at once.
  void close();
  H2Session& session() { return session_; }
  net::Stream& stream() { return *stream_; }

 private:
  std::unique_ptr<H2StreamHandler> on_request(H2Stream& stream, const Headers& headers) override;
  void on_output() override;
  void on_ping_acknowledged() override { handler_.on_ping_acknowledged(); }
  void on_goaway(std::uint32_t error) override { handler_.on_goaway(error); }

  async::Task<void> watch(async::Clock& clock, async::Duration interval, Patience patience,
                          bool ping);
  base::Result<void> last_words(base::Result<void> ended);
  async::Task<void> read_loop();
  base::Result<void> take(const base::Result<base::Bytes>& bytes);
  async::Task<void> write_loop();

  std::unique_ptr<net::Stream> stream_;
  Handler& handler_;
  async::Event output_;
  bool has_output_ = true;
  std::uint64_t heard_ = 0;
  bool silent_ = false;  // the handler was told so
  H2Session session_;
};

}  // namespace http
