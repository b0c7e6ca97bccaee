#include "cli/bench_command.h"

#include <optional>

#include <fmt/format.h>

#include "cli/client_flags.h"
#include "cli/go_values.h"
#include "cli/rules.h"
#include "http/url.h"
#include "net/address.h"

namespace cli {
namespace {

constexpr std::string_view kScheme = "bench://";

class BenchAction : public Action {
 public:
  BenchAction() {
    flags_.section("Bench flags");
    flags_.set_shorthand(flags_.add_duration("time", time_, "How long each test takes."), 't');
    flags_.set_shorthand(
        flags_.add_int("parallel", parallel_, "How many connections each test uses at once."), 'P');
    flags_.add_string("serve", serve_,
                      "Be the helper at the far end instead, at [ADDRESS:]PORT; * means all "
                      "addresses. No server is needed.");
    client_.add_to(flags_);
  }
  FlagSet& flags() override { return flags_; }

  base::Result<void> prepare(const Invocation& invocation) override {
    if (!serve_.empty()) {
      auto address = parse_local(serve_);
      if (!address) return bad_flag("--serve", serve_, address.error().message);
      listen_ = *std::move(address);
      return {};
    }
    if (invocation.arguments.size() != 1) {
      return base::fail(base::Code::invalid,
                        "want one target: HOST:PORT, bench://HOST:PORT or http://HOST/PATH");
    }
    TRY(plan_, parse_bench_target(invocation.arguments.front()));
    if (time_ < std::chrono::seconds(1))
      return bad_flag("--time", format_go_duration(time_), "want at least 1s");
    plan_.time = time_;
    TRY(plan_.parallel, check_positive("--parallel", parallel_));
    TRY(config_, client_.config());
    return {};
  }

  base::Result<int> run(const Invocation& invocation) override {
    const app::Output out = output_of(invocation.console);
    return listen_ ? app::run_bench_helper(*listen_, out) : app::run_bench(*config_, plan_, out);
  }

 private:
  async::Duration time_ = std::chrono::seconds(5);
  std::int64_t parallel_ = 1;
  std::string serve_;
  ClientFlags client_;
  FlagSet flags_;
  app::BenchPlan plan_;
  std::optional<app::ListenAddress> listen_;
  std::optional<app::ClientConfig> config_;
};

std::string get_request(const http::Url& url) {
  std::string path = url.path.empty() ? "/" : url.path;
  if (!url.query.empty()) path += "?" + url.query;
  return fmt::format("GET {} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", path,
                     url.origin.authority());
}

}  // namespace

base::Result<app::BenchPlan> parse_bench_target(const std::string& text) {
  using Kind = app::BenchPlan::Kind;
  app::BenchPlan plan{.target = text};
  if (text.starts_with("http://")) {
    TRY(const http::Url url, http::parse_url(text));
    plan.kind = Kind::http;
    plan.address = url.origin.address();
    plan.request = get_request(url);
    return plan;
  }
  const bool helper = text.starts_with(kScheme);
  plan.kind = helper ? Kind::helper : Kind::any;
  plan.address = helper ? text.substr(kScheme.size()) : text;
  if (!net::parse_host_port(plan.address)) {
    return base::fail(base::Code::invalid,
                      fmt::format("cannot measure \"{}\": want HOST:PORT, bench://HOST:PORT or "
                                  "http://HOST/PATH",
                                  text));
  }
  return plan;
}

Command bench_command() {
  return {
      .name = "bench",
      .group = "Client Commands",
      .summary = "Measure connect rate, round trip and throughput through the tunnel",
      .usage = "TARGET",
      .text = fmt::format(
          "Measures a target through the tunnel, says each second what it finds, and sums up. What "
          "can be measured honestly depends on what the target does:\n"
          "\n"
          "  HOST:PORT          connect: how many connections a second, one after another, and "
          "how\n"
          "                     long each takes: client, server, agent, the target's TCP "
          "handshake,\n"
          "                     and back. It needs nothing of the target but that it accepts.\n"
          "  http://HOST/PATH   the same, and download: the URL again and again, a connection\n"
          "                     each. Bytes are those on the connection, heads included; a small\n"
          "                     page measures connections, not throughput.\n"
          "  bench://HOST:PORT  all of it, with the helper that \"bench --serve=PORT\" is at the\n"
          "                     far end: connect; round trip (64 bytes there and back, over a\n"
          "                     connection that is there); download; upload, counted by what the\n"
          "                     helper confirms to have got.\n"
          "\n"
          "A test shares both machines with whatever else runs on them; --parallel shows whether "
          "one connection is the limit.\n\n{}",
          kAboutTargets),
      .examples = {{"How fast connections to a service are made",
                    "cluster-proxy bench redis.cluster1:6379"},
                   {"All there is, with the helper on a machine in cluster1",
                    "cluster-proxy bench --serve='*:5201'       # there\n"
                    "cluster-proxy bench bench://node7.cluster1:5201 -P 4"}},
      .settings = "bench",
      .make = [] { return std::make_unique<BenchAction>(); }};
}

}  // namespace cli
