#include "app/profiling.h"

#include <unistd.h>

#include <fmt/format.h>

namespace app {
namespace {

using http::ServerRequest;
using http::ServerResponse;

constexpr std::string_view kRoot = "/debug/pprof/";

std::string instructions() {
  return fmt::format(
      "This program is written in C++ and has no profiler of Go inside.\n\n"
      "Its process id is {0}. From its node, or from a debug container that shares its "
      "processes:\n\n"
      "  where CPU time goes     perf record -g -p {0} -- sleep 30 && perf report\n"
      "  system calls            strace -c -f -p {0}\n"
      "  memory, descriptors     the process_* series of /metrics; /proc/{0}/smaps_rollup\n",
      ::getpid());
}

ServerResponse answer(const ServerRequest& request) {
  const std::string_view name = std::string_view(request.path).substr(kRoot.size());
  if (name.empty()) return {.body = instructions()};
  if (name == "profile" || name == "symbol" || name == "trace") {
    return http::error_response(501, fmt::format("no \"{}\" here.\n\n{}", name, instructions()));
  }
  return http::error_response(404, "Unknown profile");
}

}  // namespace

void add_profiling(http::Routes& routes) {
  routes.get("/debug/pprof",
             [](const ServerRequest&) { return http::redirect_response(std::string(kRoot)); });
  routes.get(std::string(kRoot), answer);
}

}  // namespace app
