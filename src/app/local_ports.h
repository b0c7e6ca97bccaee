#pragma once

#include <memory>
#include <string>
#include <vector>

#include "app/client.h"
#include "app/client_commands.h"
#include "app/common_config.h"
#include "tunnel/local/port.h"

namespace app {

/// The local ports of one command, which say what they are and what fails on them.
///
/// Flow: open() each; serve() runs until it is cancelled; co_await stop(); destroy.
class LocalPorts {
 public:
  /// The references outlive the object.
  LocalPorts(Client& client, const Output& out);

  const tunnel::local::Context& context() const { return context_; }
  /// What stands around an address when it is told what is there.
  struct Words {
    std::string before, behind;
  };
  /// Listens at `address`, and says so.
  base::Result<void> open(const ListenAddress& address, tunnel::local::Port::Serve serve,
                          const Words& words);
  async::Task<int> serve();
  async::Awaitable<void> stop();

 private:
  Client& client_;
  const Output& out_;
  tunnel::local::Context context_;
  async::Event never_;
  std::vector<std::unique_ptr<tunnel::local::Port>> ports_;
};

}  // namespace app
