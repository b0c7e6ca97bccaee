#include "base/buffer.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>

#include "base/check.h"

namespace base {

struct Buffer::Block {
  Block* next;
  std::size_t capacity;
  std::size_t begin;
  std::size_t end;

  std::uint8_t* data() { return reinterpret_cast<std::uint8_t*>(this + 1); }
  static Block* make(std::size_t capacity, std::size_t headroom);
  static void destroy(Block* block);
};

namespace {

constexpr std::size_t kPooledBytes = Buffer::kBlock + Buffer::kHeadroom;
constexpr std::size_t kPooledBlocks = 32;

// Blocks of the one common size that this thread has given back; their first word links them.
struct FreeList {
  void* first = nullptr;
  std::size_t count = 0;

  void* take() {
    if (first == nullptr) return nullptr;
    --count;
    return std::exchange(first, *static_cast<void**>(first));
  }
  bool give(void* block) {
    if (count == kPooledBlocks) return false;
    *static_cast<void**>(block) = std::exchange(first, block);
    ++count;
    return true;
  }
  ~FreeList() {
    while (void* block = take()) std::free(block);
  }
};

thread_local FreeList free_list;

}  // namespace

Buffer::Block* Buffer::Block::make(std::size_t capacity, std::size_t headroom) {
  const std::size_t total = capacity + headroom;
  void* memory = total == kPooledBytes ? free_list.take() : nullptr;
  if (memory == nullptr) memory = std::malloc(sizeof(Block) + total);
  if (memory == nullptr) throw std::bad_alloc();
  return new (memory) Block{nullptr, total, headroom, headroom};
}

void Buffer::Block::destroy(Block* block) {
  if (block->capacity != kPooledBytes || !free_list.give(block)) std::free(block);
}

Buffer::Buffer(std::size_t capacity, std::size_t headroom)
    : block_(Block::make(capacity, headroom)) {}
Buffer::Buffer(Buffer&& other) noexcept : block_(std::exchange(other.block_, nullptr)) {}
Buffer& Buffer::operator=(Buffer&& other) noexcept {
  if (this != &other) {
    release();
    block_ = std::exchange(other.block_, nullptr);
  }
  return *this;
}
Buffer::~Buffer() { release(); }

void Buffer::release() {
  if (block_ != nullptr) Block::destroy(std::exchange(block_, nullptr));
}

Bytes Buffer::bytes() const {
  if (block_ == nullptr) return {};
  return {block_->data() + block_->begin, block_->end - block_->begin};
}
std::size_t Buffer::size() const { return block_ == nullptr ? 0 : block_->end - block_->begin; }
std::size_t Buffer::headroom() const { return block_ == nullptr ? 0 : block_->begin; }

MutableBytes Buffer::tail() {
  if (block_ == nullptr) return {};
  return {block_->data() + block_->end, block_->capacity - block_->end};
}

void Buffer::commit(std::size_t count) {
  DCHECK(count <= tail().size());
  block_->end += count;
}

void Buffer::append(Bytes bytes) {
  DCHECK(bytes.size() <= tail().size());
  if (bytes.empty()) return;
  std::memcpy(tail().data(), bytes.data(), bytes.size());
  commit(bytes.size());
}

void Buffer::prepend(Bytes bytes) {
  CHECK(bytes.size() <= headroom());
  block_->begin -= bytes.size();
  std::memcpy(block_->data() + block_->begin, bytes.data(), bytes.size());
}

void Buffer::consume(std::size_t count) {
  DCHECK(count <= size());
  block_->begin += count;
}

BufferQueue::BufferQueue(BufferQueue&& other) noexcept
    : head_(std::exchange(other.head_, nullptr)),
      last_(std::exchange(other.last_, nullptr)),
      size_(std::exchange(other.size_, 0)),
      budget_(other.budget_) {}

void BufferQueue::account(std::ptrdiff_t delta) {
  size_ += static_cast<std::size_t>(delta);
  if (budget_ == nullptr) return;
  if (delta > 0) budget_->add(static_cast<std::size_t>(delta));
  if (delta < 0) budget_->remove(static_cast<std::size_t>(-delta));
}

void BufferQueue::push(Buffer buffer) {
  if (buffer.empty()) return;
  account(static_cast<std::ptrdiff_t>(buffer.size()));
  Buffer::Block* block = std::exchange(buffer.block_, nullptr);
  (last_ == nullptr ? head_ : last_->next) = block;
  last_ = block;
}

void BufferQueue::append(Bytes bytes) {
  if (bytes.empty()) return;
  if (last_ != nullptr) {
    const std::size_t fits = std::min(bytes.size(), last_->capacity - last_->end);
    std::memcpy(last_->data() + last_->end, bytes.data(), fits);
    last_->end += fits;
    account(static_cast<std::ptrdiff_t>(fits));
    bytes = bytes.subspan(fits);
  }
  while (!bytes.empty()) {
    const bool small = bytes.size() <= 1024 && size_ == 0;
    Buffer block(small ? 1024 : Buffer::kBlock);
    const std::size_t fits = std::min(bytes.size(), block.tail().size());
    block.append(bytes.first(fits));
    push(std::move(block));
    bytes = bytes.subspan(fits);
  }
}

const Buffer::Block* BufferQueue::next_of(const Buffer::Block* block) { return block->next; }

Bytes BufferQueue::bytes_of(const Buffer::Block* block) {
  return {const_cast<Buffer::Block*>(block)->data() + block->begin, block->end - block->begin};
}

Bytes BufferQueue::front() const { return head_ == nullptr ? Bytes{} : bytes_of(head_); }

void BufferQueue::consume(std::size_t count) {
  DCHECK(count <= size_);
  account(-static_cast<std::ptrdiff_t>(count));
  while (count > 0) {
    const std::size_t here = std::min(count, head_->end - head_->begin);
    head_->begin += here;
    count -= here;
    if (head_->begin < head_->end) continue;
    Buffer::Block* spent = std::exchange(head_, head_->next);
    if (head_ == nullptr) last_ = nullptr;
    Buffer::Block::destroy(spent);
  }
}

Buffer BufferQueue::pop() {
  Buffer first;
  if (head_ == nullptr) return first;
  first.block_ = std::exchange(head_, head_->next);
  if (head_ == nullptr) last_ = nullptr;
  first.block_->next = nullptr;
  account(-static_cast<std::ptrdiff_t>(first.size()));
  return first;
}

void BufferQueue::clear() {
  if (size_ > 0) consume(size_);
}

}  // namespace base
