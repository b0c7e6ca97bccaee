#include "kube/process.h"

#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <optional>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/this_coro.hpp>
#include <fmt/format.h>

extern char** environ;

namespace kube {

using async::Task;
using base::Code;
using base::Result;

namespace {

constexpr std::size_t kMaxOutput = 1024 * 1024;

/// A child process, killed and reaped when it is not wanted any more.
class Child {
 public:
  explicit Child(pid_t pid) : pid_(pid) {}
  Child(Child&& other) noexcept : pid_(std::exchange(other.pid_, -1)) {}
  ~Child() {
    if (pid_ < 0) return;
    ::kill(pid_, SIGKILL);
    (void)reap();
  }
  /// Waits for the end, which has come or is at hand. Gives the status of waitpid(2).
  int reap() {
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    return status;
  }
  pid_t pid() const { return pid_; }

 private:
  pid_t pid_;
};

std::vector<std::string> environment_with(const std::map<std::string, std::string>& added) {
  std::vector<std::string> lines;
  for (char** each = environ; *each != nullptr; ++each) {
    const std::string_view line(*each);
    if (!added.contains(std::string(line.substr(0, line.find('='))))) lines.emplace_back(line);
  }
  for (const auto& [name, value] : added) lines.push_back(name + "=" + value);
  return lines;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> list;
  for (auto& text : texts) list.push_back(text.data());
  list.push_back(nullptr);
  return list;
}

/// Starts the program with `output` as its standard output. All other descriptors of ours are
/// close-on-exec.
Result<Child> start(const Command& command, int output) {
  std::vector<std::string> words{command.program};
  words.insert(words.end(), command.args.begin(), command.args.end());
  auto environment = environment_with(command.env);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  pid_t pid = -1;
  const int failed = ::posix_spawnp(&pid, command.program.c_str(), &actions, nullptr,
                                    pointers(words).data(), pointers(environment).data());
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) return base::fail(base::system_error(failed, "start " + command.program));
  return Child(pid);
}

Task<std::string> read_to_end(async::asio::posix::stream_descriptor& output) {
  std::string text;
  std::array<char, 4096> block;
  for (;;) {
    auto [error, count] =
        co_await output.async_read_some(async::asio::buffer(block), async::kAsTuple);
    if (error == async::asio::error::eof) co_return text;
    if (error) co_return base::fail(Code::io, "read its output: " + error.message());
    text.append(block.data(), count);
    if (text.size() > kMaxOutput) co_return base::fail(Code::exhausted, "it writes too much");
  }
}

/// Returns once the child has ended, without reaping it.
Task<void> wait_end(pid_t pid) {
  const auto handle = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  if (handle < 0) co_return base::fail(base::system_error(errno, "watch its process"));
  async::asio::posix::stream_descriptor ended(co_await async::asio::this_coro::executor, handle);
  auto [error] = co_await ended.async_wait(ended.wait_read, async::kAsTuple);
  if (error) co_return base::fail(Code::cancelled, "cancelled");
  co_return Result<void>{};
}

Result<void> verdict(int status) {
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  return base::fail(Code::unavailable,
                    WIFEXITED(status) ? fmt::format("it exited with code {}", WEXITSTATUS(status))
                                      : fmt::format("signal {} ended it", WTERMSIG(status)));
}

}  // namespace

Task<std::string> run_command(Command command) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) co_return base::fail(base::system_error(errno, "pipe"));
  async::asio::posix::stream_descriptor output(co_await async::asio::this_coro::executor, ends[0]);
  auto child = start(command, ends[1]);
  ::close(ends[1]);
  if (!child) co_return base::fail(std::move(child).error());
  auto text = co_await read_to_end(output);
  if (!text) co_return base::fail(text.error().within(command.program));
  if (auto ended = co_await wait_end(child->pid()); !ended) {
    co_return base::fail(ended.error().within(command.program));
  }
  if (auto ok = verdict(child->reap()); !ok) {
    co_return base::fail(ok.error().within(command.program));
  }
  co_return text;
}

}  // namespace kube
