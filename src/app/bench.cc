#include "app/bench.h"

#include <array>
#include <charconv>
#include <utility>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "tunnel/local/bench_helper.h"

namespace app {

using async::Task;
using base::Result;
using tunnel::local::BenchJob;

namespace {

constexpr std::size_t kPing = 64;  // bytes of a round trip

constexpr std::size_t kStatusLine = std::string_view("HTTP/1.1 200").size();

// An error page says nothing of how fast the target is.
Result<void> check_status(std::string_view head) {
  if (!head.starts_with("HTTP/1."))
    return base::fail(base::Code::invalid, "the target does not answer as HTTP does");
  const std::string_view status = head.substr(kStatusLine - 3, 3);
  if (status.starts_with('2')) return {};
  return base::fail(base::Code::not_found,
                    fmt::format("the target answers with HTTP status {}", status));
}

}  // namespace

Bench::Bench(Client& client, const BenchPlan& plan, const Output& out)
    : client_(client), plan_(plan), out_(out) {}

std::vector<Bench::Test> Bench::tests() const {
  std::vector<Test> tests = {{"connect", false, &Bench::connect}};
  if (plan_.kind == BenchPlan::Kind::helper) {
    tests.push_back({"round trip", false, &Bench::round_trips});
    tests.push_back({"download", true, &Bench::download});
    tests.push_back({"upload", true, &Bench::upload});
  }
  if (plan_.kind == BenchPlan::Kind::http) tests.push_back({"download", true, &Bench::fetch});
  return tests;
}

Task<int> Bench::run() {
  CO_TRY_VOID(out_(fmt::format(
      "{} through {}: {} s a test, {} at once\n", plan_.target, client_.dialer().server(),
      std::chrono::duration_cast<std::chrono::seconds>(plan_.time).count(), plan_.parallel)));
  for (const Test& test : tests()) CO_TRY_VOID(co_await carry_out(test));
  CO_TRY_VOID(sum_up("Summary"));
  co_return 0;
}

Result<void> Bench::sum_up(std::string_view heading) const {
  return out_(fmt::format("\n{}\n  {}\n", heading, fmt::join(summaries_, "\n  ")));
}

Task<void> Bench::carry_out(Test test) {
  tally_ = {};
  under_way_ = Began{test, client_.clock().now()};
  workers_.emplace(client_.loop().get_executor());
  for (std::int64_t i = 0; i < plan_.parallel; ++i) workers_->spawn("bench", work(test));
  for (async::Duration at{0}; at < plan_.time && !workers_->empty();
       at += std::chrono::seconds(1)) {
    const std::uint64_t bytes = tally_.bytes();
    const std::size_t times = tally_.times();
    CO_TRY_VOID(co_await client_.clock().sleep_for(std::chrono::seconds(1)));
    const auto second = std::chrono::duration_cast<std::chrono::seconds>(at).count();
    CO_TRY_VOID(out_(fmt::format("{:<10} {:>3}-{:<3} s  {}\n", test.name, second, second + 1,
                                 progress(test, bytes, times))));
  }
  const async::Duration took = client_.clock().now() - under_way_->at;
  workers_->cancel();
  co_await workers_->join();
  under_way_.reset();
  if (tally_.empty()) {
    base::Error none{base::Code::timeout, "nothing came in time"};
    co_return base::fail(tally_.first_failure().value_or(none).within(test.name + " test"));
  }
  summaries_.push_back(summary(test, took));
  co_return Result<void>{};
}

// A worker that failed ends: what is measured is a target that works.
Task<void> Bench::work(Test test) {
  auto worked = co_await (this->*test.worker)();
  const bool stopped = !worked && worked.error().is(base::Code::cancelled);
  if (!worked && !stopped) tally_.failed(std::move(worked).error());
  co_return Result<void>{};
}

std::string Bench::progress(const Test& test, std::uint64_t bytes, std::size_t times) const {
  if (test.moves_bytes) return bit_rate(tally_.bytes() - bytes, std::chrono::seconds(1));
  return fmt::format("{:>7} /s  {}", tally_.times() - times, tally_.percentiles(times));
}

std::string Bench::summary(const Test& test, async::Duration took) const {
  const std::string failures =
      tally_.failures() == 0
          ? ""
          : fmt::format("  {} failed: {}", tally_.failures(), tally_.first_failure()->message);
  if (test.moves_bytes) {
    return fmt::format("{:<10} {}  {}{}", test.name, bit_rate(tally_.bytes(), took),
                       amount(tally_.bytes()), failures);
  }
  const double seconds = std::chrono::duration<double>(took).count();
  return fmt::format("{:<10} {:.0f} /s  {}{}", test.name,
                     static_cast<double>(tally_.times()) / seconds, tally_.percentiles(),
                     tally_.awaited() + failures);
}

Task<std::unique_ptr<net::Stream>> Bench::dial() {
  auto dialed = co_await client_.dialer().dial(plan_.address);
  if (!dialed) co_return base::fail(with_advice(dialed.error()));
  co_return *std::move(dialed);
}

Task<void> Bench::connect() {
  for (;;) {
    const async::TimePoint began = client_.clock().now();
    auto stream = co_await dial();
    const async::Duration took = client_.clock().now() - began;
    if (!stream) {
      if (stream.error().is(base::Code::cancelled)) tally_.unanswered(took);
      co_return base::fail(std::move(stream).error());
    }
    tally_.took(took);
    (*stream)->close();
  }
}

Task<void> Bench::round_trips() {
  CO_TRY(const auto stream, co_await dial());
  const std::string request = tunnel::local::bench_request(BenchJob::echo);
  CO_TRY_VOID(co_await stream->write_all(base::as_bytes(request)));
  std::array<std::uint8_t, kPing> ping{};
  for (;;) {
    const async::TimePoint began = client_.clock().now();
    CO_TRY_VOID(co_await stream->write_all(ping));
    for (std::size_t got = 0; got < ping.size();) {
      CO_TRY(const std::size_t count,
             co_await stream->read_some(base::MutableBytes(ping).subspan(got)));
      if (count == 0) co_return base::fail(base::Code::closed, "the target is no bench helper");
      got += count;
    }
    tally_.took(client_.clock().now() - began);
  }
}

Task<void> Bench::download() {
  CO_TRY(const auto stream, co_await dial());
  const std::string request = tunnel::local::bench_request(BenchJob::chargen);
  CO_TRY_VOID(co_await stream->write_all(base::as_bytes(request)));
  std::vector<std::uint8_t> block(4 * base::Buffer::kBlock);
  for (;;) {
    CO_TRY(const std::size_t count, co_await stream->read_some(block));
    if (count == 0) co_return base::fail(base::Code::closed, "the target is no bench helper");
    tally_.moved(count);
  }
}

// What counts is what the helper says it has got, not what has vanished into buffers.
Task<void> Bench::upload() {
  using namespace async::asio::experimental::awaitable_operators;
  CO_TRY(const auto stream, co_await dial());
  const std::string request = tunnel::local::bench_request(BenchJob::discard);
  CO_TRY_VOID(co_await stream->write_all(base::as_bytes(request)));
  auto outcome = co_await (count_confirmed(*stream) || tunnel::local::write_for_ever(*stream));
  co_return outcome.index() == 0 ? std::get<0>(outcome) : std::get<1>(outcome);
}

Task<void> Bench::count_confirmed(net::Stream& stream) {
  std::string lines;
  std::uint64_t known = 0;
  std::array<std::uint8_t, 1024> block;
  for (;;) {
    CO_TRY(const std::size_t count, co_await stream.read_some(block));
    if (count == 0) co_return base::fail(base::Code::closed, "the target is no bench helper");
    lines += base::as_text(base::Bytes(block).first(count));
    const std::size_t end = lines.rfind('\n');
    if (end == lines.npos) continue;
    const std::size_t begin = lines.rfind('\n', end == 0 ? 0 : end - 1);
    const std::string last = lines.substr(begin == lines.npos ? 0 : begin + 1);
    std::uint64_t total = known;
    std::from_chars(last.data(), last.data() + last.size(), total);
    tally_.moved(total - std::exchange(known, total));
    lines.erase(0, end + 1);
  }
}

Task<void> Bench::fetch() {
  for (;;) CO_TRY_VOID(co_await fetch_once());
}

Task<void> Bench::fetch_once() {
  CO_TRY(const auto stream, co_await dial());
  CO_TRY_VOID(co_await stream->write_all(base::as_bytes(plan_.request)));
  std::vector<std::uint8_t> block(4 * base::Buffer::kBlock);
  std::string head;
  for (;;) {
    CO_TRY(const std::size_t count, co_await stream->read_some(block));
    if (count == 0) co_return Result<void>{};
    if (head.size() < kStatusLine) {
      head += base::as_text(base::Bytes(block).first(std::min(count, kStatusLine)));
      if (head.size() >= kStatusLine) CO_TRY_VOID(check_status(head));
    }
    tally_.moved(count);
  }
}

// Who interrupts a test wants to know what was found until then.
async::Awaitable<void> Bench::stop() {
  if (!under_way_) co_return;
  const async::Duration took = client_.clock().now() - under_way_->at;
  workers_->cancel();
  co_await workers_->join();
  if (!tally_.empty()) summaries_.push_back(summary(under_way_->test, took));
  if (!summaries_.empty()) (void)sum_up("Summary until the interruption");
}

Result<int> run_bench(const ClientConfig& config, const BenchPlan& plan, const Output& out) {
  TRY(const auto client, Client::make(config));
  Bench bench(*client, plan, out);
  return client->run([&](Client&) { return bench.run(); }, [&] { return bench.stop(); });
}

}  // namespace app
