#include "app/reloading_client.h"

#include "base/log.h"

namespace app {

namespace {

constexpr auto kLookPeriod = std::chrono::seconds(10);

}  // namespace

ReloadingClient::ReloadingClient(async::Loop& loop, async::Clock& clock, Options options)
    : loop_(loop), clock_(clock), options_(std::move(options)) {}

base::Result<std::unique_ptr<ReloadingClient>> ReloadingClient::open(async::Loop& loop,
                                                                     async::Clock& clock,
                                                                     Options options) {
  std::unique_ptr<ReloadingClient> made(new ReloadingClient(loop, clock, std::move(options)));
  const auto& file = made->options_.file;
  if (!file.empty()) made->stamp_ = pki::stamp_of(file);
  TRY(made->client_, made->load());
  return made;
}

base::Result<std::shared_ptr<kube::Client>> ReloadingClient::load() const {
  TRY(auto config, kube::load_config(options_.file));
  config.http1_only = options_.http1_only;
  TRY(auto client, kube::Client::make(loop_, clock_, std::move(config), options_.client));
  return std::shared_ptr<kube::Client>(std::move(client));
}

std::shared_ptr<kube::Client> ReloadingClient::client() {
  if (options_.file.empty()) return client_;
  const auto stamp = pki::stamp_of(options_.file);
  if (stamp == stamp_) return client_;
  stamp_ = stamp;
  auto fresh = load();
  if (!fresh) {
    LOG_WARN("changed kubeconfig cannot be used; the old one stays in use", {"file", options_.file},
             {"error", fresh.error()});
    return client_;
  }
  LOG_INFO("kubeconfig reloaded", {"file", options_.file});
  return client_ = std::move(*fresh);
}

async::Task<void> ReloadingClient::changed(std::shared_ptr<kube::Client> used) {
  while (client() == used) CO_TRY_VOID(co_await clock_.sleep_for(kLookPeriod));
  co_return base::Result<void>{};
}

}  // namespace app
