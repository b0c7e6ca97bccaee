#include "app/client.h"

#include <utility>

#include <fmt/format.h>

#include "base/log.h"

namespace app {

using async::Task;
using base::Result;
using tunnel::client::Failure;

namespace {

constexpr async::Duration kGoodbye = std::chrono::seconds(2);
// Signals of one wish come within this time.
constexpr async::Duration kOneWish = std::chrono::milliseconds(300);

std::string_view advice_for(Failure failure) {
  switch (failure) {
    case Failure::no_agent:
      return "see which are: cluster-proxy status";
    case Failure::server_gone:
      return "find out why: cluster-proxy doctor";
    case Failure::not_resolved:
      return "names are looked up by the agent, in its network";
    case Failure::timed_out:
      return "what did not answer may be the target, its agent or the server: cluster-proxy doctor "
             "tells them apart";
    case Failure::protocol:
      return "is this the server's port for clients? --protocol says what is spoken there";
    default:
      return "";
  }
}

}  // namespace

base::Error with_advice(const tunnel::client::DialError& error) {
  const std::string_view advice = advice_for(error.kind);
  if (advice.empty()) return error;
  return {error.code, fmt::format("{}; {}", error.message, advice)};
}

Client::Client()
    : signals_(loop_, SIGINT, SIGTERM), work_(loop_.get_executor()), tasks_(loop_.get_executor()) {}

Result<std::unique_ptr<Client>> Client::make(const ClientConfig& config) {
  std::unique_ptr<Client> client(new Client);
  TRY_VOID(base::log::configure(config.log));
  if (config.tls) {
    TRY(client->tls_, tunnel::client::open_tls(client->clock_, config.files, config.protocol));
  }
  client->entrance_.emplace(client->clock_, client->tls_.get(),
                            tunnel::client::SocketEntrance::Options{
                                .address = config.server, .server_name = config.server_name});
  client->dialer_.emplace(
      client->clock_, *client->entrance_,
      tunnel::client::Dialer::Options{.protocol = config.protocol, .limit = config.dial_limit});
  return client;
}

Result<int> Client::run(const Work& work, Stop stop) {
  work_.spawn("work", carry_out(work));
  tasks_.spawn("finish", finish(std::move(stop)));
  tasks_.spawn("signals", watch_signals());
  loop_.run();
  constexpr int kBySignal = 128;
  return result_ && signal_ == 0 ? *std::move(result_) : kBySignal + signal_;
}

Result<int> Client::serve(const Work& work, Stop stop) {
  auto code = run(work, std::move(stop));
  return signal_ == 0 ? std::move(code) : 0;
}

Task<void> Client::carry_out(Work work) {
  result_ = co_await work(*this);
  co_return Result<void>{};
}

Task<void> Client::finish(Stop stop) {
  co_await work_.join();
  if (stop) co_await stop();
  (void)co_await dialer_->finish(kGoodbye);
  loop_.stop();
  co_return Result<void>{};
}

Task<void> Client::watch_signals() {
  auto [error, signal] = co_await signals_.async_wait(async::kAsTuple);
  if (error) co_return Result<void>{};
  signal_ = signal;
  work_.cancel();
  // Who asks twice will not wait for the goodbye. A supervisor such as timeout(1), which signals
  // the process and then its group, has asked once.
  const async::TimePoint asked = clock_.now();
  do {
    auto [ended, again] = co_await signals_.async_wait(async::kAsTuple);
    if (ended) co_return Result<void>{};
  } while (clock_.now() - asked < kOneWish);
  loop_.stop();
  co_return Result<void>{};
}

}  // namespace app
