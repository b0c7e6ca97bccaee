#include "cli/dial_command.h"

#include <optional>

#include <fmt/format.h>

#include "app/client_commands.h"
#include "cli/client_flags.h"

namespace cli {
namespace {

class DialAction : public Action {
 public:
  DialAction() { client_.add_to(flags_); }
  FlagSet& flags() override { return flags_; }

  base::Result<void> prepare(const Invocation& invocation) override {
    if (invocation.arguments.size() != 1) {
      return base::fail(
          base::Code::invalid,
          fmt::format("want one target, HOST:PORT; got {} arguments", invocation.arguments.size()));
    }
    TRY(config_, client_.config());
    return {};
  }

  base::Result<int> run(const Invocation& invocation) override {
    return app::run_dial(*config_, invocation.arguments.front());
  }

 private:
  ClientFlags client_;
  FlagSet flags_;
  std::optional<app::ClientConfig> config_;
};

}  // namespace

Command dial_command() {
  return {
      .name = "dial",
      .group = "Client Commands",
      .summary = "Connect standard input and output to a service of a cluster",
      .usage = "HOST:PORT",
      .text = fmt::format(
          "Connects to HOST:PORT through the tunnel and joins it to standard input and output. It "
          "ends when both sides have ended; the exit code is 1 when the connection could not be "
          "made "
          "or broke.\n\n{}",
          kAboutTargets),
      .examples = {{"Ask a web server in cluster1 by hand",
                    "printf 'GET / HTTP/1.0\\r\\n\\r\\n' | cluster-proxy dial nginx.cluster1:80"},
                   {"Log in by ssh to a machine behind the tunnel",
                    "ssh -o ProxyCommand='cluster-proxy dial %h:%p' admin@node7.cluster1"}},
      .settings = "dial",
      .make = [] { return std::make_unique<DialAction>(); }};
}

}  // namespace cli
