#include "tunnel/server/link_leg.h"

#include <utility>

#include "base/log.h"
#include "tunnel/server/backend.h"
#include "tunnel/server/context.h"

namespace tunnel {
namespace {

double seconds(async::Duration duration) { return std::chrono::duration<double>(duration).count(); }

}  // namespace

LinkLeg::LinkLeg(ServerContext& context, Backend& backend, Frontend& frontend,
                 const DialRequest& request, std::int64_t random)
    : Leg(request.client_random),
      context_(context),
      backend_(backend),
      frontend_(&frontend),
      target_(request.target),
      random_(random),
      started_(context.clock.now()) {
  context_.metrics.pending_dials.add();
  backend_.traffic().dials.add();
  ++backend_.record().dials;
  backend_.legs().push_back(*this);
  backend_.entry()->connections.fetch_add(1, std::memory_order_relaxed);
  waiting_for_answer_ = true;
  if (context_.dial_deadlines != nullptr) context_.dial_deadlines->add(*this);
}

LinkLeg::~LinkLeg() {
  stop_waiting();
  leave_established();
  backend_.entry()->connections.fetch_sub(1, std::memory_order_relaxed);
}

void LinkLeg::stop_waiting() {
  if (!std::exchange(waiting_for_answer_, false)) return;
  context_.metrics.pending_dials.subtract();
  if (context_.dial_deadlines != nullptr) context_.dial_deadlines->remove(*this);
}

void LinkLeg::leave_established() {
  if (std::exchange(counted_established_, false))
    context_.metrics.established_connections.subtract();
}

void LinkLeg::established(std::int64_t connect_id) {
  stop_waiting();
  set_connect_id(connect_id);
  counted_established_ = true;
  context_.metrics.established_connections.add();
  context_.metrics.dial_duration.observe(seconds(context_.clock.now() - started_));
  LOG_DEBUG("connection established", {"conn", fmt::format("{:x}", random_)}, {"target", target_},
            {"agent", backend_.agent_id()});
  frontend_->on_dialed(*this);
}

void LinkLeg::fail(DialFailure reason, const std::string& error) {
  stop_waiting();
  context_.metrics.dial_failed(reason);
  if (reason == DialFailure::error_response)
    context_.metrics.agent_dial_failed(backend_.agent_id(), "error_response");
  backend_.record().failed(fmt::format("dial {}: {}", target_, error), context_.clock.now());
  if (context_.access_log) {
    LOG_INFO("dial failed", {"conn", fmt::format("{:x}", random_)},
             {"client", frontend_->client_name()}, {"target", target_},
             {"agent", backend_.agent_id()}, {"error", error});
  }
  std::exchange(frontend_, nullptr)->on_dial_failed(*this, reason, error);
}

void LinkLeg::data(base::Pieces pieces, base::Bytes packet) {
  if (frontend_ == nullptr) return;  // the client has gone; the agent has been told
  const std::size_t count = pieces.size();
  bytes_down_ += count;
  backend_.traffic().bytes_from_agent.add(static_cast<double>(count));
  backend_.record().bytes_from_agent += count;
  frontend_->on_bytes(*this, pieces, packet);
}

void LinkLeg::finished_by_target() {
  if (frontend_ != nullptr) frontend_->on_target_done(*this);
}

void LinkLeg::closed(End how, const std::string& error, bool truncated) {
  leave_established();
  context_.metrics.connection_duration.observe(seconds(context_.clock.now() - started_));
  if (frontend_ == nullptr) return;
  context_.metrics.connection_closed(how == End::target ? "target" : "agent_lost");
  log_end(error.empty() ? "closed by target" : error);
  std::exchange(frontend_, nullptr)->on_closed(*this, error, truncated);
}

void LinkLeg::closed_by_client() {
  leave_established();
  if (frontend_ == nullptr) return;
  context_.metrics.connection_closed("client");
  log_end("closed by client");
  std::exchange(frontend_, nullptr)->on_closed(*this, "", false);
}

void LinkLeg::room() {
  if (frontend_ != nullptr) frontend_->on_room(*this);
}

void LinkLeg::count_up(std::size_t bytes) {
  bytes_up_ += bytes;
  backend_.traffic().bytes_to_agent.add(static_cast<double>(bytes));
  backend_.record().bytes_to_agent += bytes;
}

void LinkLeg::close_stray(std::int64_t connect_id) { backend_.close_if_unknown(connect_id); }

void LinkLeg::send_packet(base::Bytes bytes, base::Bytes) {
  base::Buffer block(bytes.size());
  block.append(bytes);
  count_up(bytes.size());
  outlet().push(std::move(block));
}

void LinkLeg::abandon(DialFailure why_if_dialing) {
  if (dialing()) {
    stop_waiting();
    if (why_if_dialing != DialFailure::counted_elsewhere)
      context_.metrics.dial_failed(why_if_dialing);
    log_end("abandoned while dialing");
    frontend_ = nullptr;
    return cancel_dial();
  }
  leave_established();
  context_.metrics.connection_closed("client");
  log_end("closed by client");
  frontend_ = nullptr;
  drop();
}

// The dial was not answered in time.
void LinkLeg::on_delay_over() {
  LOG_INFO("dial timed out", {"conn", fmt::format("{:x}", random_)}, {"target", target_},
           {"agent", backend_.agent_id()});
  waiting_for_answer_ = false;
  backend_.record().failed(fmt::format("dial {}: not answered in time", target_),
                           context_.clock.now());
  context_.metrics.pending_dials.subtract();
  context_.metrics.dial_failed(DialFailure::backend_dial_timeout);
  std::exchange(frontend_, nullptr)
      ->on_dial_failed(*this, DialFailure::backend_dial_timeout,
                       "timed out waiting for backend dial");
  cancel_dial();
}

std::optional<ConnectionStatus> LinkLeg::status() const {
  if (frontend_ == nullptr) return std::nullopt;
  return ConnectionStatus{.id = fmt::format("{:x}", random_),
                          .client = frontend_->client_name(),
                          .target = target_,
                          .cluster = backend_.cluster(),
                          .agent_id = backend_.agent_id(),
                          .since = started_,
                          .bytes_to_agent = bytes_up_,
                          .bytes_from_agent = bytes_down_,
                          .dialing = dialing()};
}

void LinkLeg::log_end(std::string_view how) const {
  if (!context_.access_log) return;
  LOG_INFO("connection ended", {"conn", fmt::format("{:x}", random_)},
           {"client", frontend_->client_name()}, {"target", target_},
           {"agent", backend_.agent_id()}, {"sent", bytes_up_}, {"received", bytes_down_},
           {"seconds", fmt::format("{:.3f}", seconds(context_.clock.now() - started_))},
           {"end", how});
}

}  // namespace tunnel
