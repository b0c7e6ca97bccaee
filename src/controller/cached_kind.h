#pragma once

#include "controller/informer.h"
#include "controller/writer.h"

namespace controller {

/// The objects of one kind: as last seen, and how to change them.
struct CachedKind {
  CachedKind(async::Loop& loop, kube::Client& client, kube::Api api, Informer::Options options = {})
      : informer(loop, client, std::move(api), std::move(options)), writer(client, informer) {}

  ObjectPtr get(const ObjectKey& key) const { return informer.store().get(key); }

  Informer informer;
  Writer writer;
};

}  // namespace controller
