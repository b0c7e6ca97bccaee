#include "cli/status_command.h"

#include <memory>
#include <optional>
#include <unistd.h>

#include <fmt/format.h>

#include "app/admin_client.h"
#include "cli/go_values.h"
#include "cli/rules.h"
#include "cli/status_tables.h"
#include "net/address.h"

namespace cli {
namespace {

namespace json = boost::json;
using base::Result;

enum class View { clusters, connections };

class Status : public Action {
 public:
  explicit Status(View view) : view_(view), watch_(view == View::connections) {
    flags_.section("Flags");
    flags_.add_string("admin", admin_, "Admin port of the server, host:port.");
    Flag& watch = flags_.add_switch("watch", watch_, "Show it again and again, until interrupted.");
    flags_.set_shorthand(watch, 'w');
    flags_.add_duration("interval", interval_, "Time between two looks with --watch.");
    Flag& output = flags_.add_choice(
        "output", output_, {"table", "wide", "json", "yaml"},
        "Form of the output: table, wide (a line a link), json or yaml (see docs/status.md).");
    flags_.set_shorthand(output, 'o');
    flags_.add_int("connections", connections_,
                   "Connections to list, those that carried most first. 0 means none.");
    if (view == View::connections) connections_ = 20;
  }

  FlagSet& flags() override { return flags_; }

  Result<void> prepare(const Invocation& invocation) override {
    clusters_ = invocation.arguments;
    constexpr std::int64_t kMost = 10'000;
    if (connections_ < 0 || connections_ > kMost)
      return bad_flag("--connections", fmt::to_string(connections_), "want 0 to 10000");
    constexpr async::Duration kShortest = std::chrono::milliseconds(100);
    if (interval_ < kShortest)
      return bad_flag("--interval", format_go_duration(interval_), "want 100ms or more");
    const auto admin = net::parse_host_port(admin_);
    if (!admin || admin->port == 0)
      return bad_flag("--admin", admin_, "want the admin port of a server, HOST:PORT");
    return {};
  }

  Result<int> run(const Invocation& invocation) override {
    app::AdminClient server(admin_);
    std::optional<json::object> before;
    for (;;) {
      auto fetched = fetch(server);
      // A server that was there may come back: who watches wants to see it.
      if (!fetched && before) {
        invocation.console.error(fetched.error().message + "\n");
        server.pause(interval_);
        continue;
      }
      TRY(json::object page, std::move(fetched));
      if (watch_ && isatty(STDOUT_FILENO) != 0) invocation.console.out("\033[H\033[2J");
      invocation.console.out(shown(page, before ? &*before : nullptr));
      TRY_VOID(check_output(invocation.console));
      if (!watch_) return report_absences(page, invocation.console);
      before = std::move(page);
      server.pause(interval_);
    }
  }

 private:
  Result<json::object> fetch(app::AdminClient& server) const {
    TRY(const std::string text, server.fetch(fmt::format("/status?connections={}", connections_)));
    TRY(json::object page, parse_status(text));
    TRY_VOID(keep_clusters(page, clusters_));
    return page;
  }

  std::string shown(const json::object& page, const json::object* before) const {
    if (output_ == "json") return json::serialize(page) + "\n";
    if (output_ == "yaml") return (watch_ ? "---\n" : "") + to_yaml(page);
    if (view_ == View::connections) return connection_table(page, before);
    std::string text = output_ == "wide" ? link_table(page) : cluster_table(page);
    if (connections_ > 0) text += "\n" + connection_table(page, before);
    return text;
  }

  // Who asks for a cluster by name wants to know whether it is there.
  int report_absences(const json::object& page, const Console& console) const {
    if (clusters_.empty()) return 0;
    const auto missing = absences(page);
    for (const std::string& sentence : missing) console.error(sentence + "\n");
    return missing.empty() ? 0 : 1;
  }

  View view_;
  bool watch_;
  std::string admin_ = "127.0.0.1:8095";
  async::Duration interval_ = std::chrono::seconds(2);
  std::string output_ = "table";
  std::int64_t connections_ = 0;
  std::vector<std::string> clusters_;
  FlagSet flags_;
};

}  // namespace

Command status_command() {
  return {
      .name = "status",
      .group = "Client Commands",
      .summary = "Show the clusters that a server knows, connected or gone",
      .usage = "[CLUSTER...]",
      .text =
          "Asks a server's admin port (--admin, not the --server that clients dial through) which "
          "clusters are connected, by which links, and when those that are gone were last seen. "
          "With names of clusters the exit code is 1 "
          "unless all of them are connected.",
      .examples = {{"On the server's machine", "cluster-proxy status"},
                   {"A line a link, again and again", "cluster-proxy status -w -o wide"},
                   {"Of a server in Kubernetes",
                    "kubectl -n open-cluster-management-addon port-forward "
                    "deploy/cluster-proxy 8095 &\ncluster-proxy status"}},
      .settings = "status",
      .make = [] { return std::make_unique<Status>(View::clusters); }};
}

Command top_command() {
  return {
      .name = "top",
      .group = "Client Commands",
      .summary = "Show a server's busiest connections",
      .usage = "[CLUSTER...]",
      .text =
          "Asks a server's admin port (--admin, not the --server that clients dial through) again "
          "and again for the connections that carry most, with their rates.",
      .settings = "top",
      .make = [] { return std::make_unique<Status>(View::connections); }};
}

}  // namespace cli
