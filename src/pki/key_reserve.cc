#include "pki/key_reserve.h"

#include <utility>

#include "async/loop_pool.h"
#include "async/run_on.h"

namespace pki {
namespace {

using async::Task;
using base::Result;

Result<PrivateKey> generate() { return PrivateKey::generate(KeyAlgorithm::rsa_2048); }

/// Also for a task that is cancelled while it waits.
class Counted {
 public:
  explicit Counted(std::size_t& count) : count_(count) { ++count_; }
  Counted(const Counted&) = delete;
  ~Counted() { --count_; }

 private:
  std::size_t& count_;
};

}  // namespace

KeyReserve::KeyReserve(async::Executor executor) : made_(executor), tasks_(executor) {}

void KeyReserve::want(std::size_t count) {
  if (!threads_ && keys_.size() < count + waiting_) threads_.emplace(async::usable_cores());
  for (; keys_.size() + making_ < count + waiting_; ++making_) tasks_.spawn("key", make());
}

Task<PrivateKey> KeyReserve::take() {
  want(1);
  const Counted waits(waiting_);
  while (keys_.empty()) CO_TRY_VOID(co_await made_.wait());
  auto key = std::move(keys_.front());
  keys_.pop_front();
  co_return key;
}

// The first that is ready serves the first that waits.
Task<void> KeyReserve::make() {
  keys_.push_back(co_await async::run_on<PrivateKey>(*threads_, generate));
  made_.notify_all();
  if (--making_ == 0) threads_.reset();
  co_return Result<void>{};
}

async::Awaitable<void> KeyReserve::stop() {
  tasks_.cancel();
  co_await tasks_.join();
  threads_.reset();
}

}  // namespace pki
