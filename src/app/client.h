#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "app/client_config.h"
#include "async/signal_set.h"
#include "async/task_group.h"
#include "pki/reloading_tls.h"
#include "tunnel/client/dialer.h"

namespace app {

/// What a command of the client stands on: a loop, and a way to the server.
///
/// Flow: make(), then run() once. Thread: one, that of run().
class Client {
 public:
  /// Fails when certificates or keys cannot be read.
  static base::Result<std::unique_ptr<Client>> make(const ClientConfig& config);

  using Work = std::function<async::Task<int>(Client&)>;
  using Stop = std::function<async::Awaitable<void>()>;
  /// Runs `work` until it ends, or SIGINT or SIGTERM ends it; then `stop`, if there is one; then
  /// lets what was sent reach the server. Returns what `work` returns; after a signal 128 and its
  /// number, as shells have it.
  base::Result<int> run(const Work& work, Stop stop = {});
  /// The same for what is there until a signal ends it, which is then success.
  base::Result<int> serve(const Work& work, Stop stop);

  async::Loop& loop() { return loop_; }
  async::Clock& clock() { return clock_; }
  tunnel::client::Dialer& dialer() { return *dialer_; }

 private:
  Client();
  async::Task<void> carry_out(Work work);
  async::Task<void> finish(Stop stop);
  async::Task<void> watch_signals();

  async::Loop loop_{1};
  async::SystemClock clock_;
  std::unique_ptr<pki::ReloadingTls> tls_;
  std::optional<tunnel::client::SocketEntrance> entrance_;
  std::optional<tunnel::client::Dialer> dialer_;
  std::optional<base::Result<int>> result_;
  int signal_ = 0;  // that came; 0: none
  async::SignalSet signals_;
  async::TaskGroup work_;
  async::TaskGroup tasks_;
};

/// The error of a dial with what to do about it, for people.
base::Error with_advice(const tunnel::client::DialError& error);

}  // namespace app
