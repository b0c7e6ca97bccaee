#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "app/client_config.h"
#include "async/clock.h"

namespace app {

/// What is to be examined: one way to a server, as a client or as an agent goes it.
struct Examination {
  enum class Role { client, agent };

  Role role = Role::client;
  ClientConfig way;                  // its `dial_limit` is for the target
  std::optional<std::string> admin;  // "host:port": the server is asked for its clusters
  std::string cluster;               // that should be among them; "" = any
  std::string target;                // "host:port" to dial through the tunnel; "" = none
  async::Duration limit = std::chrono::seconds(10);  // of each other step
};

/// What came of one step.
struct Finding {
  enum class Verdict { good, warning, failed, skipped };

  std::string step;  // one word
  Verdict verdict = Verdict::good;
  std::string text;    // what was found
  std::string advice;  // what to do; empty when it is good
};

/// Examines step by step: files, certificate, name, port, TLS, protocol, agents, target. A step
/// that stands on one that failed is skipped. Calls `report` with each finding as it comes; blocks.
/// Returns whether nothing failed.
bool examine(const Examination& examination, const std::function<void(const Finding&)>& report);

}  // namespace app
