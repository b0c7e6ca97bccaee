#include "controller/informer.h"

#include <charconv>
#include <cstdint>
#include <optional>
#include <set>
#include <utility>

namespace controller {

namespace {

kube::Reflector::Options reflector_options(const Informer::Options& options) {
  kube::Reflector::Options made;
  made.label_selector = options.label_selector;
  made.field_selector = options.field_selector;
  return made;
}

// Who owns which field is of no use to a reader, and half of an object's size.
void drop_managed_fields(json::object& object) {
  auto* metadata = object.if_contains("metadata");
  if (metadata != nullptr && metadata->is_object()) metadata->get_object().erase("managedFields");
}

/// The resource version as the number that it is on every Kubernetes API server; nothing for other
/// text.
std::optional<std::uint64_t> revision_of(const json::object& object) {
  const auto text = kube::resource_version_of(object);
  std::uint64_t revision = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), revision);
  const bool whole = read.ec == std::errc() && read.ptr == text.data() + text.size();
  return whole ? std::optional(revision) : std::nullopt;
}

}  // namespace

Informer::Informer(async::Loop& loop, kube::Client& client, kube::Api api, Options options)
    : api_(std::move(api)),
      options_(std::move(options)),
      synced_(loop.get_executor()),
      reflector_(client, api_, *this, nullptr, reflector_options(options_)) {}

async::Task<void> Informer::synced() {
  while (!is_synced()) CO_TRY_VOID(co_await synced_.wait());
  co_return base::Result<void>{};
}

void Informer::replace(std::vector<json::object> objects) {
  std::set<ObjectKey> present;
  for (auto& object : objects) {
    present.insert(key_of(object));
    apply(std::move(object));
  }
  for (const auto& object : store_.list()) {
    if (!present.contains(key_of(*object))) learn_removed(key_of(*object));
  }
  synced_.notify_all();
}

// The watch runs behind what learn() brought.
bool Informer::is_stale(const json::object& object) const {
  const auto known = store_.get(key_of(object));
  if (!known) return false;
  const auto seen = revision_of(*known);
  const auto now = revision_of(object);
  return seen && now && *now < *seen;
}

void Informer::apply(json::object object) {
  if (is_stale(object)) return;
  drop_managed_fields(object);
  if (options_.trim) options_.trim(object);
  auto after = std::make_shared<const json::object>(std::move(object));
  const auto before = store_.put(after);
  const bool seen_before =
      before && kube::resource_version_of(*before) == kube::resource_version_of(*after);
  if (!seen_before) tell(before, after);
}

void Informer::learn_removed(const ObjectKey& key) {
  if (const auto before = store_.erase(key)) tell(before, nullptr);
}

void Informer::remove(const json::object& object) {
  if (is_stale(object)) return;
  if (const auto before = store_.erase(key_of(object))) tell(before, nullptr);
}

void Informer::tell(const ObjectPtr& before, const ObjectPtr& after) {
  for (const auto& handler : handlers_) handler(before, after);
}

}  // namespace controller
