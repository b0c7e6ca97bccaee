#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>

/// Handles on the series of a Registry. A series does not exist before its handle is used for the
/// first time: what has never happened is not exposed, unless touch() says so. A handle remembers
/// its series, so that using it costs no look-up. Handles must not outlive their Registry.
namespace metrics {

using Labels = std::map<std::string, std::string>;

template <typename Metric>
class Series {
 public:
  using Family = prometheus::Family<Metric>;

  Series(Family& family, Labels labels) : family_(&family), labels_(std::move(labels)) {}

  /// Makes the series exist, with value 0.
  void touch() { metric(); }
  bool exists() const { return metric_ != nullptr; }

 protected:
  Metric& metric() { return metric_ != nullptr ? *metric_ : create(); }
  const Metric* peek() const { return metric_; }

 private:
  Metric& create() { return *(metric_ = &family_->Add(labels_)); }

  Family* family_;
  Labels labels_;
  Metric* metric_ = nullptr;
};

class Counter : public Series<prometheus::Counter> {
 public:
  using Series::Series;
  void add(double by = 1) { metric().Increment(by); }
  double value() const { return peek() == nullptr ? 0 : peek()->Value(); }
};

class Gauge : public Series<prometheus::Gauge> {
 public:
  using Series::Series;
  void set(double to) { metric().Set(to); }
  void add(double by = 1) { metric().Increment(by); }
  void subtract(double by = 1) { metric().Decrement(by); }
  double value() const { return peek() == nullptr ? 0 : peek()->Value(); }
};

class Histogram {
 public:
  using Buckets = std::vector<double>;
  using Family = prometheus::Family<prometheus::Histogram>;

  Histogram(Family& family, Labels labels, Buckets buckets)
      : family_(&family), labels_(std::move(labels)), buckets_(std::move(buckets)) {}

  void touch() {
    if (metric_ == nullptr) metric_ = &family_->Add(labels_, buckets_);
  }
  void observe(double value) {
    touch();
    metric_->Observe(value);
  }

 private:
  Family* family_;
  Labels labels_;
  Buckets buckets_;
  prometheus::Histogram* metric_ = nullptr;
};

/// The default buckets of Prometheus' client libraries, in seconds.
inline const Histogram::Buckets kDefaultBuckets = {.005, .01, .025, .05, .1, .25,
                                                   .5,   1,   2.5,  5,   10};

/// Series that differ in the values of their labels. At most `limit` of them exist: what comes
/// later is counted in one series whose labels are all "other", so that no peer can fill our memory
/// with names.
template <typename Handle>
class Labelled {
 public:
  using Make = std::function<Handle(Labels)>;

  Labelled(std::vector<std::string> names, std::size_t limit, Make make)
      : names_(std::move(names)), limit_(limit), make_(std::move(make)) {}

  /// The handle for these values, one for each name; the reference stays valid. Keep it where it is
  /// used often.
  Handle& with(const std::vector<std::string>& values) {
    if (const auto known = handles_.find(values); known != handles_.end()) return *known->second;
    if (handles_.size() < limit_) return insert(values);
    const std::vector<std::string> other(names_.size(), "other");
    const auto known = handles_.find(other);
    return known != handles_.end() ? *known->second : insert(other);
  }

 private:
  Handle& insert(const std::vector<std::string>& values) {
    Labels labels;
    for (std::size_t i = 0; i < names_.size(); ++i) labels[names_[i]] = values.at(i);
    return *handles_.emplace(values, std::make_unique<Handle>(make_(std::move(labels))))
                .first->second;
  }

  std::vector<std::string> names_;
  std::size_t limit_;
  Make make_;
  std::map<std::vector<std::string>, std::unique_ptr<Handle>> handles_;
};

}  // namespace metrics
