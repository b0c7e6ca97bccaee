#include "tunnel/server/native_leg.h"

#include <utility>

#include <fmt/format.h>

#include "tunnel/proxy_status.h"
#include "tunnel/server/backend.h"
#include "tunnel/server/context.h"

namespace tunnel {

namespace {

// What a target may say after its client has gone, until it is told so: an answer that crosses the
// end, not a download that nobody takes.
constexpr std::size_t kLastWords = 1024 * 1024;

}  // namespace

http::Headers dial_headers(const DialRequest& request, std::int64_t random) {
  return {{":method", "CONNECT"},
          {":authority", request.target},
          {"network", request.network.empty() ? "tcp" : request.network},
          {"connection-id", fmt::format("{:x}", random)}};
}

NativeLeg::NativeLeg(http::H2Stream& stream, ServerContext& context, Backend& backend,
                     Frontend& frontend, const DialRequest& request, std::int64_t random)
    : LinkLeg(context, backend, frontend, request, random), stream_(stream) {}

NativeLeg::~NativeLeg() {
  if (lingering_) context_.close_linger.remove(*this);
}

void NativeLeg::push(base::Buffer bytes) {
  if (!finished_) stream_.send(std::move(bytes));
}

void NativeLeg::finish() {
  if (std::exchange(finished_, true)) return;
  stream_.end();
}

// As close(2): what was sent goes, what still comes is of no interest, and the target may take a
// moment to end as well.
void NativeLeg::close() {
  finish();
  linger();
  closed_by_client();
}

void NativeLeg::on_headers(const http::Headers& headers) {
  if (!answered_) backend().heard();
  if (std::exchange(answered_, true) || deserted()) return;
  const std::string* status = http::find(headers, ":status");
  if (status != nullptr && *status == "200") return established(random());
  fail(DialFailure::error_response, dial_failure_text(headers));
  stream_.reset(http::H2Error::cancel);
}

void NativeLeg::on_data(base::Pieces pieces) {
  if (!deserted() && !dialing()) return data(pieces);
  stream_.consume(pieces.size());
  unwanted_ += pieces.size();
  if (lingering_ && unwanted_ > kLastWords && stream_.queued() == 0) end_lingering();
}

void NativeLeg::on_end() {
  ended_ = true;
  if (!dialing()) finished_by_target();
}

void NativeLeg::on_close(std::uint32_t code) {
  const auto error = static_cast<http::H2Error>(code);
  if (deserted()) return;
  if (dialing()) return dial_lost(error);
  if (error == http::H2Error::no_error && ended_) return closed(End::target, "", false);
  if (error == http::H2Error::connection_lost)
    return closed(End::agent_lost, "agent connection lost", true);
  closed(End::target, "the connection to the target was reset", true);
}

void NativeLeg::dial_lost(http::H2Error error) {
  if (error == http::H2Error::connection_lost)
    return fail(DialFailure::backend_close, "agent connection lost while dialing");
  fail(DialFailure::error_response,
       fmt::format("the agent refused the dial with error {}", static_cast<std::uint32_t>(error)));
}

void NativeLeg::cancel_dial() { stream_.reset(http::H2Error::cancel); }

// A client that ended well has its last bytes delivered; one that broke off has not.
void NativeLeg::drop() {
  if (!finished_) return stream_.reset(http::H2Error::cancel);
  linger();
}

void NativeLeg::linger() {
  if ((ended_ && stream_.queued() == 0) || std::exchange(lingering_, true)) return;
  moved_ = context_.clock.now();
  last_bytes_ = stream_.queued();
  context_.close_linger.add(*this);
}

void NativeLeg::on_delay_over() {
  if (!lingering_) return LinkLeg::on_delay_over();
  if (stream_.queued() < std::exchange(last_bytes_, stream_.queued()))
    moved_ = context_.clock.now();
  const bool waits = last_bytes_ > 0 && context_.clock.now() - moved_ < StallWatch::kPatience;
  if (!waits) return end_lingering();
  context_.close_linger.add(*this);
}

void NativeLeg::end_lingering() {
  lingering_ = false;
  context_.close_linger.remove(*this);
  stream_.reset(http::H2Error::cancel);
}

}  // namespace tunnel
