#include "addon/work.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <set>

#include <fmt/format.h>

#include "addon/merge_patch.h"
#include "addon/names.h"
#include "addon/object.h"
#include "addon/orphans.h"

namespace addon {
namespace {

constexpr std::size_t kBudget = 409600;  // of a work that we fill: 80 % of what its webhook takes
constexpr std::size_t kLimit = 512000;   // of the webhook
constexpr std::string_view kPrefix = "addon-cluster-proxy-deploy-";

std::string identity(const json::object& manifest) {
  return fmt::format("{} {} {} {}", text_at(manifest, "apiVersion"), text_at(manifest, "kind"),
                     namespace_of(manifest), name_of(manifest));
}

/// As the webhook counts: the bytes of the JSON with the head of a protobuf field.
std::size_t size_of(const json::object& manifest) {
  const std::size_t bytes = canonical_json(manifest).size();
  std::size_t head = 2;
  for (std::size_t rest = bytes; rest >= 0x80; rest >>= 7) ++head;
  return bytes + head;
}

std::optional<std::size_t> index_of(std::string_view name) {
  if (!name.starts_with(kPrefix)) return std::nullopt;
  name.remove_prefix(kPrefix.size());
  std::size_t index = 0;
  const auto* end = name.data() + name.size();
  const auto read = std::from_chars(name.data(), end, index);
  return read.ec == std::errc() && read.ptr == end ? std::optional(index) : std::nullopt;
}

/// A work in the making.
struct Load {
  std::vector<json::object> manifests;
  std::size_t size = 0;

  void add(json::object manifest) {
    size += size_of(manifest);
    manifests.push_back(std::move(manifest));
  }
  /// The work agent applies in order, and what lives in a namespace needs it.
  void add_new(json::object manifest) {
    const bool first = text_at(manifest, "kind") == "Namespace";
    add(std::move(manifest));
    if (first) std::ranges::rotate(manifests, manifests.end() - 1);
  }
  json::object take_last() {
    auto last = std::move(manifests.back());
    manifests.pop_back();
    size -= size_of(last);
    return last;
  }
};

/// Spreads manifests over works, by index.
class Spread {
 public:
  explicit Spread(const std::vector<json::object>& manifests) {
    for (const auto& manifest : manifests) {
      const auto [at, fresh] = wanted_.insert_or_assign(identity(manifest), &manifest);
      if (fresh) order_.push_back(at->first);
    }
  }

  /// Keeps what the work holds and is still wanted. What has outgrown the limit moves on.
  void keep(std::size_t index, const json::array& manifests) {
    auto& load = loads_[index];
    for (const auto& each : manifests) {
      if (!each.is_object()) continue;
      const auto id = identity(each.get_object());
      const auto found = wanted_.find(id);
      if (found != wanted_.end() && placed_.insert(id).second) load.add(*found->second);
    }
    while (load.size > kLimit && load.manifests.size() > 1) {
      placed_.erase(identity(load.take_last()));
    }
  }

  void place_new() {
    for (const auto& id : order_) {
      if (placed_.insert(id).second) room_for(size_of(*wanted_.at(id))).add_new(*wanted_.at(id));
    }
  }

  std::map<std::size_t, Load>& loads() { return loads_; }

 private:
  /// The work with most room, if that is enough; a new one otherwise.
  Load& room_for(std::size_t size) {
    const auto emptiest =
        std::ranges::min_element(loads_, {}, [](const auto& each) { return each.second.size; });
    if (emptiest != loads_.end() && emptiest->second.size + size < kBudget) return emptiest->second;
    std::size_t free = 0;
    while (loads_.contains(free)) ++free;
    return loads_[free];
  }

