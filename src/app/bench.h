#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/bench_tally.h"
#include "app/client.h"
#include "app/client_commands.h"
#include "async/task_group.h"

namespace app {

/// Measures one target through the tunnel, and says what it finds.
///
/// Flow: construct; run(); co_await stop(); destroy. The references outlive it.
class Bench {
 public:
  Bench(Client& client, const BenchPlan& plan, const Output& out);

  async::Task<int> run();
  async::Awaitable<void> stop();

 private:
  /// One test: what its workers do until the time is over.
  struct Test {
    std::string name;
    bool moves_bytes;
    async::Task<void> (Bench::*worker)();
  };

  std::vector<Test> tests() const;
  /// A test that has begun.
  struct Began {
    Test test;
    async::TimePoint at;
  };

  async::Task<void> carry_out(Test test);
  base::Result<void> sum_up(std::string_view heading) const;
  async::Task<void> work(Test test);
  std::string progress(const Test& test, std::uint64_t bytes, std::size_t times) const;
  std::string summary(const Test& test, async::Duration took) const;

  async::Task<void> connect();
  async::Task<void> round_trips();
  async::Task<void> download();
  async::Task<void> upload();
  async::Task<void> count_confirmed(net::Stream& stream);
  async::Task<void> fetch();
  async::Task<void> fetch_once();

  async::Task<std::unique_ptr<net::Stream>> dial();

  Client& client_;
  const BenchPlan& plan_;
  const Output& out_;
  BenchTally tally_;
  std::vector<std::string> summaries_;
  std::optional<Began> under_way_;
  std::optional<async::TaskGroup> workers_;
};

}  // namespace app
