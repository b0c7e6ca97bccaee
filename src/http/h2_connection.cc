#include "http/h2_connection.h"

#include <utility>

#include <boost/asio/experimental/awaitable_operators.hpp>

namespace http {
namespace {

using async::Task;
using base::Code;
using base::fail;
using base::Result;

// Frames gathered for one write: enough for several full TLS records, little enough to stay in the
// cache.
constexpr std::size_t kWriteAtOnce = 256 * 1024;

}  // namespace

H2Connection::H2Connection(async::Executor executor, std::unique_ptr<net::Stream> stream,
                           const H2Session::Options& options, Handler& handler)
    : stream_(std::move(stream)), handler_(handler), output_(executor), session_(options, *this) {}

H2Connection::~H2Connection() = default;

Task<void> H2Connection::run() {
  using namespace async::asio::experimental::awaitable_operators;
  auto outcome = co_await (read_loop() || write_loop());
  Result<void> ended = outcome.index() == 0 ? std::get<0>(std::move(outcome))
                                            : last_words(std::get<1>(std::move(outcome)));
  session_.close_streams(H2Error::connection_lost);
  stream_->close();
  co_return ended;
}

// A peer that takes no more may have said why before it went: TLS has alerts for it.
Result<void> H2Connection::last_words(Result<void> ended) {
  if (ended || !ended.error().is(Code::closed)) return ended;
  constexpr int kBlocks = 16;
  base::Buffer block(base::Buffer::kBlock);
  for (int i = 0; i < kBlocks; ++i) {
    auto count = stream_->try_read(block.tail());
    if (!count || (*count && **count == 0)) break;
    if (!*count) return count->error().is(Code::io) ? fail(std::move(*count).error()) : ended;
  }
  return ended;
}

Task<void> H2Connection::keep_alive(async::Clock& clock, async::Duration idle,
                                    async::Duration patience) {
  for (;;) {
    const std::uint64_t before = heard_;
    CO_TRY_VOID(co_await clock.sleep_for(idle));
    if (heard_ != before) continue;
    session_.ping();
    CO_TRY_VOID(co_await clock.sleep_for(patience));
    if (heard_ == before) co_return fail(Code::timeout, "the peer does not answer pings");
  }
}

Task<void> H2Connection::ping_every(async::Clock& clock, async::Duration interval,
                                    Patience patience) {
  return watch(clock, interval, patience, true);
}

Task<void> H2Connection::expect_pings(async::Clock& clock, async::Duration interval,
                                      Patience patience) {
  return watch(clock, interval, patience, false);
}

Task<void> H2Connection::watch(async::Clock& clock, async::Duration interval, Patience patience,
                               bool ping) {
  // The interval in which the last bytes came counts: they may have come at its beginning.
  for (int quiet = 0; quiet < patience.lost;) {
    const std::uint64_t before = heard_;
    if (ping) session_.ping();
    CO_TRY_VOID(co_await clock.sleep_for(interval));
    quiet = heard_ != before ? 1 : quiet + 1;
    if (quiet == patience.silent && !std::exchange(silent_, true)) handler_.on_silence();
  }
  const auto silence = std::chrono::duration_cast<std::chrono::seconds>(interval * patience.lost);
  co_return fail(Code::timeout, fmt::format("the peer has said nothing for {}s", silence.count()));
}

void H2Connection::close() { stream_->close(); }

std::unique_ptr<H2StreamHandler> H2Connection::on_request(H2Stream& stream,
                                                          const Headers& headers) {
  return handler_.on_request(stream, headers);
}

void H2Connection::on_output() {
  if (!std::exchange(has_output_, true)) output_.notify_all();
}

Task<void> H2Connection::read_loop() {
  net::BlockReader reader(*stream_);
  for (;;) {
    CO_TRY_VOID(co_await reader.wait());
    auto bytes = reader.view();
    if (!bytes) continue;
    CO_TRY_VOID(take(*bytes));
  }
}

Result<void> H2Connection::take(const Result<base::Bytes>& bytes) {
  if (!bytes) return fail(bytes.error());
  if (bytes->empty()) return fail(session_.why_over("the peer closed the connection"));
  ++heard_;
  if (std::exchange(silent_, false)) handler_.on_voice();
  return session_.receive(*bytes);
}

Task<void> H2Connection::write_loop() {
  for (;;) {
    has_output_ = false;
    base::BufferQueue out;
    CO_TRY_VOID(session_.produce(out, kWriteAtOnce));
    if (!out.empty()) {
      CO_TRY_VOID(co_await stream_->write_all(out));
      continue;
    }
    if (session_.finished()) co_return fail(session_.why_over("both sides are done"));
    while (!has_output_) CO_TRY_VOID(co_await output_.wait());
  }
}

}  // namespace http
