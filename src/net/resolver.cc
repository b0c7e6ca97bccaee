#include "net/resolver.h"

#include <algorithm>
#include <condition_variable>
#include <csignal>
#include <cstring>
#include <deque>
#include <memory>
#include <mutex>
#include <netdb.h>
#include <thread>
#include <utility>

#include <boost/asio/post.hpp>

#include "async/event.h"

namespace net {
namespace {

namespace asio = boost::asio;
using async::Task;
using base::Code;
using base::fail;
using base::Result;
using Tcp = asio::ip::tcp;
using Endpoints = std::vector<Tcp::endpoint>;

base::Error lookup_error(const std::string& host, int reason) {
  const auto text = [&](std::string_view why) { return fmt::format("lookup {}: {}", host, why); };
  switch (reason) {
    case EAI_NONAME:
    case EAI_NODATA:
    case EAI_ADDRFAMILY:
      return {Code::not_found, text("no such host")};
    case EAI_AGAIN:
      return {Code::unavailable, text("server misbehaving")};
    default:
      return {Code::unavailable, text(::gai_strerror(reason))};
  }
}

int native(Family family) {
  switch (family) {
    case Family::v4:
      return AF_INET;
    case Family::v6:
      return AF_INET6;
    case Family::any:
      break;
  }
  return AF_UNSPEC;
}

Tcp::endpoint to_endpoint(const addrinfo& entry, std::uint16_t port) {
  Tcp::endpoint endpoint;
  std::memcpy(endpoint.data(), entry.ai_addr, entry.ai_addrlen);
  endpoint.resize(entry.ai_addrlen);
  endpoint.port(port);
  return endpoint;
}

Result<Endpoints> ask_system(const HostPort& target, Family family) {
  addrinfo hints{};
  hints.ai_family = native(family);
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  const int reason = ::getaddrinfo(target.host.c_str(), nullptr, &hints, &list);
  if (reason != 0) return fail(lookup_error(target.host, reason));
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(list, &::freeaddrinfo);
  Endpoints found;
  for (const addrinfo* entry = list; entry != nullptr; entry = entry->ai_next) {
    if (entry->ai_family == AF_INET || entry->ai_family == AF_INET6)
      found.push_back(to_endpoint(*entry, target.port));
  }
  if (found.empty()) return fail(lookup_error(target.host, EAI_NONAME));
  return found;
}

}  // namespace

// A lookup between the loop that waits for it and the thread that does it. What is behind the mutex
// belongs to both, the rest to one: `waiter` to the loop, the question to nobody, since it never
// changes.
class Lookup : public std::enable_shared_from_this<Lookup> {
 public:
  Lookup(HostPort target, Family family, async::Executor executor)
      : target_(std::move(target)), family_(family), executor_(std::move(executor)) {}

  void perform() {
    {
      const std::lock_guard lock(mutex_);
      if (abandoned_) return;
    }
    auto answer = ask_system(target_, family_);
    // The loop may be gone unless it still waits, and cannot go while it would have to take the
    // mutex to stop waiting.
    const std::lock_guard lock(mutex_);
    if (abandoned_) return;
    answer_ = std::move(answer);
    asio::post(executor_, [self = shared_from_this()] {
      if (self->waiter != nullptr) self->waiter->notify_all();
    });
  }

  bool answered() {
    const std::lock_guard lock(mutex_);
    return answer_.has_value();
  }
  Result<Endpoints> take_answer() {
    const std::lock_guard lock(mutex_);
    return *std::move(answer_);
  }
  void abandon() {
    waiter = nullptr;
    const std::lock_guard lock(mutex_);
    abandoned_ = true;
  }

  async::Event* waiter = nullptr;

 private:
  const HostPort target_;
  const Family family_;
  async::Executor executor_;
  std::mutex mutex_;
  bool abandoned_ = false;
  std::optional<Result<Endpoints>> answer_;
};

namespace {

// The threads that ask the system. Made when needed, never ended: one may be stuck in a lookup when
// the process ends.
class LookupThreads {
 public:
  static LookupThreads& instance() {
    static auto* const threads = new LookupThreads;
    return *threads;
  }

  void add(std::shared_ptr<Lookup> lookup) {
    const std::lock_guard lock(mutex_);
    waiting_.push_back(std::move(lookup));
    if (waiting_.size() > idle_ && threads_ < kMaxThreads) start_thread();
    changed_.notify_one();
  }

 private:
  static constexpr std::size_t kMaxThreads = 16;

  void start_thread() {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);  // signals are the loop's business
    std::thread([this] { work(); }).detach();
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    ++threads_;
  }

  void work() {
    for (;;) {
      std::unique_lock lock(mutex_);
      ++idle_;
      changed_.wait(lock, [this] { return !waiting_.empty(); });
      --idle_;
      const std::shared_ptr<Lookup> lookup = std::move(waiting_.front());
      waiting_.pop_front();
      lock.unlock();
      lookup->perform();
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::shared_ptr<Lookup>> waiting_;
  std::size_t idle_ = 0;
  std::size_t threads_ = 0;
};

Endpoints interleave(const Endpoints& resolved) {
  Endpoints first, second, ordered;
  for (const auto& endpoint : resolved) {
    (endpoint.protocol() == resolved.front().protocol() ? first : second).push_back(endpoint);
  }
  for (std::size_t i = 0; i < std::max(first.size(), second.size()); ++i) {
    if (i < first.size()) ordered.push_back(first[i]);
    if (i < second.size()) ordered.push_back(second[i]);
  }
  return ordered;
}

bool fits(const asio::ip::address& address, Family family) {
  return family == Family::any || address.is_v4() == (family == Family::v4);
}

}  // namespace

Resolution::Resolution(async::Executor executor, HostPort target, Family family,
                       async::Event& changed) {
  if (target.host.empty()) target.host = "localhost";
  boost::system::error_code not_an_address;
  const auto address = asio::ip::make_address(target.host, not_an_address);
  if (not_an_address) {
    lookup_ = std::make_shared<Lookup>(std::move(target), family, executor);
    lookup_->waiter = &changed;
    LookupThreads::instance().add(lookup_);
  } else if (!fits(address, family)) {
    known_ = fail(Code::not_found, fmt::format("lookup {}: no suitable address", target.host));
  } else {
    known_ = Endpoints{Tcp::endpoint(address, target.port)};
  }
}

Resolution::~Resolution() {
  if (lookup_) lookup_->abandon();
}

bool Resolution::answered() const { return known_ || lookup_->answered(); }

Result<Endpoints> Resolution::take() {
  if (known_) return *std::move(known_);
  TRY(const auto found, lookup_->take_answer());
  return interleave(found);
}

Task<Endpoints> resolve(HostPort target, Family family) {
  const auto executor = co_await asio::this_coro::executor;
  async::Event changed(executor);
  Resolution resolution(executor, std::move(target), family, changed);
  while (!resolution.answered()) CO_TRY_VOID(co_await changed.wait());
  co_return resolution.take();
}

}  // namespace net
