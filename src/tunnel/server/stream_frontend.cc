#include "tunnel/server/stream_frontend.h"

#include <utility>

#include "base/log.h"
#include "tunnel/server/backend.h"

namespace tunnel {
namespace {

// A request that this frontend does not serve.
class Refused : public http::H2StreamHandler {
 public:
  explicit Refused(http::H2Stream& stream) : stream_(stream) {}
  void on_headers(const http::Headers&) override {}
  void on_data(base::Pieces pieces) override { stream_.consume(pieces.size()); }
  void on_end() override {}
  void on_drained() override {}
  void on_close(std::uint32_t) override {}

 private:
  http::H2Stream& stream_;
};

}  // namespace

StreamFrontend::StreamFrontend(http::H2Stream& stream, ServerContext& context, Client client)
    : stream_(stream), context_(context), client_(std::move(client)), early_(&context.budget) {
  stream_.allow_half_close();
  context_.metrics.http_connections.add();
}

StreamFrontend::~StreamFrontend() {
  if (lingering_) context_.half_close_linger.remove(*this);
  context_.metrics.http_connections.subtract();
}

void StreamFrontend::dial(std::string target) {
  Leg::Frontend& self = *this;
  const DialRequest request{.network = "tcp", .target = std::move(target)};
  const Dialed dialed = dial_any(context_, self, request, client_);
  leg_ = dialed.leg;
  if (leg_ == nullptr) refuse(dial_reply(dialed.reason, dialed.error));
}

void StreamFrontend::refuse(const DialReply& reply) {
  const http::Headers headers{{":status", std::to_string(reply.status)},
                              {"content-type", std::string(reply.content_type)},
                              {"proxy-status", reply.proxy_status}};
  stream_.respond(headers);
  stream_.send(base::as_bytes(reply.body));
  stream_.end();
}

// Until the target is connected, the client's window bounds what is kept here.
void StreamFrontend::on_data(base::Pieces pieces) {
  if (leg_ == nullptr) return stream_.consume(pieces.size());
  for (const base::Bytes bytes : pieces) {
    if (leg_->dialing()) {
      early_.append(bytes);
    } else {
      base::Buffer block(bytes.size());
      block.append(bytes);
      forward(std::move(block));
    }
  }
}

void StreamFrontend::forward(base::Buffer bytes) {
  const std::size_t count = bytes.size();
  leg_->count_up(count);
  leg_->outlet().push(std::move(bytes));
  owed_ += count;
  if (!leg_->outlet().full()) stream_.consume(std::exchange(owed_, 0));
}

void StreamFrontend::on_room(Leg&) { stream_.consume(std::exchange(owed_, 0)); }

void StreamFrontend::on_end() {
  client_done_ = true;
  if (leg_ != nullptr && !leg_->dialing()) client_done();
}

// Where the link knows no half of an end, the target's direction stays open until it was silent.
void StreamFrontend::client_done() {
  if (leg_->half_close()) return leg_->finish();
  if (std::exchange(lingering_, true)) return;
  looked_at_ = received_;
  context_.half_close_linger.add(*this);
}

void StreamFrontend::on_delay_over() {
  lingering_ = false;
  if (leg_ == nullptr) return;
  if (received_ != looked_at_) return client_done();
  leg_->close();
}

void StreamFrontend::on_dialed(Leg&) {
  stream_.respond({{":status", "200"}});
  while (!early_.empty()) {
    base::Buffer block(early_.front().size());
    block.append(early_.front());
    early_.consume(block.size());
    forward(std::move(block));
  }
  if (client_done_) client_done();
}

void StreamFrontend::on_dial_failed(Leg&, DialFailure reason, const std::string& error) {
  leg_ = nullptr;
  stream_.consume(early_.size());
  early_.clear();
  refuse(dial_reply(reason, error));
}

void StreamFrontend::on_bytes(Leg&, base::Pieces pieces, base::Bytes) {
  received_ += pieces.size();
  for (const base::Bytes bytes : pieces) stream_.send(bytes);
}

void StreamFrontend::on_sent(std::size_t bytes) {
  if (leg_ != nullptr && !leg_->dialing()) leg_->consumed(bytes);
  if (reset_when_sent_ && stream_.queued() == 0) stream_.reset(http::H2Error::connect);
}

void StreamFrontend::on_target_done(Leg&) { stream_.end(); }

// A stream whose end is missing must not look whole to the client.
void StreamFrontend::on_closed(Leg&, const std::string& error, bool truncated) {
  leg_ = nullptr;
  if (!truncated && error.empty()) return stream_.end();
  reset_when_sent_ = true;
  on_sent(0);
}

void StreamFrontend::on_overload(Leg&, const std::string& reason) {
  LOG_WARN("connection closed", {"client", client_.name}, {"reason", reason});
  context_.metrics.connection_closed("overflow");
  release_leg();
  stream_.reset(http::H2Error::enhance_your_calm);
}

void StreamFrontend::on_close(std::uint32_t) { release_leg(); }

void StreamFrontend::release_leg() {
  if (Leg* leg = std::exchange(leg_, nullptr)) leg->abandon(DialFailure::frontend_close);
}

std::unique_ptr<http::H2StreamHandler> ConnectStreams::on_request(http::H2Stream& stream,
                                                                  const http::Headers& headers) {
  const std::string* method = http::find(headers, ":method");
  const std::string* target = http::find(headers, ":authority");
  if (*method != "CONNECT") {
    stream.respond({{":status", "405"}, {"allow", "CONNECT"}, {"content-type", "text/plain"}});
    stream.send(base::as_bytes("this proxy only supports CONNECT passthrough\n"));
    stream.end();
    return std::make_unique<Refused>(stream);
  }
  auto frontend = std::make_unique<StreamFrontend>(stream, context_, client_);
  frontend->dial(*target);
  return frontend;
}

}  // namespace tunnel
