#include "tunnel/server/remote_backend.h"

#include <utility>

#include <boost/asio/post.hpp>

#include "tunnel/server/context.h"
#include "tunnel/server/crossing.h"

namespace tunnel {

RemoteBackend::RemoteBackend(ServerContext& context, const Origin& origin)
    : Backend(origin.peer, origin.entry), context_(context), origin_(origin) {
  introduce(origin.agent_id, origin.identifiers, context.metrics);
}

RemoteBackend::~RemoteBackend() = default;

Leg* RemoteBackend::dial(Leg::Frontend& frontend, const DialRequest& request) {
  auto crossing = std::make_shared<Crossing>(
      Crossing{.near_loop = context_.executor, .far_loop = origin_.context->executor});
  auto leg = std::make_unique<RemoteLeg>(*this, frontend, request, crossing);
  Leg* const made = leg.get();
  legs_.emplace(leg.get(), std::move(leg));
  // The client's packet is a view: it does not outlive this call.
  const std::string packet(base::as_text(request.packet));
  async::asio::post(origin_.context->executor,
                    [entry = origin_.entry, request = request, packet, crossing,
                     client = frontend.client_name()]() mutable {
                      request.packet = base::as_bytes(packet);
                      FarEnd::dial(entry->backend, request, client, crossing);
                    });
  return made;
}

bool RemoteBackend::silent(async::TimePoint now) const {
  return AnswerWatch(context_.clock, *origin_.entry).silent(now);
}

void RemoteBackend::probe() {
  async::asio::post(origin_.context->executor, [entry = origin_.entry] {
    if (entry->backend != nullptr) entry->backend->probe();
  });
}

void RemoteBackend::count(DialFailure reason) { context_.metrics.dial_failed(reason); }

bool RemoteBackend::retire() {
  retired_ = true;
  return legs_.empty();
}

// Destroys this too when it was the last.
void RemoteBackend::forget(const RemoteLeg& leg) {
  legs_.erase(&leg);
  if (retired_ && legs_.empty()) context_.remotes.forget(link());
}

RemoteBackends::~RemoteBackends() = default;

void RemoteBackends::add(std::unique_ptr<RemoteBackend> backend) {
  auto& known = backends_[&backend->link()];
  if (known) {
    known->revive();
  } else {
    known = std::move(backend);
  }
  context_.router.add(*known);
}

void RemoteBackends::remove(const LinkEntry& entry) {
  const auto found = backends_.find(&entry);
  if (found == backends_.end()) return;
  context_.router.remove(*found->second, context_.clock.now());
  if (found->second->retire()) backends_.erase(found);
}

}  // namespace tunnel
