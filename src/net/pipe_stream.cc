#include "net/pipe_stream.h"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

#include <boost/asio/posix/stream_descriptor.hpp>

namespace net {
namespace {

namespace asio = boost::asio;
using async::Task;
using base::Result;
using Descriptor = asio::posix::stream_descriptor;

bool ready(int descriptor, short events) {
  pollfd asked{.fd = descriptor, .events = events, .revents = 0};
  return ::poll(&asked, 1, 0) > 0;
}

/// Waits until `descriptor` is ready; files, which no poller knows, always are.
Task<void> wait_for(Descriptor& descriptor, Descriptor::wait_type what) {
  auto [error] = co_await descriptor.async_wait(what, async::kAsTuple);
  if (!error || error == asio::error::operation_not_supported) co_return Result<void>{};
  if (error == asio::error::operation_aborted)
    co_return base::fail(base::Code::cancelled, "cancelled");
  co_return base::fail(base::system_error(error.value(), "wait"));
}

class PipeStream : public Stream {
 public:
  PipeStream(Descriptor in, Descriptor out) : in_(std::move(in)), out_(std::move(out)) {}

  Task<std::size_t> read_some(base::MutableBytes into) override {
    for (;;) {
      if (auto count = try_read(into)) co_return *std::move(count);
      CO_TRY_VOID(co_await wait_readable());
    }
  }

  std::optional<Result<std::size_t>> try_read(base::MutableBytes into) override {
    if (!in_.is_open()) return base::fail(base::Code::closed, "the input was closed");
    if (!ready(in_.native_handle(), POLLIN)) return std::nullopt;
    const ssize_t count = ::read(in_.native_handle(), into.data(), into.size());
    if (count >= 0) return static_cast<std::size_t>(count);
    if (errno == EAGAIN || errno == EINTR) return std::nullopt;
    return base::fail(base::system_error(errno, "read standard input"));
  }

  Task<void> wait_readable() override { return wait_for(in_, Descriptor::wait_read); }
  Task<void> wait_gone() override { return wait_for(out_, Descriptor::wait_error); }
  void interrupt() override {
    boost::system::error_code ignored;
    in_.cancel(ignored);
  }

  Task<void> write_all(base::Bytes bytes) override {
    while (!bytes.empty()) {
      if (!out_.is_open()) co_return base::fail(base::Code::closed, "the output was closed");
      if (!ready(out_.native_handle(), POLLOUT)) {
        CO_TRY_VOID(co_await wait_for(out_, Descriptor::wait_write));
        continue;
      }
      CO_TRY(const std::size_t count, write_now(bytes));
      bytes = bytes.subspan(count);
    }
    co_return Result<void>{};
  }

  Task<void> shutdown_write() override {
    boost::system::error_code ignored;
    ::shutdown(out_.native_handle(), SHUT_WR);  // where it is a socket
    out_.close(ignored);
    co_return Result<void>{};
  }

  void close() override {
    boost::system::error_code ignored;
    in_.close(ignored);
    out_.close(ignored);
  }
  void abort() override { close(); }
  int descriptor() override { return -1; }
  std::string peer() const override { return "standard input and output"; }

 private:
  // Once it is ready a pipe takes PIPE_BUF bytes without waiting, and maybe no more.
  Result<std::size_t> write_now(base::Bytes bytes) {
    const int descriptor = out_.native_handle();
    ssize_t count = ::send(descriptor, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (count < 0 && errno == ENOTSOCK) {
      count = ::write(descriptor, bytes.data(), std::min<std::size_t>(bytes.size(), PIPE_BUF));
    }
    if (count >= 0) return static_cast<std::size_t>(count);
    if (errno == EAGAIN || errno == EINTR) return std::size_t{0};
    return base::fail(base::system_error(errno, "write standard output"));
  }

  Descriptor in_;
  Descriptor out_;
};

Result<Descriptor> duplicate(async::Executor executor, int descriptor, std::string_view what) {
  const int copy = ::fcntl(descriptor, F_DUPFD_CLOEXEC, 0);
  if (copy < 0) return base::fail(base::system_error(errno, what));
  Descriptor made(executor);
  boost::system::error_code error;
  made.assign(copy, error);
  if (!error) return made;
  ::close(copy);
  return base::fail(base::system_error(error.value(), what));
}

}  // namespace

Result<std::unique_ptr<Stream>> make_pipe_stream(async::Executor executor, int in, int out) {
  TRY(Descriptor reader, duplicate(executor, in, "open standard input"));
  TRY(Descriptor writer, duplicate(executor, out, "open standard output"));
  return std::make_unique<PipeStream>(std::move(reader), std::move(writer));
}

}  // namespace net
