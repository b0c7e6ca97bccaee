#include "app/doctor.h"

#include <array>
#include <memory>
#include <utility>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "app/admin_client.h"
#include "app/doctor_files.h"
#include "async/task_group.h"
#include "async/timeout.h"
#include "net/address.h"
#include "net/dial.h"
#include "net/resolver.h"
#include "net/tls.h"
#include "pki/reloading_tls.h"
#include "tunnel/client/dialer.h"
#include "tunnel/native.h"

namespace app {
namespace {

using async::Task;
using base::Result;
using Role = Examination::Role;
using Verdict = Finding::Verdict;

/// One examination under way. Each step returns what came of it; the streams of one step are the
/// ground of the next.
class Doctor {
 public:
  Doctor(const Examination& examination, const std::function<void(const Finding&)>& report)
      : examination_(examination),
        way_(examination.way),
        server_(net::parse_host_port(way_.server).value_or(net::HostPort{})),
        report_(report) {}

  bool examine();

 private:
  using Step = Finding (Doctor::*)();

  void tell(Finding finding);
  void skip(std::string step, std::string why);
  template <typename T>
  Result<T> wait(Task<T> task, std::string_view what);
  template <typename T>
  Result<T> wait(Task<T> task);

  Finding resolve();
  Finding connect();
  Finding handshake();
  Finding no_handshake();
  Finding protocol();
  Finding client_protocol();
  bool takes_http1();
  Finding agents();
  Finding target();

  Task<std::unique_ptr<net::Stream>> open();
  Result<std::shared_ptr<const net::TlsContext>> tls_offering(std::vector<std::string> protocols);
  const std::string& host() const { return server_.host; }
  const std::string& address() const { return way_.server; }
  std::string server_name() const { return way_.server_name.empty() ? host() : way_.server_name; }
  bool is_path() const { return address().starts_with('/'); }

