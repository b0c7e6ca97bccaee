#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "kube/reflector.h"
#include "portforward/dialer.h"

namespace portforward {

/// The pods that connections may go to, kept up to date by a Reflector. Thread: that of the loop.
class Pods : public kube::WatchHandler {
 public:
  /// Running pods that are not being deleted, by name; those that are ready if any is.
  std::vector<PodName> candidates() const;
  /// How many pods were seen at all, and "web-1 is Pending, web-2 is being deleted": for errors.
  std::size_t known() const { return pods_.size(); }
  /// Is told of each pod that is no more; empty = nobody.
  void on_gone(std::function<void(const PodName&)> listener) { on_gone_ = std::move(listener); }
  std::string describe() const;

  void replace(std::vector<kube::json::object> objects) override;
  void apply(kube::json::object object) override;
  void remove(const kube::json::object& object) override;

 private:
  struct State {
    std::string phase;
    bool ready = false;
    bool deleting = false;
    bool usable() const { return phase == "Running" && !deleting; }
  };
  static State state_of(const kube::json::object& pod);

  std::map<PodName, State> pods_;
  std::function<void(const PodName&)> on_gone_;
};

/// Pods of `in_namespace`.
kube::Api pod_api(std::string in_namespace);

}  // namespace portforward
