#include "net/listener.h"

#include <cerrno>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <utility>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/local/stream_protocol.hpp>

#include "base/log.h"
#include "net/address.h"

namespace net {
namespace {

namespace asio = boost::asio;
using async::Task;
using base::Code;
using base::fail;
using base::Result;

constexpr async::Duration kPauseWhenExhausted = std::chrono::milliseconds(100);

bool out_of_descriptors(const boost::system::error_code& error) {
  return error.value() == EMFILE || error.value() == ENFILE || error.value() == ENOBUFS ||
         error.value() == ENOMEM;
}

template <typename Protocol>
using Acceptor = asio::basic_socket_acceptor<Protocol, async::Executor>;

template <typename Protocol>
class BoundListener : public Listener {
 public:
  BoundListener(Acceptor<Protocol> acceptor, async::Clock& clock, std::string address,
                std::uint16_t port, std::string path)
      : acceptor_(std::move(acceptor)),
        clock_(clock),
        address_(std::move(address)),
        port_(port),
        path_(std::move(path)) {}
  ~BoundListener() override { close(); }

  Task<Socket> accept() override { return accept(acceptor_.get_executor()); }

  Task<Socket> accept(async::Executor onto) override {
    for (;;) {
      auto [error, socket] = co_await acceptor_.async_accept(onto, async::kAsTuple);
      if (!error) {
        exhausted_ = false;
        co_return Socket(std::move(socket));
      }
      if (error == asio::error::operation_aborted) co_return fail(Code::cancelled, "cancelled");
      if (!acceptor_.is_open()) co_return fail(Code::closed, "listener closed");
      if (!out_of_descriptors(error)) continue;  // the peer was gone before it was accepted
      report_exhaustion(error);
      CO_TRY_VOID(co_await clock_.sleep_for(kPauseWhenExhausted));
    }
  }

  void close() override {
    if (!acceptor_.is_open()) return;
    boost::system::error_code ignored;
    acceptor_.close(ignored);
    if (!path_.empty()) ::unlink(path_.c_str());
  }

  std::string address() const override { return address_; }
  std::uint16_t port() const override { return port_; }

 private:
  void report_exhaustion(const boost::system::error_code& error) {
    if (std::exchange(exhausted_, true)) return;
    LOG_WARN(
        "cannot accept connections until others close; raise the limit of open files (ulimit -n)",
        {"listener", address_}, {"error", error.message()});
  }

  Acceptor<Protocol> acceptor_;
  async::Clock& clock_;
  std::string address_;
  std::uint16_t port_;
  std::string path_;  // of a Unix socket, to be removed at the end
  bool exhausted_ = false;
};

std::string_view way_out(int error, bool file) {
  switch (error) {
    case EADDRINUSE:
      return file ? " (something is at this path already: remove it or choose another path)"
                  : " (another process listens there: stop it or choose another port)";
    case EACCES:
    case EPERM:
      return file ? " (this user may not write to the directory: change that or the path)"
                  : " (not permitted for this user: choose another port)";
    case ENOENT:
      return " (the directory is missing: create it or choose another path)";
    case EADDRNOTAVAIL:
      return " (no interface of this machine has the address: choose one that it has, or none for "
             "all)";
    default:
      return "";
  }
}

std::unexpected<base::Error> cannot_listen(const std::string& address,
                                           const boost::system::error_code& error) {
  return fail(
      base::code_of_errno(error.value()),
      fmt::format("listen on {}: {}{}", address, base::system_error(error.value(), "bind").message,
                  way_out(error.value(), address.starts_with("unix:"))));
}

using Tcp = asio::ip::tcp;

Result<Tcp::endpoint> endpoint_of(const std::string& host, std::uint16_t port) {
  if (host.empty()) return Tcp::endpoint(Tcp::v6(), port);
  boost::system::error_code error;
  const auto address = asio::ip::make_address(host == "localhost" ? "127.0.0.1" : host, error);
  if (error)
    return fail(Code::invalid,
                fmt::format("listen on port {}: \"{}\" is not an IP address; want one of this "
                            "machine, without brackets, or none for all",
                            port, host));
  return Tcp::endpoint(address, port);
}

boost::system::error_code bind_tcp(Acceptor<Tcp>& acceptor, const Tcp::endpoint& endpoint,
                                   bool any) {
  boost::system::error_code error;
  acceptor.open(endpoint.protocol(), error);
  if (error) return error;
  acceptor.set_option(Tcp::acceptor::reuse_address(true), error);
  if (any) acceptor.set_option(asio::ip::v6_only(false), error);
  acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(4096, error);
  return error;
}

}  // namespace

Result<std::unique_ptr<Listener>> listen_tcp(async::Loop& loop, async::Clock& clock,
                                             const std::string& host, std::uint16_t port) {
  const std::string address = join_host_port(host, port);
  TRY(auto endpoint, endpoint_of(host, port));
  Acceptor<Tcp> acceptor(loop);
  auto error = bind_tcp(acceptor, endpoint, host.empty());
  if (host.empty() && error.value() == EAFNOSUPPORT) {  // a machine without IPv6
    acceptor = Acceptor<Tcp>(loop);
    error = bind_tcp(acceptor, Tcp::endpoint(Tcp::v4(), port), false);
  }
  if (error) return cannot_listen(address, error);
  const auto bound = acceptor.local_endpoint(error);
  const std::string name = join_host_port(bound.address().to_string(), bound.port());
  return std::make_unique<BoundListener<Tcp>>(std::move(acceptor), clock, name, bound.port(), "");
}

Result<std::unique_ptr<Listener>> listen_unix(async::Loop& loop, async::Clock& clock,
                                              const std::string& path, bool replace) {
  using Unix = asio::local::stream_protocol;
  const std::string address = "unix:" + path;
  if (path.size() >= sizeof(sockaddr_un::sun_path)) {
    return fail(Code::invalid,
                fmt::format("listen on {}: the path is longer than {} bytes; choose a shorter one",
                            address, sizeof(sockaddr_un::sun_path) - 1));
  }
  if (replace && ::unlink(path.c_str()) != 0 && errno != ENOENT) {
    return fail(
        base::system_error(errno, "remove the existing file").within("listen on " + address));
  }
  Acceptor<Unix> acceptor(loop);
  boost::system::error_code error;
  acceptor.open(Unix(), error);
  const mode_t previous = ::umask(0007);
  if (!error) acceptor.bind(Unix::endpoint(path), error);
  ::umask(previous);
  if (!error) acceptor.listen(4096, error);
  if (error) return cannot_listen(address, error);
  return std::make_unique<BoundListener<Unix>>(std::move(acceptor), clock, address,
                                               std::uint16_t{0}, path);
}

}  // namespace net
