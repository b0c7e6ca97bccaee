#include "net/socket_stream.h"

#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <span>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>
#include <utility>

#include <boost/asio/buffer.hpp>

#include "async/busy_poll.h"
#include "async/timeout.h"
#include "net/address.h"
#include "net/pacing.h"
#include "net/path.h"
#include "net/send_retry.h"

namespace net {
namespace {

namespace asio = boost::asio;
using async::Task;
using base::Result;

base::Error to_error(const boost::system::error_code& error, std::string_view what) {
  if (error == asio::error::operation_aborted) return {base::Code::cancelled, "cancelled"};
  return base::system_error(error.value(), what);
}

class SocketStream : public Stream {
 public:
  explicit SocketStream(Socket socket) : socket_(std::move(socket)) {}

  Task<std::size_t> read_some(base::MutableBytes into) override {
    if (auto at_once = try_read(into)) co_return *std::move(at_once);
    auto [error, count] =
        co_await socket_.async_read_some(asio::buffer(into.data(), into.size()), async::kAsTuple);
    if (error == asio::error::eof) co_return std::size_t{0};
    if (error) co_return base::fail(to_error(error, "read"));
    async::note_moved(count);
    co_return count;
  }

  Task<void> wait_readable() override {
    auto [error] = co_await socket_.async_wait(Socket::wait_read, async::kAsTuple);
    if (error) co_return base::fail(to_error(error, "wait"));
    co_return Result<void>{};
  }

  // A Unix socket tells half a close from a whole one; TCP shows only a reset.
  Task<void> wait_gone() override {
    auto [error] = co_await socket_.async_wait(Socket::wait_error, async::kAsTuple);
    if (error) co_return base::fail(to_error(error, "wait"));
    co_return Result<void>{};
  }

  void interrupt() override {
    boost::system::error_code ignored;
    socket_.cancel(ignored);
  }

  std::optional<Result<std::size_t>> try_read(base::MutableBytes into) override {
    return received(::recv(descriptor(), into.data(), into.size(), MSG_DONTWAIT));
  }

  std::optional<Result<std::size_t>> try_read(std::span<const base::MutableBytes> into) override {
    std::array<iovec, kPieces> vectors;
    const std::size_t filled = std::min(into.size(), vectors.size());
    for (std::size_t i = 0; i < filled; ++i) vectors[i] = {into[i].data(), into[i].size()};
    msghdr message{};
    message.msg_iov = vectors.data();
    message.msg_iovlen = filled;
    return received(::recvmsg(descriptor(), &message, MSG_DONTWAIT));
  }

  static std::optional<Result<std::size_t>> received(ssize_t count) {
    if (count >= 0) {
      async::note_moved(static_cast<std::size_t>(count));
      return static_cast<std::size_t>(count);
    }
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) return std::nullopt;
    return base::fail(base::system_error(errno, "read"));
  }

  // An error shows again at the next write that waits.
  std::size_t try_write(base::Pieces pieces) override {
    std::array<iovec, kPieces> vectors;
    std::size_t filled = 0;
    for (const base::Bytes piece : pieces) {
      if (filled == vectors.size()) break;
      vectors[filled++] = {const_cast<std::uint8_t*>(piece.data()), piece.size()};
    }
    return send({vectors.data(), filled}).value_or(0);
  }

  Task<void> write_all(base::Bytes bytes) override {
    while (!bytes.empty()) {
      iovec piece{const_cast<std::uint8_t*>(bytes.data()), bytes.size()};
      CO_TRY(const std::size_t count, send({&piece, 1}));
      bytes = bytes.subspan(count);
      if (count == 0) CO_TRY_VOID(co_await wait_writable());
    }
    co_return Result<void>{};
  }

  Task<void> write_all(base::BufferQueue& queue) override {
    std::array<iovec, kPieces> pieces;
    while (!queue.empty()) {
      std::size_t filled = 0;
      queue.for_each_block([&](base::Bytes block) {
        pieces[filled++] = {const_cast<std::uint8_t*>(block.data()), block.size()};
        return filled < pieces.size();
      });
      CO_TRY(const std::size_t count, send({pieces.data(), filled}));
      queue.consume(count);
      if (count == 0) CO_TRY_VOID(co_await wait_writable());
    }
    co_return Result<void>{};
  }

  Task<void> shutdown_write() override {
    boost::system::error_code error;
    socket_.shutdown(Socket::shutdown_send, error);
    if (error) co_return base::fail(to_error(error, "shutdown"));
    co_return Result<void>{};
  }

  void close() override {
    boost::system::error_code ignored;
    socket_.close(ignored);
  }

  void abort() override {
    boost::system::error_code ignored;
    socket_.set_option(asio::socket_base::linger(true, 0), ignored);
    close();
  }

  bool move_to(async::Executor executor) override {
    boost::system::error_code error;
    const auto local = socket_.local_endpoint(error);
    if (error) return false;
    const Socket::protocol_type protocol(local.data()->sa_family, 0);
    const int descriptor = socket_.release(error);
    if (error) return false;
    Socket moved(executor);
    moved.assign(protocol, descriptor, error);
    if (error) ::close(descriptor);
    socket_ = std::move(moved);
    return true;
  }

  int descriptor() override { return socket_.is_open() ? socket_.native_handle() : -1; }
  std::string peer() const override { return peer_name(socket_); }

 private:
  static constexpr std::size_t kPieces = 16;

