#include "kube/session.h"

#include <utility>

#include <fmt/format.h>

#include "net/proxy_environment.h"

namespace kube {

using async::Task;
using base::Code;
using base::Result;

namespace {

/// The kubeconfig's word on a proxy goes before that of the environment, as in client-go.
std::string proxy_of(const ClusterConfig& cluster, const http::Origin& origin) {
  if (!cluster.proxy_url.empty() || !origin.tls) return cluster.proxy_url;
  return net::ProxyEnvironment::from_process().proxy_for({origin.host, origin.port});
}

Result<http::NetConnector::Options> connector_options(const ClusterConfig& cluster,
                                                      const http::Url& url) {
  http::NetConnector::Options options{.origin = url.origin, .server_name = cluster.tls_server_name};
  const auto proxy = proxy_of(cluster, url.origin);
  if (proxy.empty()) return options;
  TRY(options.proxy, http::parse_url(proxy));
  if (!options.proxy->origin.tls) return options;
  return base::fail(Code::invalid, fmt::format("proxy {}: only http:// proxies are supported",
                                               options.proxy->origin.address()));
}

}  // namespace

Result<std::shared_ptr<Session>> Session::make(async::Loop& loop, async::Clock& clock,
                                               Config config) {
  TRY(const auto url, http::parse_url(config.cluster.server));
  TRY_VOID(connector_options(config.cluster, url));
  return std::shared_ptr<Session>(new Session(loop, clock, std::move(config), url));
}

Session::Session(async::Loop& loop, async::Clock& clock, Config config, const http::Url& url)
    : config_(std::move(config)),
      base_path_(url.path.substr(0, url.path.find_last_not_of('/') + 1)),
      credentials_(loop, clock, config_),
      connector_(clock, &credentials_, *connector_options(config_.cluster, url)),
      http_(clock, connector_) {}

// New credentials must not wait until the last kept-alive connection made with the old ones ends.
Task<void> Session::follow_tls() {
  if (!connector_.origin().tls) co_return Result<void>{};
  CO_TRY(auto current, co_await credentials_.tls_context());
  if (tls_in_use_ && tls_in_use_ != current) http_.renew_connections();
  tls_in_use_ = std::move(current);
  co_return Result<void>{};
}

Task<http::ClientResponse> Session::send(http::ClientRequest request) {
  CO_TRY_VOID(co_await follow_tls());
  request.target = base_path_ + request.target;
  co_return co_await http_.send(std::move(request));
}

}  // namespace kube