  std::map<std::string, const json::object*> wanted_;
  std::vector<std::string> order_;
  std::set<std::string> placed_;
  std::map<std::size_t, Load> loads_;
};

json::object metadata_of_work(const json::object& addon, std::size_t index) {
  json::object labels;
  put(labels, kAddonNameLabel, json::value(name_of(addon)));
  json::object metadata = {
      {"name", fmt::format("{}{}", kPrefix, index)},
      {"namespace", namespace_of(addon)},
      {"labels", std::move(labels)},
      {"ownerReferences", json::array{json::object{{"apiVersion", kAddonApiVersion},
                                                   {"kind", kAddonKind},
                                                   {"name", name_of(addon)},
                                                   {"uid", uid_of(addon)},
                                                   {"controller", true},
                                                   {"blockOwnerDeletion", true}}}}};
  if (const auto hashes = config_spec_hashes(addon); !hashes.empty()) {
    put(make_object(metadata, "annotations"), kConfigSpecHashAnnotation, json::value(hashes));
  }
  return metadata;
}

json::object make_work(json::object metadata, const std::vector<json::object>& manifests,
                       const json::value& delete_option) {
  json::array list;
  for (const auto& manifest : manifests) list.push_back(manifest);
  json::object spec = {{"workload", {{"manifests", std::move(list)}}}};
  if (!delete_option.is_null()) spec["deleteOption"] = delete_option;
  return {{"apiVersion", kWorkApiVersion},
          {"kind", "ManifestWork"},
          {"metadata", std::move(metadata)},
          {"spec", std::move(spec)}};
}

base::Result<void> check_sizes(const std::map<std::size_t, Load>& loads) {
  for (const auto& [index, load] : loads) {
    if (load.size <= kLimit) continue;
    const auto& first = load.manifests.front();
    return base::fail(
        base::Code::invalid,
        fmt::format("{} {} has {} bytes; a ManifestWork takes {}: make it smaller, or split it",
                    text_at(first, "kind"), name_of(first), load.size, kLimit));
  }
  return {};
}

/// What the schema fills in, and what Go adds to objects, taken out of account.
json::object normalized(const json::object& spec) {
  json::object result = spec;
  if (has(result, "deleteOption")) {
    make_object(result, "deleteOption").emplace("propagationPolicy", "Foreground");
  }
  for (auto& each : make_array(make_object(result, "workload"), "manifests")) {
    if (!each.is_object()) continue;
    make_object(each.get_object(), "metadata").erase("creationTimestamp");
    auto* spec_of = each.get_object().if_contains("spec");
    if (spec_of == nullptr || !spec_of->is_object() || !has(spec_of->get_object(), "template"))
      continue;
    make_object(make_object(spec_of->get_object(), "template"), "metadata")
        .erase("creationTimestamp");
  }
  return result;
}

/// What of our labels or annotations is missing or different in `live`.
json::object missing(const json::object& live, const json::object& wanted) {
  json::object change;
  for (const auto& member : wanted) {
    const auto* was = live.if_contains(member.key());
    if (was == nullptr || *was != member.value()) change[member.key()] = member.value();
  }
  return change;
}

json::object metadata_change(const json::object& live, const json::object& wanted) {
  json::object change;
  if (auto labels = missing(object_at(live, "labels"), object_at(wanted, "labels"));
      !labels.empty()) {
    change["labels"] = std::move(labels);
  }
  const auto& was = object_at(live, "annotations");
  auto annotations = missing(was, object_at(wanted, "annotations"));
  if (has(was, kConfigSpecHashAnnotation) &&
      !has(object_at(wanted, "annotations"), kConfigSpecHashAnnotation)) {
    put(annotations, kConfigSpecHashAnnotation, nullptr);
  }
  if (!annotations.empty()) change["annotations"] = std::move(annotations);
  if (array_at(live, "ownerReferences") != array_at(wanted, "ownerReferences")) {
    change["ownerReferences"] = array_at(wanted, "ownerReferences");
  }
  return change;
}

}  // namespace

bool is_deploy_work(std::string_view name) { return index_of(name).has_value(); }

base::Result<WorkPlan> plan_works(const WorkInputs& inputs) {
  Spread spread(inputs.manifests);
  std::map<std::size_t, const json::object*> existing;
  for (const auto& work : inputs.existing) {
    if (const auto index = index_of(name_of(work))) existing[*index] = &work;
  }
  for (const auto& [index, work] : existing) {
    spread.keep(index, array_at(object_at(object_at(*work, "spec"), "workload"), "manifests"));
  }
  spread.place_new();
  TRY_VOID(check_sizes(spread.loads()));
  WorkPlan plan;
  const auto delete_option = orphaning_delete_option(inputs.manifests);
  for (auto& [index, load] : spread.loads()) {
    if (load.manifests.empty()) {
      plan.obsolete.push_back(fmt::format("{}{}", kPrefix, index));
      continue;
    }
    plan.wanted.push_back(
        make_work(metadata_of_work(inputs.addon, index), load.manifests, delete_option));
  }
  return plan;
}

std::optional<json::object> work_patch(const json::object& live, const json::object& wanted) {
  json::object patch;
  auto metadata = metadata_change(object_at(live, "metadata"), object_at(wanted, "metadata"));
  const auto spec =
      merge_patch(normalized(object_at(live, "spec")), normalized(object_at(wanted, "spec")));
  if (metadata.empty() && !spec) return std::nullopt;
  if (!metadata.empty()) patch["metadata"] = std::move(metadata);
  if (spec) patch["spec"] = *spec;
  guard(patch, live);
  return patch;
}

std::string config_spec_hashes(const json::object& addon) {
  const auto& references = array_at(object_at(addon, "status"), "configReferences");
  if (references.empty()) return {};
  json::object hashes;
  for (const auto& each : references) {
    if (!each.is_object() || !has(each.get_object(), "desiredConfig")) continue;
    const auto group = text_at(each.get_object(), "group");
    const auto& desired = object_at(each.get_object(), "desiredConfig");
    const auto key = fmt::format("{}{}{}/{}/{}", text_at(each.get_object(), "resource"),
                                 group.empty() ? "" : ".", group, text_at(desired, "namespace"),
                                 text_at(desired, "name"));
    put(hashes, key, json::value(text_at(desired, "specHash")));
  }
  return canonical_json(hashes);
}

}  // namespace addon
