#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "async/task_group.h"
#include "http/h2_connection.h"
#include "tunnel/server/client_rules.h"
#include "tunnel/server/cluster_identity.h"
#include "tunnel/server/context.h"
#include "tunnel/server/konnectivity_backend.h"

namespace tunnel {

/// Decides whether a bearer token proves that an agent is one.
class TokenAuthenticator {
 public:
  virtual ~TokenAuthenticator() = default;
  /// The error says why not; it goes to the agent.
  virtual async::Task<void> authenticate(std::string token) = 0;
};

/// What agents are told about the server in response headers, and how they are let in.
struct AgentAdmission {
  std::string server_id;
  int server_count = 1;
  TokenAuthenticator* authenticator = nullptr;  // null = no tokens are asked for
  const IdentityPolicy* identity = nullptr;     // null = off
};

/// Who an agent says it is.
struct AgentCredentials {
  std::string id;
  Identifiers identifiers;
  std::string token;
  bool further = false;  // the link is not the agent's first (docs/protocol.md, 8)
};

/// Under which headers it does.
struct AgentHeaders {
  std::string_view id;
  std::string_view identifiers;
};
inline constexpr AgentHeaders kKonnectivityAgentHeaders{"agentid", "agentidentifiers"};
inline constexpr AgentHeaders kNativeAgentHeaders{"agent-id", "agent-identifiers"};

/// The error names the header that is missing or wrong.
base::Result<AgentCredentials> read_credentials(const http::Headers& headers,
                                                const AgentHeaders& names, bool with_token);

/// Holds what an agent announces against the clusters that its certificate names, as the policy
/// says; what is amiss is counted, and logged where the agent is let in all the same. The error
/// (Code::forbidden) is for the agent.
base::Result<void> check_identity(ServerContext& context, const AgentAdmission& admission,
                                  const AgentPeer& peer, const AgentCredentials& credentials);

/// One connection of an agent: offers /AgentService/Connect on it. Lives in the coroutine that runs
/// the connection.
class AgentConnection : public http::H2Connection::Handler {
 public:
  AgentConnection(ServerContext& context, const AgentAdmission& admission, async::TaskGroup& tasks,
                  AgentPeer peer);

  std::unique_ptr<http::H2StreamHandler> on_request(http::H2Stream& stream,
                                                    const http::Headers& headers) override;
  void on_ping_acknowledged() override;

 private:
  ServerContext& context_;
  const AgentAdmission& admission_;
  async::TaskGroup& tasks_;
  AgentPeer peer_;
  std::vector<std::shared_ptr<AdmissionTicket>> streams_;
};

/// One connection of a client in mode grpc: offers /ProxyService/Proxy on it.
class ClientConnection : public http::H2Connection::Handler {
 public:
  ClientConnection(ServerContext& context, Client client)
      : context_(context), client_(std::move(client)) {}
  std::unique_ptr<http::H2StreamHandler> on_request(http::H2Stream& stream,
                                                    const http::Headers& headers) override;

 private:
  ServerContext& context_;
  Client client_;
};

}  // namespace tunnel
