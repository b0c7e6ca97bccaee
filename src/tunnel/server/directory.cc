#include "tunnel/server/directory.h"

#include <boost/asio/post.hpp>

#include "tunnel/server/backend.h"
#include "tunnel/server/context.h"
#include "tunnel/server/remote_backend.h"

namespace tunnel {

void Directory::join(std::size_t index, ServerContext& context) {
  if (contexts_.size() <= index) contexts_.resize(index + 1);
  contexts_[index] = &context;
}

void Directory::announce(Backend& backend) {
  const std::shared_ptr<LinkEntry>& entry = backend.entry();
  if (entry->home >= contexts_.size()) return;
  const RemoteBackend::Origin origin{entry, contexts_[entry->home], backend.agent_id(),
                                     backend.identifiers(),
                                     AgentPeer{backend.peer(), backend.clusters()}};
  for (ServerContext* context : contexts_) {
    if (context == origin.context) continue;
    async::asio::post(context->executor, [context, origin] {
      context->remotes.add(std::make_unique<RemoteBackend>(*context, origin));
    });
  }
}

void Directory::withdraw(Backend& backend) {
  const std::shared_ptr<LinkEntry>& entry = backend.entry();
  entry->backend = nullptr;
  for (std::size_t i = 0; i < contexts_.size(); ++i) {
    if (i == entry->home) continue;
    ServerContext* context = contexts_[i];
    async::asio::post(context->executor, [context, entry] { context->remotes.remove(*entry); });
  }
}

}  // namespace tunnel
