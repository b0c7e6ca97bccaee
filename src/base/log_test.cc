#include "base/log.h"

#include <gtest/gtest.h>

namespace base::log {
namespace {

TEST(Log, writes_fields_as_key_value) {
  EXPECT_EQ(format_line("dialed", {{"conn", 7}, {"target", "nginx:80"}}),
            "dialed conn=7 target=nginx:80");
}

TEST(Log, quotes_values_that_would_read_as_two) {
  EXPECT_EQ(format_line("m", {{"a", "two words"}, {"b", ""}, {"c", "k=v"}}),
            R"(m a="two words" b="" c="k=v")");
}

TEST(Log, cannot_be_forged_by_a_value) {
  EXPECT_EQ(format_line("m", {{"user", "x\nERROR all is lost\x01"}}),
            R"(m user="x\nERROR all is lost\u0001")");
}

TEST(Log, shows_the_message_of_an_error) {
  EXPECT_EQ(format_line("m", {{"error", Error{Code::io, "disk"}}}), "m error=disk");
}

}  // namespace
}  // namespace base::log
