#include "kube/watch_decoder.h"

#include <gtest/gtest.h>

#include "kube/json.h"

namespace kube {
namespace {

using Type = WatchEvent::Type;

/// The names of the events in `text`, fed in pieces of `step` bytes.
std::vector<std::string> names(std::string_view text, std::size_t step) {
  WatchDecoder decoder;
  std::vector<std::string> found;
  for (std::size_t i = 0; i < text.size(); i += step) {
    decoder.feed(text.substr(i, step));
    for (auto event = decoder.next(); event && *event; event = decoder.next()) {
      found.emplace_back(name_of((*event)->object));
    }
  }
  return found;
}

TEST(WatchDecoder, cuts_events_however_the_bytes_come) {
  const std::string text = R"({"type":"ADDED","object":{"metadata":{"name":"a"}}})"
                           "\n"
                           R"({"type":"MODIFIED","object":{"metadata":{"name":"b"}}})"
                           "\r\n\n"
                           R"({"type":"BOOKMARK","object":{"metadata":{"name":"c"}}})"
                           "\n";
  for (const std::size_t step : {1UL, 2UL, 7UL, 51UL, 1000UL}) {
    EXPECT_EQ(names(text, step), (std::vector<std::string>{"a", "b", "c"})) << step;
  }
}

TEST(WatchDecoder, keeps_an_unfinished_line) {
  WatchDecoder decoder;
  decoder.feed(R"({"type":"DELETED","object":{}})");
  EXPECT_FALSE(decoder.next()->has_value());
  decoder.feed("\n");
  EXPECT_EQ(decoder.next()->value().type, Type::deleted);
}

TEST(WatchDecoder, refuses_what_is_no_event) {
  for (const auto* line :
       {"x\n", "[]\n", "{}\n", "{\"type\":\"NEW\",\"object\":{}}\n", "{\"type\":\"ADDED\"}\n"}) {
    WatchDecoder decoder;
    decoder.feed(line);
    EXPECT_FALSE(decoder.next()) << line;
  }
}

TEST(WatchDecoder, bounds_a_line) {
  WatchDecoder decoder(10);
  decoder.feed("0123456789");
  EXPECT_TRUE(decoder.next());
  decoder.feed("0");
  EXPECT_TRUE(decoder.next().error().is(base::Code::exhausted));
}

}  // namespace
}  // namespace kube
