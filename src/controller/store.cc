#include "controller/store.h"

#include <utility>

#include "base/check.h"

namespace controller {

void Store::add_index(std::string name, IndexFunction values_of) {
  CHECK(objects_.empty());
  indexes_[std::move(name)].values_of = std::move(values_of);
}

ObjectPtr Store::get(const ObjectKey& key) const {
  const auto found = objects_.find(key);
  return found != objects_.end() ? found->second : nullptr;
}

std::vector<ObjectPtr> Store::list() const {
  std::vector<ObjectPtr> all;
  all.reserve(objects_.size());
  for (const auto& [key, object] : objects_) all.push_back(object);
  return all;
}

std::vector<ObjectPtr> Store::find(std::string_view index, std::string_view value) const {
  const auto by_name = indexes_.find(index);
  CHECK(by_name != indexes_.end());
  std::vector<ObjectPtr> found;
  const auto keys = by_name->second.keys.find(value);
  if (keys == by_name->second.keys.end()) return found;
  for (const auto& key : keys->second) found.push_back(get(key));
  return found;
}

ObjectPtr Store::put(ObjectPtr object) {
  auto key = key_of(*object);
  auto& place = objects_[key];
  if (place) leave(*place, key);
  enter(*object, key);
  return std::exchange(place, std::move(object));
}

ObjectPtr Store::erase(const ObjectKey& key) {
  auto node = objects_.extract(key);
  if (node.empty()) return nullptr;
  leave(*node.mapped(), key);
  return std::move(node.mapped());
}

void Store::enter(const json::object& object, const ObjectKey& key) {
  for (auto& [name, index] : indexes_) {
    for (auto& value : index.values_of(object)) index.keys[std::move(value)].insert(key);
  }
}

void Store::leave(const json::object& object, const ObjectKey& key) {
  for (auto& [name, index] : indexes_) {
    for (const auto& value : index.values_of(object)) {
      const auto place = index.keys.find(value);
      if (place == index.keys.end()) continue;
      place->second.erase(key);
      if (place->second.empty()) index.keys.erase(place);
    }
  }
}

}  // namespace controller
