#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/object.hpp>

#include "controller/object_key.h"

namespace controller {

namespace json = kube::json;

/// An object as the API server showed it. Shared by everybody who reads the cache: to change it,
/// copy it.
using ObjectPtr = std::shared_ptr<const json::object>;

/// The objects of one kind, as last seen, by key and by index.
///
/// What it holds may be older than one's own writes. Thread: that of the loop.
class Store {
 public:
  /// Under which values an object stands in an index.
  using IndexFunction = std::function<std::vector<std::string>(const json::object&)>;

  /// Before the first object comes.
  void add_index(std::string name, IndexFunction values_of);

  /// Null when there is none.
  ObjectPtr get(const ObjectKey& key) const;
  /// In the order of keys.
  std::vector<ObjectPtr> list() const;
  /// Those that stand under `value` in the index, in the order of keys.
  std::vector<ObjectPtr> find(std::string_view index, std::string_view value) const;
  std::size_t size() const { return objects_.size(); }

  /// Both return what was there before, or null.
  ObjectPtr put(ObjectPtr object);
  ObjectPtr erase(const ObjectKey& key);

 private:
  struct Index {
    IndexFunction values_of;
    std::map<std::string, std::set<ObjectKey>, std::less<>> keys;
  };
  void enter(const json::object& object, const ObjectKey& key);
  void leave(const json::object& object, const ObjectKey& key);

  std::map<ObjectKey, ObjectPtr> objects_;
  std::map<std::string, Index, std::less<>> indexes_;
};

}  // namespace controller
