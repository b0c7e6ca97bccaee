#include "kube/event_correlator.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace kube {

namespace {

constexpr double kBurst = 25;
constexpr double kRefillSeconds = 300;
constexpr std::size_t kMaxMessages = 10;
constexpr auto kSimilarWithin = std::chrono::minutes(10);
constexpr std::size_t kMaxRemembered = 4096;
constexpr std::size_t kMaxName = 253;

std::string key_of(const ObjectReference& about) {
  return fmt::format("{}\n{}\n{}\n{}\n{}", about.api_version, about.kind, about.in_namespace,
                     about.name, about.uid);
}

json::string_view text_of(EventType type) {
  return type == EventType::normal ? "Normal" : "Warning";
}

json::object reference_object(const ObjectReference& about) {
  json::object object{{"kind", about.kind}, {"name", about.name}};
  const auto add_if = [&](json::string_view name, const std::string& value) {
    if (!value.empty()) object[name] = value;
  };
  add_if("namespace", about.in_namespace);
  add_if("apiVersion", about.api_version);
  add_if("uid", about.uid);
  add_if("resourceVersion", about.resource_version);
  return object;
}

/// Makes room in a memory of things seen: what is long past first, else all.
template <typename Map>
void bound(Map& map, async::TimePoint now) {
  if (map.size() < kMaxRemembered) return;
  std::erase_if(map, [&](const auto& each) { return now - each.second.seen > kSimilarWithin; });
  if (map.size() >= kMaxRemembered) map.clear();
}

}  // namespace

ObjectReference reference_to(const json::object& object) {
  return {.api_version = std::string(text_at(object, "apiVersion")),
          .kind = std::string(text_at(object, "kind")),
          .in_namespace = std::string(namespace_of(object)),
          .name = std::string(name_of(object)),
          .uid = std::string(text_at(object_at(object, "metadata"), "uid")),
          .resource_version = std::string(resource_version_of(object))};
}

std::string EventCorrelator::name_for(const ObjectReference& about, WallTime now) {
  using std::chrono::nanoseconds;
  last_name_ = std::max(last_name_ + nanoseconds(1), nanoseconds(now.time_since_epoch()));
  const auto suffix = fmt::format(".{:x}", last_name_.count());
  return about.name.substr(0, kMaxName - suffix.size()) + suffix;
}

bool EventCorrelator::has_share(const ObjectReference& about, async::TimePoint now) {
  bound(buckets_, now);
  auto& bucket = buckets_.try_emplace(key_of(about), Bucket{kBurst, now}).first->second;
  const auto passed = std::chrono::duration<double>(now - bucket.seen).count();
  bucket.tokens = std::min(kBurst, bucket.tokens + passed / kRefillSeconds);
  bucket.seen = now;
  if (bucket.tokens < 1) return false;
  bucket.tokens -= 1;
  return true;
}

std::string EventCorrelator::lump(Happening& happening, async::TimePoint now) {
  bound(similar_, now);
  auto key =
      fmt::format("{}\n{}\n{}", key_of(happening.about), text_of(happening.type), happening.reason);
  auto& similar = similar_[key];
  if (now - similar.seen > kSimilarWithin) similar.messages.clear();
  similar.seen = now;
  similar.messages.insert(happening.message);
  if (similar.messages.size() < kMaxMessages) return key + "\n" + happening.message;
  similar.messages.erase(similar.messages.begin());
  happening.message = "(combined from similar events): " + happening.message;
  return key;
}

std::optional<EventWrite> EventCorrelator::take(Happening happening, async::TimePoint now,
                                                WallTime wall_now) {
  const auto key = lump(happening, now);
  bound(written_, now);
  auto& written = written_[key];
  written.seen = now;
  if (written.count++ == 0) {
    written.name = name_for(happening.about, wall_now);
    written.first = format_time(wall_now);
  }
  if (!has_share(happening.about, now)) return std::nullopt;
  const auto& space = happening.about.in_namespace;
  EventWrite write{.in_namespace = space.empty() ? "default" : space,
                   .name = written.name,
                   .count = written.count};
  write.patch = {{"count", write.count},
                 {"lastTimestamp", format_time(wall_now)},
                 {"message", happening.message}};
  write.event = event_of(happening, write, written);
  return write;
}

json::object EventCorrelator::event_of(const Happening& happening, const EventWrite& write,
                                       const Written& written) const {
  json::object event{{"kind", "Event"},
                     {"apiVersion", "v1"},
                     {"metadata", {{"name", write.name}, {"namespace", write.in_namespace}}},
                     {"involvedObject", reference_object(happening.about)},
                     {"reason", happening.reason},
                     {"source", {{"component", component_}, {"host", host_}}},
                     {"type", text_of(happening.type)},
                     {"firstTimestamp", written.first},
                     {"reportingComponent", component_},
                     {"reportingInstance", host_}};
  for (const auto& [name, value] : write.patch) event[name] = value;
  return event;
}

}  // namespace kube
