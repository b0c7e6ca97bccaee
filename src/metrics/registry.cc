#include "metrics/registry.h"

#include <algorithm>

#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include "metrics/process.h"

namespace metrics {
namespace {

template <typename Metric>
prometheus::Family<Metric>& make_family(prometheus::Registry& registry, const std::string& name,
                                        const std::string& help) {
  return prometheus::detail::Builder<Metric>().Name(name).Help(help).Register(registry);
}

bool by_name(const prometheus::MetricFamily& a, const prometheus::MetricFamily& b) {
  return a.name < b.name;
}

bool by_labels(const prometheus::ClientMetric& a, const prometheus::ClientMetric& b) {
  const auto order = [](const prometheus::ClientMetric::Label& x,
                        const prometheus::ClientMetric::Label& y) {
    return std::tie(x.name, x.value) < std::tie(y.name, y.value);
  };
  return std::ranges::lexicographical_compare(a.label, b.label, order);
}

void sort_labels(prometheus::ClientMetric& metric) {
  std::ranges::sort(metric.label, {},
                    [](const auto& label) { return std::string_view(label.name); });
}

}  // namespace

Registry::Registry() : registry_(std::make_unique<prometheus::Registry>()) {}
Registry::~Registry() = default;

Counter Registry::counter(const std::string& name, const std::string& help) {
  return Counter(make_family<prometheus::Counter>(*registry_, name, help), {});
}

Gauge Registry::gauge(const std::string& name, const std::string& help) {
  return Gauge(make_family<prometheus::Gauge>(*registry_, name, help), {});
}

Histogram Registry::histogram(const std::string& name, const std::string& help,
                              Histogram::Buckets buckets) {
  return Histogram(make_family<prometheus::Histogram>(*registry_, name, help), {},
                   std::move(buckets));
}

Labelled<Counter> Registry::counters(const std::string& name, const std::string& help,
                                     std::vector<std::string> labels, std::size_t limit) {
  auto& family = make_family<prometheus::Counter>(*registry_, name, help);
  return {std::move(labels), limit,
          [&family](Labels values) { return Counter(family, std::move(values)); }};
}

Labelled<Gauge> Registry::gauges(const std::string& name, const std::string& help,
                                 std::vector<std::string> labels, std::size_t limit) {
  auto& family = make_family<prometheus::Gauge>(*registry_, name, help);
  return {std::move(labels), limit,
          [&family](Labels values) { return Gauge(family, std::move(values)); }};
}

Labelled<Histogram> Registry::histograms(const std::string& name, const std::string& help,
                                         std::vector<std::string> labels,
                                         Histogram::Buckets buckets, std::size_t limit) {
  auto& family = make_family<prometheus::Histogram>(*registry_, name, help);
  return {std::move(labels), limit, [&family, buckets = std::move(buckets)](Labels values) {
            return Histogram(family, std::move(values), buckets);
          }};
}

std::string Registry::expose() const {
  std::vector<prometheus::MetricFamily> families = registry_->Collect();
  std::ranges::move(collect_process(), std::back_inserter(families));
  std::ranges::sort(families, by_name);
  for (prometheus::MetricFamily& family : families) {
    std::ranges::for_each(family.metric, sort_labels);
    std::ranges::sort(family.metric, by_labels);
  }
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace metrics
