#include "tunnel/control_message.h"

#include <vector>

#include <gtest/gtest.h>

namespace tunnel {
namespace {

using Type = ControlMessage::Type;

struct Heard {
  std::vector<ControlMessage> messages;
  base::Result<void> result;
};

// Feeds `text` in pieces of `step` bytes.
Heard feed(std::string_view text, std::size_t step = 1000) {
  ControlReader reader;
  Heard heard;
  for (std::size_t at = 0; at < text.size() && heard.result; at += step) {
    heard.result = reader.feed(base::as_bytes(text.substr(at, step)),
                               [&](const ControlMessage& m) { heard.messages.push_back(m); });
  }
  return heard;
}

TEST(ControlMessage, reads_what_it_writes) {
  const std::vector<ControlMessage> all = {{.type = Type::welcome},
                                           {.type = Type::refused, .reason = "no \"token\"\n"},
                                           {.type = Type::more_links, .count = 4},
                                           {.type = Type::more_links, .count = 8, .far = true},
                                           {.type = Type::draining}};
  std::string text;
  for (const ControlMessage& message : all) text += encode_control(message);
  EXPECT_EQ(feed(text).messages, all);
  EXPECT_EQ(feed(text, 1).messages, all);
}

TEST(ControlMessage, ignores_what_it_does_not_know) {
  const Heard heard = feed(
      "{\"type\":\"weather\",\"count\":{}}\n"
      "{\"type\":\"more-links\",\"count\":\"many\",\"colour\":1}\n");
  ASSERT_TRUE(heard.result);
  EXPECT_EQ(heard.messages, std::vector<ControlMessage>({{.type = Type::more_links, .count = 0}}));
}

TEST(ControlMessage, names_what_is_wrong) {
  EXPECT_EQ(feed("{oops}\n").result.error().message.substr(0, 29), "a control message is not JSON");
  EXPECT_EQ(feed("[]\n").result.error().message,
            "a control message is no JSON object with a \"type\"");
  EXPECT_EQ(feed("{\"type\":7}\n").result.error().message,
            "a control message is no JSON object with a \"type\"");
  EXPECT_EQ(feed(std::string(ControlReader::kLongest + 1, 'x'), 7).result.error().message,
            "a control message is longer than 16384 bytes");
}

}  // namespace
}  // namespace tunnel
