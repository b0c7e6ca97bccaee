#include "async/loop_pool.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <sched.h>
#include <string>

#include <boost/asio/executor_work_guard.hpp>

#include "async/busy_poll.h"

namespace async {
namespace {

constexpr std::size_t kNoQuota = 1024;

std::size_t cores_of(double quota, double period) {
  return quota > 0 && period > 0 ? static_cast<std::size_t>(std::ceil(quota / period)) : kNoQuota;
}

// Microseconds in each period: "max 100000" or "150000 100000" of cgroup v2, two files of v1.
std::size_t quota_of_container() {
  double quota = 0, period = 0;
  std::ifstream unified("/sys/fs/cgroup/cpu.max");
  if (unified.is_open()) return unified >> quota >> period ? cores_of(quota, period) : kNoQuota;
  std::ifstream("/sys/fs/cgroup/cpu/cpu.cfs_quota_us") >> quota;
  std::ifstream("/sys/fs/cgroup/cpu/cpu.cfs_period_us") >> period;
  return cores_of(quota, period);
}

}  // namespace

LoopPool::LoopPool(std::size_t count, Duration busy_poll) : busy_poll_(busy_poll) {
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
    if (loop != pointers_.front())
      threads.emplace_back([this, loop] { run_loop(*loop, busy_poll_); });
  }
  run_loop(*pointers_.front(), busy_poll_);
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

bool has_cores_to_spare() { return usable_cores() > 1 && quota_of_container() == kNoQuota; }

}  // namespace async