  // What the system takes now; 0 when it takes nothing.
  Result<std::size_t> send(std::span<iovec> pieces) {
    msghdr message{};
    message.msg_iov = pieces.data();
    message.msg_iovlen = pieces.size();
    const ssize_t count = ::sendmsg(descriptor(), &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (count > 0) retry_.taken();
    if (count >= 0) return static_cast<std::size_t>(count);
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) return std::size_t{0};
    return base::fail(base::system_error(errno, "write"));
  }

  // May return early: see reported_writable(), and net/send_retry.h.
  Task<void> wait_writable() {
    if (!round_trip_) round_trip_ = shortest_round_trip(descriptor());
    while (const auto pause = retry_.next(*round_trip_)) {
      auto reported = co_await async::with_timeout(clock_, *pause, "write", reported_writable());
      if (reported || !reported.error().is(base::Code::timeout)) co_return reported;
      if (is_too_full_to_be_reported()) co_return Result<void>{};
    }
    co_return co_await reported_writable();
  }

  // sk_stream_is_writeable() of Linux: what is free has to be half of what is used.
  bool is_too_full_to_be_reported() {
    std::array<std::uint32_t, SK_MEMINFO_VARS> memory{};
    socklen_t length = sizeof(memory);
    if (::getsockopt(descriptor(), SOL_SOCKET, SO_MEMINFO, memory.data(), &length) != 0)
      return false;
    const std::uint64_t used = memory[SK_MEMINFO_WMEM_QUEUED], size = memory[SK_MEMINFO_SNDBUF];
    return size < used + used / 2;
  }

  // May return early: interrupt() ends whatever waits on the socket.
  Task<void> reported_writable() {
    auto [error] = co_await socket_.async_wait(Socket::wait_write, async::kAsTuple);
    if (error == asio::error::operation_aborted && socket_.is_open()) {
      if (!async::is_cancelled(co_await asio::this_coro::cancellation_state))
        co_return Result<void>{};
    }
    if (error) co_return base::fail(to_error(error, "write"));
    co_return Result<void>{};
  }

  Socket socket_;
  async::SystemClock clock_;  // stateless; what it waits for is the system's own doing
  SendRetry retry_;
  std::optional<std::chrono::microseconds> round_trip_;  // when it first had to wait
};

std::string name_of(const sockaddr_storage& storage) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (storage.ss_family == AF_INET) {
    const auto& address = reinterpret_cast<const sockaddr_in&>(storage);
    inet_ntop(AF_INET, &address.sin_addr, text.data(), text.size());
    return join_host_port(text.data(), ntohs(address.sin_port));
  }
  const auto& address = reinterpret_cast<const sockaddr_in6&>(storage);
  if (IN6_IS_ADDR_V4MAPPED(&address.sin6_addr)) {
    inet_ntop(AF_INET, &address.sin6_addr.s6_addr[12], text.data(), text.size());
  } else {
    inet_ntop(AF_INET6, &address.sin6_addr, text.data(), text.size());
  }
  return join_host_port(text.data(), ntohs(address.sin6_port));
}

constexpr int kRetransmitLimit = 44;  // TCP_RTO_MAX_MS, which older headers lack

bool set(int descriptor, int level, int option, int value) {
  return ::setsockopt(descriptor, level, option, &value, sizeof(value)) == 0;
}

}  // namespace

Liveness Liveness::link() {
  return {.idle = std::chrono::seconds(5),
          .probes = 6,
          .unacknowledged = std::chrono::seconds(35),
          .retransmit = std::chrono::seconds(1)};
}

void tune(Socket& socket, const Liveness& liveness) {
  const int descriptor = socket.native_handle();
  if (!set(descriptor, IPPROTO_TCP, TCP_NODELAY, 1)) return;  // a Unix socket
  stop_vain_pacing(descriptor);
  const int seconds = static_cast<int>(liveness.idle.count());
  set(descriptor, SOL_SOCKET, SO_KEEPALIVE, 1);
  set(descriptor, IPPROTO_TCP, TCP_KEEPIDLE, seconds);
  set(descriptor, IPPROTO_TCP, TCP_KEEPINTVL, seconds);
  set(descriptor, IPPROTO_TCP, TCP_KEEPCNT, liveness.probes);
  if (liveness.unacknowledged.count() > 0) {
    set(descriptor, IPPROTO_TCP, TCP_USER_TIMEOUT,
        static_cast<int>(liveness.unacknowledged.count()));
  }
  if (liveness.retransmit.count() > 0)
    set(descriptor, IPPROTO_TCP, kRetransmitLimit, static_cast<int>(liveness.retransmit.count()));
}

void keep_queue_short(Socket& socket) {
  constexpr int kUnsent = 128 * 1024;
  set(socket.native_handle(), IPPROTO_TCP, TCP_NOTSENT_LOWAT, kUnsent);
}

std::unique_ptr<Stream> make_socket_stream(Socket socket) {
  return std::make_unique<SocketStream>(std::move(socket));
}

std::string peer_name(const Socket& socket) {
  sockaddr_storage storage{};
  socklen_t length = sizeof(storage);
  const int descriptor = const_cast<Socket&>(socket).native_handle();
  if (::getpeername(descriptor, reinterpret_cast<sockaddr*>(&storage), &length) != 0)
    return "unknown";
  if (storage.ss_family == AF_UNIX) {
    sockaddr_un local{};
    length = sizeof(local);
    ::getsockname(descriptor, reinterpret_cast<sockaddr*>(&local), &length);
    return std::string("unix:") + local.sun_path;
  }
  return name_of(storage);
}

}  // namespace net
