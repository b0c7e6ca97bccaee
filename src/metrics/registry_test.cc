#include "metrics/registry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace metrics {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(Registry, exposes_nothing_that_never_happened) {
  Registry registry;
  Counter events = registry.counter("events_total", "Events.");
  auto labelled = registry.counters("things_total", "Things.", {"kind"});
  labelled.with({"a"});
  EXPECT_THAT(registry.expose(),
              AllOf(Not(HasSubstr("events_total")), Not(HasSubstr("things_total"))));
  events.add();
  EXPECT_THAT(
      registry.expose(),
      HasSubstr("# HELP events_total Events.\n# TYPE events_total counter\nevents_total 1"));
}

TEST(Registry, exposes_zero_when_touched) {
  Registry registry;
  Gauge gauge = registry.gauge("level", "Level.");
  gauge.touch();
  EXPECT_THAT(registry.expose(), HasSubstr("# TYPE level gauge\nlevel 0"));
  gauge.add(3);
  gauge.subtract();
  EXPECT_EQ(gauge.value(), 2);
}

TEST(Registry, gives_the_same_series_for_the_same_labels) {
  Registry registry;
  auto things = registry.counters("things_total", "Things.", {"kind", "place"});
  Counter& kept = things.with({"b", "x"});
  kept.add();
  things.with({"a", "y"}).add(2);
  things.with({"b", "x"}).add();
  EXPECT_EQ(kept.value(), 2);
  EXPECT_THAT(
      registry.expose(),
      HasSubstr("things_total{kind=\"a\",place=\"y\"} 2\nthings_total{kind=\"b\",place=\"x\"} 2"));
}

TEST(Registry, gathers_what_exceeds_the_limit_under_other) {
  Registry registry;
  auto things = registry.counters("things_total", "Things.", {"id"}, 2);
  for (const char* id : {"1", "2", "3", "4", "1"}) things.with({id}).add();
  EXPECT_EQ(things.with({"1"}).value(), 2);
  EXPECT_THAT(registry.expose(),
              AllOf(HasSubstr("{id=\"other\"} 2"), Not(HasSubstr("{id=\"3\"}"))));
}

TEST(Registry, counts_observations_in_cumulative_buckets) {
  Registry registry;
  Histogram histogram = registry.histogram("seconds", "Seconds.", {.5, 1});
  for (const double value : {.2, .7, 5.0}) histogram.observe(value);
  EXPECT_THAT(registry.expose(), AllOf(HasSubstr("seconds_bucket{le=\"0.5\"} 1"),
                                       HasSubstr("seconds_bucket{le=\"1\"} 2"),
                                       HasSubstr("seconds_bucket{le=\"+Inf\"} 3"),
                                       HasSubstr("seconds_count 3"), HasSubstr("seconds_sum 5.9")));
}

TEST(Registry, escapes_values_of_labels) {
  Registry registry;
  auto things = registry.counters("things_total", "Things.", {"id"});
  things.with({"a\"b\\\n"}).add();
  EXPECT_THAT(registry.expose(), HasSubstr(R"(things_total{id="a\"b\\\n"} 1)"));
}

TEST(Registry, tells_about_the_process_and_not_about_go) {
  const std::string text = Registry().expose();
  for (const char* name : {"process_cpu_seconds_total ", "process_open_fds ", "process_max_fds ",
                           "process_resident_memory_bytes ", "process_virtual_memory_bytes ",
                           "process_virtual_memory_max_bytes ", "process_start_time_seconds "}) {
    EXPECT_THAT(text, HasSubstr(std::string("\n") + name)) << name;
  }
  EXPECT_THAT(text, Not(HasSubstr("go_")));
}

}  // namespace
}  // namespace metrics
