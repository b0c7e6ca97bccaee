#include "controller/store.h"

#include <gtest/gtest.h>

namespace controller {
namespace {

ObjectPtr object(const std::string& in_namespace, const std::string& name,
                 const std::string& owner = "") {
  json::object made{{"metadata", json::object{{"namespace", in_namespace}, {"name", name}}}};
  if (!owner.empty()) made["owner"] = owner;
  return std::make_shared<const json::object>(std::move(made));
}

std::vector<std::string> owner_of(const json::object& each) {
  const auto owner = kube::text_at(each, "owner");
  return owner.empty() ? std::vector<std::string>() : std::vector{std::string(owner)};
}

TEST(Store, tells_apart_objects_of_two_namespaces) {
  Store store;
  EXPECT_EQ(store.put(object("a", "x")), nullptr);
  EXPECT_EQ(store.put(object("b", "x")), nullptr);
  EXPECT_EQ(store.size(), 2U);
  EXPECT_EQ(kube::namespace_of(*store.get({"b", "x"})), "b");
  EXPECT_EQ(store.get({"", "x"}), nullptr);
}

TEST(Store, gives_back_what_an_object_replaced) {
  Store store;
  const auto first = object("a", "x");
  const auto second = object("a", "x");
  store.put(first);
  EXPECT_EQ(store.put(second), first);
  EXPECT_EQ(store.erase({"a", "x"}), second);
  EXPECT_EQ(store.erase({"a", "x"}), nullptr);
}

TEST(Store, finds_objects_by_index_as_they_change) {
  Store store;
  store.add_index("owner", owner_of);
  store.put(object("a", "x", "one"));
  store.put(object("a", "y", "one"));
  EXPECT_EQ(store.find("owner", "one").size(), 2U);
  store.put(object("a", "x", "two"));
  EXPECT_EQ(store.find("owner", "one").size(), 1U);
  EXPECT_EQ(store.find("owner", "two").size(), 1U);
  store.erase({"a", "x"});
  EXPECT_TRUE(store.find("owner", "two").empty());
}

TEST(ObjectKey, is_written_as_kubectl_does) {
  EXPECT_EQ(fmt::format("{}", ObjectKey{"ns", "n"}), "ns/n");
  EXPECT_EQ(fmt::format("{}", ObjectKey{"", "n"}), "n");
}

}  // namespace
}  // namespace controller
