#include "cli/doctor_command.h"

#include <memory>

#include <fmt/format.h>

#include "app/doctor.h"
#include "cli/human.h"
#include "cli/rules.h"

namespace cli {
namespace {

using base::Code;
using base::fail;
using base::Result;
using Role = app::Examination::Role;

std::string_view word(app::Finding::Verdict verdict) {
  switch (verdict) {
    case app::Finding::Verdict::good:
      return "ok";
    case app::Finding::Verdict::warning:
      return "WARN";
    case app::Finding::Verdict::failed:
      return "FAIL";
    case app::Finding::Verdict::skipped:
      return "skip";
  }
  return "";
}

class Doctor : public Action {
 public:
  Doctor() {
    flags_.section("Flags");
    flags_.add_string("server", server_,
                      "Where the server is: HOST:PORT of its frontend, or the path of its Unix "
                      "socket; with --agent, of its agents' port.");
    flags_.add_switch("agent", agent_, "Examine as an agent, not as a client.");
    flags_.add_string("ca-cert", tls_.ca,
                      "PEM file with the authorities that the server's "
                      "certificate must come from.");
    flags_.add_string("client-cert", tls_.certificate,
                      "PEM file with the certificate to show; with --agent, the agent's.");
    flags_.add_string("client-key", tls_.key, "PEM file with the key of --client-cert.");
    flags_.add_string("tls-server-name", server_name_,
                      "Name that the server's certificate must carry. Empty means the host of "
                      "--server.");
    flags_.add_string("admin", admin_,
                      "Admin port of the server, host:port, where it can be reached: the clusters "
                      "are looked at too.");
    flags_.add_string("cluster", cluster_, "Cluster that should be connected, with --admin.");
    flags_.add_duration("timeout", limit_, "Longest time that a step may take.");
  }

  FlagSet& flags() override { return flags_; }

  Result<void> prepare(const Invocation& invocation) override {
    if (invocation.arguments.size() > 1) return fail(Code::invalid, "want one target at most");
    TRY_VOID(check_server());
    if (tls_.certificate.empty() != tls_.key.empty())
      return bad_flag("--client-cert", tls_.certificate, "goes together with --client-key");
    if (!cluster_.empty() && admin_.empty())
      return bad_flag("--cluster", cluster_, "needs --admin, which knows the clusters");
    if (agent_ && !invocation.arguments.empty())
      return fail(Code::invalid, "an agent dials no targets through the server");
    if (!invocation.arguments.empty()) examination_.target = invocation.arguments.front();
    examination_.role = agent_ ? Role::agent : Role::client;
    examination_.tls = tls_;
    examination_.server_name = server_name_;
    if (!admin_.empty()) examination_.admin = admin_;
    examination_.cluster = cluster_;
    examination_.limit = limit_;
    return {};
  }

  Result<int> run(const Invocation& invocation) override {
    const auto report = [&](const app::Finding& finding) {
      std::string line = fmt::format("{:<4}  {:<11}  {}\n", word(finding.verdict), finding.step,
                                     printable(finding.text));
      if (!finding.advice.empty()) line += fmt::format("{:19}-> {}\n", "", finding.advice);
      invocation.console.out(line);
    };
    return app::examine(examination_, report) ? 0 : 1;
  }

 private:
  Result<void> check_server() {
    if (server_.empty())
      return bad_flag("--server", server_, "want HOST:PORT, or the path of a Unix socket");
    if (server_.starts_with('/')) {
      examination_.unix_socket = server_;
      if (agent_) return bad_flag("--server", server_, "agents come by TCP only");
      return {};
    }
    auto parsed = net::parse_host_port(server_);
    if (!parsed) return bad_flag("--server", server_, parsed.error().message);
    examination_.server = *std::move(parsed);
    return {};
  }

  std::string server_;
  bool agent_ = false;
  pki::TlsFiles tls_;
  std::string server_name_;
  std::string admin_;
  std::string cluster_;
  async::Duration limit_ = std::chrono::seconds(10);
  app::Examination examination_;
  FlagSet flags_;
};

}  // namespace

Command doctor_command() {
  return {.name = "doctor",
          .group = "Client Commands",
          .summary = "Find out what is wrong on the way to a server, and what to do",
          .usage = "[HOST:PORT]",
          .text =
              "Goes the way to a server step by step: files, certificate, name, port, TLS, "
              "protocol, agents, and the target HOST:PORT through the tunnel. Says of each step "
              "what was found, and of one that fails what to do. The exit code is 1 when one "
              "failed.",
          .examples = {{"Why does this client not reach a service?",
                        "cluster-proxy doctor --server hub:8090 --ca-cert ca.crt \\\n"
                        "  --client-cert client.crt --client-key client.key nginx.cluster1:80"},
                       {"Why does this agent not connect?",
                        "cluster-proxy doctor --agent --server hub:8091 --ca-cert ca.crt \\\n"
                        "  --client-cert agent.crt --client-key agent.key"}},
          .settings = true,
          .make = [] { return std::make_unique<Doctor>(); }};
}

}  // namespace cli