  const Examination& examination_;
  const ClientConfig& way_;
  net::HostPort server_;  // of a path nothing
  const std::function<void(const Finding&)>& report_;
  async::Loop loop_{1};
  async::SystemClock clock_;
  bool healthy_ = true;
  std::string alpn_;  // agreed on
};

template <typename T>
Task<void> keep(Task<T> task, std::optional<Result<T>>& out) {
  out = co_await std::move(task);
  co_return Result<void>{};
}

template <typename T>
Result<T> Doctor::wait(Task<T> task, std::string_view what) {
  return wait(async::with_timeout(clock_, examination_.limit, std::string(what), std::move(task)));
}

template <typename T>
Result<T> Doctor::wait(Task<T> task) {
  std::optional<Result<T>> outcome;
  async::TaskGroup tasks(loop_.get_executor());
  tasks.spawn("step", keep(std::move(task), outcome));
  loop_.restart();
  while (!outcome && loop_.run_one() > 0) {
  }
  if (!outcome) return base::fail(base::Code::internal, "no outcome");
  return *std::move(outcome);
}

void Doctor::tell(Finding finding) {
  healthy_ = healthy_ && finding.verdict != Verdict::failed;
  report_(finding);
}

void Doctor::skip(std::string step, std::string why) {
  report_({std::move(step), Verdict::skipped, std::move(why), ""});
}

Result<std::shared_ptr<const net::TlsContext>> Doctor::tls_offering(
    std::vector<std::string> protocols) {
  net::TlsOptions options;
  options.alpn = std::move(protocols);
  TRY(const auto files, pki::ReloadingTls::open(clock_, net::TlsContext::Role::client,
                                                way_.tls ? way_.files : pki::TlsFiles(), options));
  return files->current();
}

bool Doctor::examine() {
  bool files_good = true;
  if (way_.tls) {
    for (Finding& finding : examine_files(examination_, clock_.wall_now())) {
      files_good = files_good && finding.verdict != Verdict::failed;
      tell(std::move(finding));
    }
  }
  const std::pair<const char*, Step> kWay[] = {
      {"name", &Doctor::resolve},
      {"port", &Doctor::connect},
      {"tls", way_.tls ? &Doctor::handshake : &Doctor::no_handshake},
      {"protocol", &Doctor::protocol}};
  bool reached = true;
  for (const auto& [name, step] : kWay) {
    const bool about_tcp = step == &Doctor::resolve || step == &Doctor::no_handshake;
    if ((is_path() && about_tcp) || (!way_.tls && step == &Doctor::protocol)) continue;
    const bool needs_tls = step == &Doctor::handshake || step == &Doctor::protocol;
    if (!reached) {
      skip(name, "a step before it failed");
    } else if (needs_tls && !files_good) {
      skip(name, "the files are not good");
      reached = false;
    } else {
      Finding finding = (this->*step)();
      reached = finding.verdict != Verdict::failed;
      tell(std::move(finding));
    }
  }
  if (examination_.admin) tell(agents());
  if (examination_.target.empty()) return healthy_;
  if (reached) {
    tell(target());
  } else {
    skip("target", "the server cannot be reached");
  }
  return healthy_;
}

Finding Doctor::resolve() {
  auto endpoints = wait(net::resolve(server_), "lookup of " + host());
  if (!endpoints) {
    return {
        "name", Verdict::failed, endpoints.error().message,
        fmt::format("correct the server's name, or this machine's DNS (getent hosts {})", host())};
  }
  std::vector<std::string> addresses;
  for (const auto& endpoint : *endpoints) addresses.push_back(endpoint.address().to_string());
  return {"name", Verdict::good, fmt::format("{} is {}", host(), fmt::join(addresses, ", ")), ""};
}

Task<std::unique_ptr<net::Stream>> Doctor::open() {
  if (is_path()) {
    CO_TRY(auto socket, co_await net::dial_unix(address()));
    co_return net::make_socket_stream(std::move(socket));
  }
  CO_TRY(auto socket, co_await net::dial_tcp(clock_, address(), examination_.limit, {}));
  co_return net::make_socket_stream(std::move(socket));
}

Finding Doctor::connect() {
  const auto stream = wait(open(), "connection to " + address());
  if (stream) return {"port", Verdict::good, address() + " takes connections", ""};
  const bool refused = stream.error().is(base::Code::refused);
  const std::string_view flag = examination_.role == Role::agent ? "--agent-port" : "--server-port";
  const std::string advice =
      is_path() ? "start the server with --uds-name, and look at the socket's owner and mode"
      : refused
          ? fmt::format("nothing listens there: is the server running, and is this its {}?", flag)
          : "nothing answers: look for a firewall, a route, a load balancer on the way";
  return {"port", Verdict::failed, stream.error().message, advice};
}

Task<std::unique_ptr<net::Stream>> secured(Task<std::unique_ptr<net::Stream>> opening,
                                           std::shared_ptr<const net::TlsContext> tls,
                                           std::string name, std::string& alpn) {
  CO_TRY(auto transport, co_await std::move(opening));
  CO_TRY(auto stream, co_await net::tls_handshake(std::move(transport), tls, std::move(name)));
  alpn = stream->alpn();
  co_return std::unique_ptr<net::Stream>(std::move(stream));
}

// A server of TLS 1.3 says only after the handshake that it refuses the client's certificate.
Task<void> not_refused(async::Clock& clock, Task<std::unique_ptr<net::Stream>> securing) {
  constexpr async::Duration kWithin = std::chrono::milliseconds(500);
  CO_TRY(const auto stream, co_await std::move(securing));
  std::array<std::uint8_t, 1024> block;
  const auto count =
      co_await async::with_timeout(clock, kWithin, "silence", stream->read_some(block));
  if (count && *count == 0) co_return base::fail(base::Code::closed, "the server hung up");
  if (!count && !count.error().is(base::Code::timeout)) co_return base::fail(count.error());
  co_return Result<void>{};
}

Finding Doctor::handshake() {
  const std::string first =
      examination_.role == Role::agent ? std::string(tunnel::native::kAlpn) : "http/1.1";
  const auto tls = tls_offering({first, "h2"});
  if (!tls) return {"tls", Verdict::failed, tls.error().message, "correct the files"};
  const auto done = wait(not_refused(clock_, secured(open(), *tls, server_name(), alpn_)),
                         "TLS handshake with " + address());
  if (done) {
    return {"tls", Verdict::good,
            fmt::format("the server's certificate is vouched for by {} and good for {}",
                        way_.files.ca.empty() ? "an authority of this system" : way_.files.ca,
                        server_name()),
            ""};
  }
  return {"tls", Verdict::failed, done.error().message,
          std::string(handshake_advice(done.error().message))};
}

Finding Doctor::no_handshake() {
  const auto tls = tls_offering({"http/1.1", "h2"});
  if (!tls) return {"tls", Verdict::failed, tls.error().message, "correct the files"};
  const auto done = wait(secured(open(), *tls, server_name(), alpn_), "TLS handshake");
  if (done || done.error().message.contains("certificate")) {
    return {"tls", Verdict::failed, address() + " speaks TLS",
            "leave --plaintext out, and give --ca-cert"};
  }
  return {"tls", Verdict::good, address() + " speaks none, as --plaintext says", ""};
}

Finding Doctor::protocol() {
  if (alpn_.empty()) {
    return {"protocol", Verdict::failed, "the server agrees on no protocol (ALPN)",
            "this is no port of a tunnel server: check it, and whether a load balancer on the way "
            "ends TLS"};
  }
  if (examination_.role == Role::client) return client_protocol();
  if (alpn_ == tunnel::native::kAlpn)
    return {"protocol", Verdict::good, "the native link, cluster-proxy/1", ""};
  if (takes_http1()) {
    return {"protocol", Verdict::failed, "HTTP CONNECT: this is the server's port for clients",
            "agents come to its --agent-port, which is 8091 unless it says otherwise"};
  }
  return {"protocol", Verdict::good,
          "konnectivity's: the server is not ours, or has --native-link=false", ""};
}

bool Doctor::takes_http1() {
  const auto tls = tls_offering({"http/1.1"});
  return tls && wait(secured(open(), *tls, server_name(), alpn_), "TLS handshake");
}

// Who takes HTTP/1.1 is a frontend of mode http-connect; others take HTTP/2 only.
Finding Doctor::client_protocol() {
  using tunnel::client::Protocol;
  const bool http1 = takes_http1();
  const bool wanted = http1 ? way_.protocol != Protocol::grpc : way_.protocol != Protocol::http1;
  if (!wanted) {
    return {"protocol", Verdict::failed,
            http1 ? "HTTP CONNECT, and no gRPC" : "HTTP/2 only, and no HTTP/1.1",
            "correct --protocol, or leave it out: what is spoken is found out"};
  }
  if (http1) return {"protocol", Verdict::good, "HTTP CONNECT", ""};
  return {"protocol", Verdict::warning, "HTTP/2 only: konnectivity's gRPC, or the port of agents",
          "make sure that this is the server's --server-port and not its --agent-port"};
}

Finding Doctor::agents() {
  AdminClient admin(*examination_.admin);
  const auto page = admin.fetch("/status");
  if (!page) {
    return {"agents", Verdict::failed, page.error().message,
            "give the server's admin port, or leave --admin out"};
  }
  return judge_clusters(*page, examination_.cluster);
}

/// How a dial ended; nothing: well.
using Outcome = std::optional<tunnel::client::DialError>;

Task<Outcome> dial(tunnel::client::Dialer& dialer, std::string target) {
  auto dialed = co_await dialer.dial(std::move(target));
  if (dialed) co_return Outcome();
  co_return Outcome(std::move(dialed).error());
}

Finding Doctor::target() {
  std::unique_ptr<pki::ReloadingTls> tls;
  if (way_.tls) {
    auto opened = tunnel::client::open_tls(clock_, way_.files, way_.protocol);
    if (!opened) return {"target", Verdict::failed, opened.error().message, "correct the files"};
    tls = *std::move(opened);
  }
  tunnel::client::SocketEntrance entrance(
      clock_, tls.get(),
      {.address = address(), .server_name = server_name(), .limit = examination_.limit});
  tunnel::client::Dialer dialer(clock_, entrance,
                                {.protocol = way_.protocol, .limit = way_.dial_limit});
  const auto outcome = wait(dial(dialer, examination_.target));
  if (!outcome) {
    return {"target", Verdict::failed, outcome.error().message,
            "the server does not answer: look at its log"};
  }
  if (*outcome) return judge_failure(**outcome, examination_.target);
  return {"target", Verdict::good,
          fmt::format("{} takes connections through the tunnel", examination_.target), ""};
}

}  // namespace

bool examine(const Examination& examination, const std::function<void(const Finding&)>& report) {
  return Doctor(examination, report).examine();
}

}  // namespace app
