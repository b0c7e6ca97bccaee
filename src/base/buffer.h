#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/bytes.h"

namespace base {

/// Bytes that the process may hold in buffers of connections, and holds. Any thread.
class MemoryBudget {
 public:
  explicit MemoryBudget(std::size_t limit) : limit_(limit) {}
  void add(std::size_t bytes) { used_.fetch_add(bytes, std::memory_order_relaxed); }
  void remove(std::size_t bytes) { used_.fetch_sub(bytes, std::memory_order_relaxed); }
  std::size_t used() const { return used_.load(std::memory_order_relaxed); }
  std::size_t limit() const { return limit_; }
  bool exhausted() const { return used() > limit_; }

 private:
  std::size_t limit_;
  std::atomic<std::size_t> used_{0};
};

/// A block of memory with bytes in its middle: room in front for a header that is written last,
/// room behind to append. Owned by one holder at a time; blocks of kBlock come from and return to a
/// small free list of the thread.
class Buffer {
 public:
  static constexpr std::size_t kBlock = 64 * 1024;
  static constexpr std::size_t kHeadroom = 64;

  Buffer() = default;
  /// Room for `capacity` bytes behind `headroom` bytes.
  explicit Buffer(std::size_t capacity, std::size_t headroom = kHeadroom);
  Buffer(Buffer&& other) noexcept;
  Buffer& operator=(Buffer&& other) noexcept;
  ~Buffer();

  Bytes bytes() const;
  std::size_t size() const;
  bool empty() const { return size() == 0; }
  /// Free room behind the bytes, to be filled and then claimed with commit().
  MutableBytes tail();
  void commit(std::size_t count);
  void append(Bytes bytes);
  /// Puts bytes in front; at most headroom() of them.
  void prepend(Bytes bytes);
  std::size_t headroom() const;
  void consume(std::size_t count);

 private:
  friend class BufferQueue;
  struct Block;
  void release();
  Block* block_ = nullptr;
};

/// A first-in-first-out queue of bytes in blocks. Holds no memory while empty. Counts into a
/// MemoryBudget if given one, which must outlive it.
class BufferQueue {
 public:
  explicit BufferQueue(MemoryBudget* budget = nullptr) : budget_(budget) {}
  BufferQueue(BufferQueue&& other) noexcept;
  BufferQueue& operator=(BufferQueue&&) = delete;
  ~BufferQueue() { clear(); }

  void push(Buffer buffer);
  /// Copies the bytes, into the room left in the last block where they fit.
  void append(Bytes bytes);
  /// The longest run of bytes at the front.
  Bytes front() const;
  /// Calls `visit` for the runs of bytes from the front on, until it returns false.
  template <typename Visit>
  void for_each_block(Visit visit) const {
    for (const Buffer::Block* block = head_; block != nullptr; block = next_of(block)) {
      if (!visit(bytes_of(block))) break;
    }
  }
  void consume(std::size_t count);
  /// The first block as a whole; empty when there is none.
  Buffer pop();
  void clear();
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

 private:
  void account(std::ptrdiff_t delta);
  static const Buffer::Block* next_of(const Buffer::Block* block);
  static Bytes bytes_of(const Buffer::Block* block);
  Buffer::Block* head_ = nullptr;
  Buffer::Block* last_ = nullptr;
  std::size_t size_ = 0;
  MemoryBudget* budget_;
};

}  // namespace base
