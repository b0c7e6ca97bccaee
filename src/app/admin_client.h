#pragma once

#include <string>

#include "async/clock.h"
#include "base/result.h"

namespace app {

/// Asks the admin port of a program, over plain HTTP; for commands: each call blocks until it is
/// done.
class AdminClient {
 public:
  /// `address` is "host:port".
  explicit AdminClient(std::string address) : address_(std::move(address)) {}

  /// Fetches a page, within ten seconds. Errors name the address, the reason and where to look;
  /// another status than 200 is one.
  base::Result<std::string> fetch(const std::string& target);
  /// Returns after `duration`.
  void pause(async::Duration duration);

 private:
  std::string address_;
  async::Loop loop_{1};
  async::SystemClock clock_;
};

}  // namespace app
