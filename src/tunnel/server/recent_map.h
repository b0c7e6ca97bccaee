#pragma once

#include <cstddef>
#include <iterator>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace tunnel {

/// What was noted last under each key, for the log: at most `kept` keys, the longest untouched goes
/// first. Peers choose the keys, so one longer than a DNS name is not kept at all.
template <typename Value>
class RecentMap {
 public:
  static constexpr std::size_t kKeyBytes = 253;

  explicit RecentMap(std::size_t kept) : kept_(kept) {}

  void put(std::string_view key, Value value) {
    if (key.size() > kKeyBytes) return;
    forget(key);
    entries_.emplace_back(key, std::move(value));
    index_.emplace(entries_.back().first, std::prev(entries_.end()));
    if (entries_.size() > kept_) forget(entries_.front().first);
  }

  /// Null when there is none; valid until the next put().
  const Value* find(std::string_view key) const {
    const auto found = index_.find(key);
    return found == index_.end() ? nullptr : &found->second->second;
  }
  /// What was put last; null when nothing was.
  const Value* latest() const { return entries_.empty() ? nullptr : &entries_.back().second; }
  std::size_t size() const { return entries_.size(); }

  using Entries = std::list<std::pair<const std::string, Value>>;
  /// All of them, the longest untouched first.
  const Entries& entries() const { return entries_; }

 private:
  void forget(std::string_view key) {
    const auto found = index_.find(key);
    if (found == index_.end()) return;
    const auto entry = found->second;
    index_.erase(found);
    entries_.erase(entry);
  }

  std::size_t kept_;
  Entries entries_;  // the longest untouched first
  std::unordered_map<std::string_view, typename Entries::iterator> index_;  // views into entries_
};

}  // namespace tunnel
