// Drives the Kubernetes client library against a real API server; tests/kube/run.sh starts one and
// calls this.
//
//   kube_check KUBECONFIG ETCD_URL           all checks
//   kube_check KUBECONFIG ETCD_URL restart   one check, during which the caller restarts the API
//                                            server
//   kube_check KUBECONFIG ETCD_URL goaway    one check of an API server with --goaway-chance
//   kube_check KUBECONFIG ETCD_URL memory    measures the memory of 1,000 objects
#include <cstdlib>

#include "async/task_group.h"
#include "async/timeout.h"
#include "base/id.h"
#include "check_context.h"

namespace kube_check {
namespace {

constexpr auto kCheckLimit = std::chrono::seconds(150);

/// A task of the library's callers, as the loop runs it.
async::Task<void> as_plain(Task<void> task) {
  auto done = co_await std::move(task);
  if (!done) co_return base::fail(std::move(done).error());
  co_return base::Result<void>{};
}

async::Task<void> run_one(Context& context, Check check, int& failed) {
  const auto began = context.clock.now();
  const auto done = co_await async::with_timeout(context.clock, kCheckLimit, check.name,
                                                 as_plain(check.run(context)));
  const std::chrono::duration<double> took = context.clock.now() - began;
  fmt::print("{} {} ({:.2f} s)\n", done ? "ok  " : "FAIL", check.name, took.count());
  if (!done) fmt::print("     {}\n", done.error().message);
  std::fflush(stdout);
  failed += done ? 0 : 1;
  co_return base::Result<void>{};
}

async::Task<void> make_namespace(Context& context) {
  const kube::Api spaces({"", "v1", "namespaces"}, "");
  const auto made = co_await context.client->send(spaces.create(named(context.space)));
  if (!made) co_return base::fail(made.error());
  co_return base::Result<void>{};
}

async::Task<void> run_all(Context& context, std::vector<Check> checks, int& failed) {
  if (auto made = co_await make_namespace(context); !made) {
    fmt::print("FAIL namespace of the checks: {}\n", made.error().message);
    failed = 1;
    co_return made;
  }
  for (const auto& check : checks) CO_TRY_VOID(co_await run_one(context, check, failed));
  co_return base::Result<void>{};
}

std::vector<Check> all_checks() {
  std::vector<Check> all;
  for (const auto* part : {&kCredentialChecks, &kConfigChecks, &kObjectChecks, &kApiChecks,
                           &kConnectionChecks, &kLeaseChecks, &kElectionChecks}) {
    all.insert(all.end(), part->begin(), part->end());
  }
  return all;
}

/// The checks that `mode` names; none for an unknown one.
std::vector<Check> chosen(std::string_view mode) {
  if (mode.empty()) return all_checks();
  if (mode == "restart")
    return {{"restart of the API server under a watch, and lost history", check_restart}};
  if (mode == "goaway") return {{"requests and watches across GOAWAYs", check_goaway}};
  if (mode == "memory") return {{"memory of 1,000 objects", measure_memory}};
  return {};
}

int run(const char* kubeconfig, const char* etcd, const std::vector<Check>& checks) {
  async::Loop loop(1);
  async::SystemClock clock;
  auto config = kube::load_kubeconfig(kubeconfig);
  if (!config) {
    fmt::print(stderr, "kube_check: {}\n", config.error().message);
    return 2;
  }
  config->files.clear();  // the checks change what it says
  Context context{loop, clock,  *config, "kube-check-" + base::random_uuid().substr(0, 8),
                  etcd, nullptr};
  auto client = context.connect(*config);
  if (!client) {
    fmt::print(stderr, "kube_check: {}\n", client.error().message);
    return 2;
  }
  context.client = std::move(*client);
  int failed = 0;
  async::TaskGroup tasks(loop.get_executor());
  tasks.spawn("checks", run_all(context, checks, failed));
  while (!tasks.empty() && loop.run_one() > 0) {
  }
  fmt::print("kube_check: {} checks, {} failed\n", checks.size(), failed);
  return failed == 0 ? 0 : 1;
}

}  // namespace
}  // namespace kube_check

int main(int argc, char** argv) {
  const std::string_view mode = argc == 4 ? argv[3] : "";
  const auto checks = kube_check::chosen(mode);
  if (argc < 3 || argc > 4 || checks.empty()) {
    fmt::print(stderr, "usage: kube_check KUBECONFIG ETCD_URL [restart|goaway|memory]\n");
    return 2;
  }
  return kube_check::run(argv[1], argv[2], checks);
}
