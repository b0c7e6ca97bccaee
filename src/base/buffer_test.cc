#include "base/buffer.h"

#include <string>

#include <gtest/gtest.h>

namespace base {
namespace {

std::string drain(BufferQueue& queue) {
  std::string all;
  while (!queue.empty()) {
    all += as_text(queue.front());
    queue.consume(queue.front().size());
  }
  return all;
}

TEST(Buffer, takes_a_header_in_front_of_bytes_that_came_first) {
  Buffer buffer(100);
  buffer.append(as_bytes("payload"));
  buffer.prepend(as_bytes("head:"));
  EXPECT_EQ(as_text(buffer.bytes()), "head:payload");
}

TEST(Buffer, moves_without_copying) {
  Buffer first(100);
  first.append(as_bytes("x"));
  const auto* address = first.bytes().data();
  Buffer second(std::move(first));
  EXPECT_EQ(second.bytes().data(), address);
}

TEST(BufferQueue, returns_bytes_in_the_order_they_came) {
  BufferQueue queue;
  queue.append(as_bytes("one,"));
  Buffer block(10);
  block.append(as_bytes("two,"));
  queue.push(std::move(block));
  queue.append(as_bytes("three"));
  EXPECT_EQ(queue.size(), 13u);
  EXPECT_EQ(drain(queue), "one,two,three");
}

TEST(BufferQueue, keeps_order_over_many_blocks) {
  BufferQueue queue;
  std::string expected;
  for (int i = 0; i < 5000; ++i) {
    const std::string piece =
        std::to_string(i) + std::string(static_cast<std::size_t>(i % 97), 'x');
    queue.append(as_bytes(piece));
    expected += piece;
  }
  EXPECT_EQ(drain(queue), expected);
}

TEST(BufferQueue, pops_whole_blocks) {
  BufferQueue queue;
  queue.append(as_bytes("abc"));
  queue.consume(1);
  EXPECT_EQ(as_text(queue.pop().bytes()), "bc");
  EXPECT_TRUE(queue.empty());
  EXPECT_TRUE(queue.pop().empty());
}

TEST(BufferQueue, accounts_what_it_holds) {
  MemoryBudget budget(10);
  {
    BufferQueue queue(&budget);
    queue.append(as_bytes("0123456789a"));
    EXPECT_EQ(budget.used(), 11u);
    EXPECT_TRUE(budget.exhausted());
    queue.consume(5);
    EXPECT_EQ(budget.used(), 6u);
  }
  EXPECT_EQ(budget.used(), 0u);
}

}  // namespace
}  // namespace base
