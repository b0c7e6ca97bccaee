#include "async/loop_pool.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <sched.h>
#include <string>

#include <boost/asio/executor_work_guard.hpp>

namespace async {
namespace {

// "max 100000" or "150000 100000": microseconds in each period (cgroup v2).
std::size_t quota_of_container() {
  constexpr std::size_t kNone = 1024;
  std::ifstream file("/sys/fs/cgroup/cpu.max");
  double quota = 0, period = 0;
  if (!(file >> quota >> period) || quota <= 0 || period <= 0) return kNone;
  return static_cast<std::size_t>(std::ceil(quota / period));
}

}  // namespace

LoopPool::LoopPool(std::size_t count) {
  for (std::size_t i = 0; i < std::max<std::size_t>(count, 1); ++i) {
    loops_.push_back(std::make_unique<Loop>(1));
    pointers_.push_back(loops_.back().get());
  }
}

LoopPool::~LoopPool() = default;

void LoopPool::run() {
  std::vector<asio::executor_work_guard<Loop::executor_type>> work;
  std::vector<std::jthread> threads;
  for (Loop* loop : pointers_) {
    work.emplace_back(loop->get_executor());
    if (loop != pointers_.front()) threads.emplace_back([loop] { loop->run(); });
  }
  pointers_.front()->run();
}

void LoopPool::stop() {
  for (Loop* loop : pointers_) loop->stop();
}

std::size_t usable_cores() {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  if (sched_getaffinity(0, sizeof(cores), &cores) != 0) return 1;
  const auto allowed = static_cast<std::size_t>(CPU_COUNT(&cores));
  return std::clamp<std::size_t>(std::min(allowed, quota_of_container()), 1, 64);
}

}  // namespace async
