#pragma once

#include <functional>
#include <vector>

#include "async/event.h"
#include "async/task.h"
#include "controller/store.h"
#include "kube/reflector.h"

namespace controller {

/// Keeps a Store of the objects of one Api up to date, and tells who asks of every change.
///
/// Flow: on_change(); spawn run(); co_await synced(); read the store.
/// Guarantees: the store has changed when a handler hears of it. A change that passed unseen while
/// the watch was away is told as one change. What a list shows again unchanged is not told.
/// Thread: that of the loop. Handlers outlive it, and must not block.
class Informer : private kube::WatchHandler {
 public:
  /// `before` is null for an object that is new, `after` for one that has gone.
  using Handler = std::function<void(const ObjectPtr& before, const ObjectPtr& after)>;

  struct Options {
    std::string label_selector;
    std::string field_selector;
    // Cut down what is kept of each object; nothing more is seen of it.
    std::function<void(json::object&)> trim;
  };
  Informer(async::Loop& loop, kube::Client& client, kube::Api api, Options options);
  Informer(async::Loop& loop, kube::Client& client, kube::Api api)
      : Informer(loop, client, std::move(api), Options()) {}

  /// Before run().
  void on_change(Handler handler) { handlers_.push_back(std::move(handler)); }
  Store& store() { return store_; }
  const Store& store() const { return store_; }
  const kube::Api& api() const { return api_; }

  /// The server's answer to a write of ours: in the store from now on, without waiting for the
  /// watch to show it. Handlers hear of it as of any change.
  void learn(json::object object) { apply(std::move(object)); }
  /// We deleted it, and the server no longer has it.
  void learn_removed(const ObjectKey& key);

  /// Never returns but when cancelled. Spawn it.
  async::Task<void> run() { return reflector_.run(); }
  /// Returns once the first list is in the store.
  async::Task<void> synced();
  bool is_synced() const { return reflector_.synced(); }

 private:
  bool is_stale(const json::object& object) const;
  void replace(std::vector<json::object> objects) override;
  void apply(json::object object) override;
  void remove(const json::object& object) override;
  void tell(const ObjectPtr& before, const ObjectPtr& after);

  kube::Api api_;
  Options options_;
  Store store_;
  std::vector<Handler> handlers_;
  async::Event synced_;
  kube::Reflector reflector_;
};

}  // namespace controller
