#include "grpc/message_reader.h"

#include <string>

#include <gtest/gtest.h>

namespace grpc {
namespace {

class Collector : public MessageReader::Sink {
 public:
  void on_message(base::Bytes message) override { messages.emplace_back(base::as_text(message)); }
  std::vector<std::string> messages;
};

std::string framed(std::string_view message) {
  std::string wire(kPrefixBytes, '\0');
  write_prefix(reinterpret_cast<std::uint8_t*>(wire.data()), message.size());
  return wire + std::string(message);
}

TEST(MessageReader, cuts_messages_wherever_the_bytes_are_split) {
  const std::string wire = framed("one") + framed("") + framed("three");
  for (std::size_t step = 1; step <= wire.size(); ++step) {
    MessageReader reader;
    Collector collector;
    for (std::size_t at = 0; at < wire.size(); at += step) {
      ASSERT_TRUE(
          reader.feed(base::as_bytes(std::string_view(wire).substr(at, step)), collector).ok());
    }
    EXPECT_EQ(collector.messages, (std::vector<std::string>{"one", "", "three"})) << step;
    EXPECT_TRUE(reader.at_boundary());
  }
}

TEST(MessageReader, refuses_a_message_above_the_limit_by_its_prefix) {
  MessageReader reader(10);
  Collector collector;
  const std::string wire = framed("1234567890") + framed("12345678901").substr(0, kPrefixBytes);
  EXPECT_EQ(reader.feed(base::as_bytes(wire), collector).code, StatusCode::resource_exhausted);
  EXPECT_EQ(collector.messages, (std::vector<std::string>{"1234567890"}));
}

TEST(MessageReader, refuses_compression_and_garbage) {
  Collector collector;
  const std::string compressed("\x01\x00\x00\x00\x00", 5), garbage("GET /", 5);
  EXPECT_EQ(MessageReader().feed(base::as_bytes(compressed), collector).code,
            StatusCode::unimplemented);
  EXPECT_EQ(MessageReader().feed(base::as_bytes(garbage), collector).code, StatusCode::internal);
}

TEST(Status, travels_in_trailers) {
  const Status sent{StatusCode::unknown, "50% of ä\n"};
  const Status received = from_trailers(to_trailers(sent));
  EXPECT_EQ(received.code, sent.code);
  EXPECT_EQ(received.message, sent.message);
}

}  // namespace
}  // namespace grpc
