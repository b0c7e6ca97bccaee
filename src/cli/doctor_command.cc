#include "cli/doctor_command.h"

#include <memory>

#include <fmt/format.h>

#include "app/doctor.h"
#include "cli/client_flags.h"
#include "cli/go_values.h"
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
    flags_.section("Doctor flags");
    flags_.add_switch("agent", agent_,
                      "Examine as an agent, not as a client: --server is the port of agents, the "
                      "certificate an agent's, and TLS is always spoken.");
    flags_.add_string("admin", admin_,
                      "Admin port of the server, host:port, where it can be reached: the clusters "
                      "are looked at too.");
    flags_.add_string("cluster", cluster_, "Cluster that should be connected, with --admin.");
    flags_.add_duration("timeout", limit_,
                        "Longest time that a step may take; for the target, --dial-timeout.");
    client_.add_to(flags_);
  }

  FlagSet& flags() override { return flags_; }

  Result<void> prepare(const Invocation& invocation) override {
    if (invocation.arguments.size() > 1) return fail(Code::invalid, "want one target at most");
    TRY(examination_.way, client_.config_of_any_files());
    TRY_VOID(check_role(invocation.arguments));
    if (examination_.way.files.certificate.empty() != examination_.way.files.key.empty())
      return fail(Code::invalid, "--client-cert and --client-key go together: give both");
    if (!cluster_.empty() && admin_.empty())
      return bad_flag("--cluster", cluster_, "needs --admin, which knows the clusters");
    if (limit_ <= async::Duration::zero())
      return bad_flag("--timeout", format_go_duration(limit_), "must be greater than 0");
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
  Result<void> check_role(const std::vector<std::string>& arguments) {
    if (!agent_) {
      if (!arguments.empty()) examination_.target = arguments.front();
      return {};
    }
    if (!arguments.empty())
      return fail(Code::invalid, "an agent dials no targets through the server");
    if (examination_.way.server.starts_with('/'))
      return bad_flag("--server", examination_.way.server, "agents come by TCP only");
    examination_.role = Role::agent;
    examination_.way.tls = true;
    return {};
  }

  bool agent_ = false;
  std::string admin_;
  std::string cluster_;
  async::Duration limit_ = std::chrono::seconds(10);
  ClientFlags client_;
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
          .settings = "doctor",
          .make = [] { return std::make_unique<Doctor>(); }};
}

}  // namespace cli
