#include "tunnel/server/agent_service.h"

#include <utility>

#include "base/log.h"
#include "tunnel/server/proxy_stream.h"

namespace tunnel {
namespace {

using base::Code;
using base::fail;
using base::Result;

// Answers a call that does not exist here.
class UnknownCall : public grpc::ServerCall {
 public:
  explicit UnknownCall(http::H2Stream& stream, const std::string& path) : ServerCall(stream) {
    finish({grpc::StatusCode::unimplemented, "unknown method " + path});
  }

 private:
  void on_message(base::Bytes) override {}
  void on_finished(const grpc::Status&) override {}
};

bool asks_for(const http::Headers& headers, std::string_view path) {
  const std::string* asked = http::find(headers, ":path");
  return grpc::is_grpc_request(headers) && asked != nullptr && *asked == path;
}

std::unique_ptr<http::H2StreamHandler> unknown_call(http::H2Stream& stream,
                                                    const http::Headers& headers) {
  const std::string* path = http::find(headers, ":path");
  return std::make_unique<UnknownCall>(stream, path == nullptr ? "(none)" : *path);
}

Result<std::string> single(const http::Headers& headers, std::string_view name) {
  const std::size_t found = http::count(headers, name);
  if (found != 1)
    return fail(Code::invalid,
                fmt::format("expected one {} in the request headers, got {}", name, found));
  return *http::find(headers, name);
}

Result<std::string> bearer_token(const http::Headers& headers) {
  TRY(const std::string value, single(headers, "authorization"));
  constexpr std::string_view kScheme = "Bearer ";
  if (!value.starts_with(kScheme))
    return fail(Code::unauthenticated, "the authorization header is not a bearer token");
  return value.substr(kScheme.size());
}

http::Headers greeting(const AgentAdmission& admission) {
  return {{"serverid", admission.server_id},
          {"servercount", std::to_string(admission.server_count)}};
}

// The last look before an agent is let in.
void admit(ServerContext& context, const AgentAdmission& admission, KonnectivityBackend& backend,
           const AgentPeer& peer, AgentCredentials credentials) {
  if (auto checked = check_identity(context, admission, peer, credentials); !checked)
    return backend.refuse(checked.error().message, grpc::StatusCode::permission_denied);
  backend.register_backend(std::move(credentials.id), std::move(credentials.identifiers),
                           greeting(admission));
}

async::Task<void> authenticate_and_register(ServerContext& context, const AgentAdmission& admission,
                                            AgentPeer peer, AgentCredentials credentials,
                                            std::shared_ptr<AdmissionTicket> ticket) {
  auto verdict = co_await admission.authenticator->authenticate(std::move(credentials.token));
  KonnectivityBackend* backend = ticket->backend();
  if (backend == nullptr) co_return Result<void>{};
  if (verdict) {
    admit(context, admission, *backend, peer, std::move(credentials));
  } else {
    backend->refuse(verdict.error().message);
  }
  co_return Result<void>{};
}

}  // namespace

Result<void> check_identity(ServerContext& context, const AgentAdmission& admission,
                            const AgentPeer& peer, const AgentCredentials& credentials) {
  const IdentityPolicy* policy = admission.identity;
  if (policy == nullptr || policy->mode() == IdentityMode::off) return {};
  const auto held_by_other = [&](const std::string& identifier,
                                 const std::vector<std::string>& clusters) {
    return context.router.held_by_other(identifier, clusters);
  };
  auto why = policy->objection(peer.clusters, credentials.identifiers, held_by_other);
  if (!why) return {};
  const bool refused = policy->mode() == IdentityMode::enforce;
  context.metrics.identity_violated(refused);
  if (refused) return fail(Code::forbidden, *std::move(why));
  LOG_WARN("agent admitted though its identity does not fit: --cluster-identity=warn",
           {"agent", credentials.id}, {"from", peer.name}, {"reason", *why});
  return {};
}

Result<AgentCredentials> read_credentials(const http::Headers& headers, const AgentHeaders& names,
                                          bool with_token) {
  AgentCredentials credentials;
  TRY(credentials.id, single(headers, names.id));
  if (http::count(headers, names.identifiers) > 0) {
    TRY(const std::string query, single(headers, names.identifiers));
    auto identifiers = parse_identifiers(query, UnknownKeys::ignore);
    if (!identifiers) return fail(std::move(identifiers).error().within(names.identifiers));
    credentials.identifiers = *std::move(identifiers);
  }
  if (with_token) {
    TRY(credentials.token, bearer_token(headers));
  }
  return credentials;
}

AgentConnection::AgentConnection(ServerContext& context, const AgentAdmission& admission,
                                 async::TaskGroup& tasks, AgentPeer peer)
    : context_(context), admission_(admission), tasks_(tasks), peer_(std::move(peer)) {}

std::unique_ptr<http::H2StreamHandler> AgentConnection::on_request(http::H2Stream& stream,
                                                                   const http::Headers& headers) {
  if (!asks_for(headers, "/AgentService/Connect")) return unknown_call(stream, headers);
  auto backend = std::make_unique<KonnectivityBackend>(stream, context_, tasks_, peer_);
  std::erase_if(streams_, [](const auto& ticket) { return ticket->backend() == nullptr; });
  streams_.push_back(backend->ticket());
  auto credentials =
      read_credentials(headers, kKonnectivityAgentHeaders, admission_.authenticator != nullptr);
  if (!credentials) {
    backend->refuse(credentials.error().message);
  } else if (admission_.authenticator == nullptr) {
    admit(context_, admission_, *backend, peer_, *std::move(credentials));
  } else {
    tasks_.spawn("admission",
                 authenticate_and_register(context_, admission_, peer_, *std::move(credentials),
                                           backend->ticket()));
  }
  return backend;
}

void AgentConnection::on_ping_acknowledged() {
  for (const auto& ticket : streams_) {
    if (ticket->backend() != nullptr) ticket->backend()->alive();
  }
}

std::unique_ptr<http::H2StreamHandler> ClientConnection::on_request(http::H2Stream& stream,
                                                                    const http::Headers& headers) {
  if (!asks_for(headers, "/ProxyService/Proxy")) return unknown_call(stream, headers);
  return std::make_unique<ProxyStream>(stream, context_, client_);
}

}  // namespace tunnel
