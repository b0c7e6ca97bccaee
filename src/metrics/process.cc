#include "metrics/process.h"

#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <sstream>
#include <string>
#include <sys/resource.h>
#include <unistd.h>

namespace metrics {
namespace {

using Families = std::vector<prometheus::MetricFamily>;

void add(Families& families, std::string name, std::string help, prometheus::MetricType type,
         double value) {
  prometheus::ClientMetric metric;
  if (type == prometheus::MetricType::Counter) {
    metric.counter.value = value;
  } else {
    metric.gauge.value = value;
  }
  families.push_back({std::move(name), std::move(help), type, {metric}});
}

void add_gauge(Families& families, std::string name, std::string help, double value) {
  add(families, std::move(name), std::move(help), prometheus::MetricType::Gauge, value);
}

void add_limit(Families& families, int resource, std::string name, std::string help) {
  rlimit limit{};
  if (::getrlimit(static_cast<__rlimit_resource>(resource), &limit) != 0) return;
  const bool bounded = limit.rlim_cur != RLIM_INFINITY;
  // -1 stands for "unlimited", as in other clients.
  add_gauge(families, std::move(name), std::move(help),
            bounded ? static_cast<double>(limit.rlim_cur) : -1);
}

std::string read_file(const char* path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// Fields of /proc/self/stat from the third on (proc(5)): the second, the program's name, may
/// contain spaces.
std::vector<double> stat_fields() {
  const std::string text = read_file("/proc/self/stat");
  std::vector<double> fields;
  std::istringstream rest(text.substr(std::min(text.rfind(')') + 1, text.size())));
  for (std::string word; rest >> word;) {
    double value = 0;
    std::from_chars(word.data(), word.data() + word.size(), value);
    fields.push_back(value);
  }
  return fields;
}

/// Seconds since the epoch at which the machine started.
std::optional<double> boot_time() {
  std::ifstream file("/proc/stat");
  for (std::string key; file >> key;) {
    double value = 0;
    if (key == "btime" && file >> value) return value;
    file.ignore(1 << 16, '\n');
  }
  return std::nullopt;
}

void add_stat(Families& families) {
  const std::vector<double> fields = stat_fields();
  constexpr std::size_t kUserTime = 11, kSystemTime = 12, kStart = 19, kVirtual = 20,
                        kResident = 21;
  if (fields.size() <= kResident) return;
  const double ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
  add(families, "process_cpu_seconds_total", "Total user and system CPU time spent in seconds.",
      prometheus::MetricType::Counter, (fields[kUserTime] + fields[kSystemTime]) / ticks);
  add_gauge(families, "process_virtual_memory_bytes", "Virtual memory size in bytes.",
            fields[kVirtual]);
  add_gauge(families, "process_resident_memory_bytes", "Resident memory size in bytes.",
            fields[kResident] * static_cast<double>(::sysconf(_SC_PAGESIZE)));
  if (const auto boot = boot_time()) {
    add_gauge(families, "process_start_time_seconds",
              "Start time of the process since unix epoch in seconds.",
              *boot + fields[kStart] / ticks);
  }
}

void add_descriptors(Families& families) {
  std::error_code error;
  const std::filesystem::directory_iterator open("/proc/self/fd", error);
  if (error) return;
  // The directory itself is open while it is counted.
  const auto count = std::distance(open, std::filesystem::directory_iterator()) - 1;
  add_gauge(families, "process_open_fds", "Number of open file descriptors.",
            static_cast<double>(count));
}

}  // namespace

std::vector<prometheus::MetricFamily> collect_process() {
  Families families;
  add_stat(families);
  add_descriptors(families);
  add_limit(families, RLIMIT_NOFILE, "process_max_fds", "Maximum number of open file descriptors.");
  add_limit(families, RLIMIT_AS, "process_virtual_memory_max_bytes",
            "Maximum amount of virtual memory available in bytes.");
  return families;
}

}  // namespace metrics
