#include "cli/forward_command.h"

#include <optional>

#include <fmt/format.h>

#include "cli/client_flags.h"
#include "cli/rules.h"
#include "net/address.h"

namespace cli {
namespace {

class ForwardAction : public Action {
 public:
  ForwardAction() { client_.add_to(flags_); }
  FlagSet& flags() override { return flags_; }

  base::Result<void> prepare(const Invocation& invocation) override {
    if (invocation.arguments.empty()) {
      return base::fail(base::Code::invalid,
                        "nothing to forward: want [ADDRESS:]PORT:HOST:PORT, as 8080:nginx:80");
    }
    for (const std::string& argument : invocation.arguments) {
      TRY(app::Forward forward, parse_forward(argument));
      forwards_.push_back(std::move(forward));
    }
    TRY(config_, client_.config());
    return {};
  }

  base::Result<int> run(const Invocation& invocation) override {
    return app::run_forward(*config_, forwards_, output_of(invocation.console));
  }

 private:
  ClientFlags client_;
  FlagSet flags_;
  std::vector<app::Forward> forwards_;
  std::optional<app::ClientConfig> config_;
};

/// The parts between colons; those in brackets are none.
std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> parts(1);
  bool bracketed = false;
  for (const char c : text) {
    bracketed = c == '[' || (bracketed && c != ']');
    if (c == ':' && !bracketed) {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

}  // namespace

base::Result<app::Forward> parse_forward(const std::string& text) {
  const std::vector<std::string> parts = split(text);
  const auto wrong = [&](std::string_view why) {
    return base::fail(base::Code::invalid,
                      fmt::format("cannot forward \"{}\": {}; want [ADDRESS:]PORT:HOST:PORT, with "
                                  "brackets around IPv6 addresses",
                                  text, why));
  };
  if (parts.size() != 3 && parts.size() != 4) return wrong("it has too few parts, or too many");
  const std::size_t first = parts.size() - 3;
  const std::string local = first == 0 ? "127.0.0.1:" + parts[0] : parts[0] + ":" + parts[1];
  const std::string target = parts[first + 1] + ":" + parts[first + 2];
  auto listen = parse_local(local);
  if (!listen) return wrong(fmt::format("\"{}\" is no port of this machine", parts[first]));
  const auto far = net::parse_host_port(target);
  if (!far) return wrong(far.error().message);
  if (far->host.empty()) return wrong("HOST is missing");
  if (far->port == 0) return wrong("the second PORT, that of HOST, cannot be 0");
  return app::Forward{*std::move(listen), target};
}

Command forward_command() {
  return {
      .name = "forward",
      .aliases = {"port-forward"},
      .group = "Client Commands",
      .summary = "Lead ports of this machine to services of clusters",
      .usage = "[ADDRESS:]PORT:HOST:PORT ...",
      .text = fmt::format(
          "Listens at each PORT of this machine and leads every connection to HOST:PORT through "
          "the tunnel, until it is interrupted. Without an ADDRESS only this machine itself can "
          "connect; with * everybody can. Port 0 lets the system choose a free one: what is "
          "printed names it. When the server is lost, the next connection connects to it "
          "again.\n\n{}",
          kAboutTargets),
      .examples = {{"Reach two services of cluster1 at once",
                    "cluster-proxy forward 8080:nginx.cluster1:80 6379:redis.cluster1:6379"},
                   {"A database, whose certificate psql verifies by its own name",
                    "cluster-proxy forward 5433:db.cluster1:5432\n"
                    "psql 'host=db.cluster1 hostaddr=127.0.0.1 port=5433 sslmode=verify-full "
                    "dbname=postgres'"},
                   {"Let the whole office use it, at a port that is free",
                    "cluster-proxy forward '*:0:nginx.cluster1:80'"},
                   {"The API server of a managed cluster of Open Cluster Management",
                    "cluster-proxy forward 6443:cluster1:443\n"
                    "kubectl --server=https://127.0.0.1:6443 --tls-server-name=kubernetes "
                    "get nodes"}},
      .settings = "forward",
      .make = [] { return std::make_unique<ForwardAction>(); }};
}

}  // namespace cli
