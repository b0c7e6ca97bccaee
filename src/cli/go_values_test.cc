#include "cli/go_values.h"

#include <gtest/gtest.h>

namespace cli {
namespace {

using namespace std::chrono_literals;

template <typename T>
std::string refusal(const base::Result<T>& result) {
  return result ? "accepted" : result.error().message;
}

TEST(GoBool, knows_go_s_twelve_words_and_no_other) {
  for (const char* word : {"1", "t", "T", "true", "TRUE", "True"})
    EXPECT_EQ(parse_go_bool(word), true) << word;
  for (const char* word : {"0", "f", "F", "false", "FALSE", "False"})
    EXPECT_EQ(parse_go_bool(word), false) << word;
  EXPECT_EQ(refusal(parse_go_bool("yes")), R"(strconv.ParseBool: parsing "yes": invalid syntax)");
  EXPECT_EQ(refusal(parse_go_bool("")), R"(strconv.ParseBool: parsing "": invalid syntax)");
  EXPECT_FALSE(parse_go_bool("tRUE"));
}

TEST(GoInt, reads_every_base) {
  EXPECT_EQ(parse_go_int("8090"), 8090);
  EXPECT_EQ(parse_go_int("-5"), -5);
  EXPECT_EQ(parse_go_int("+5"), 5);
  EXPECT_EQ(parse_go_int("0x1F"), 31);
  EXPECT_EQ(parse_go_int("0b101"), 5);
  EXPECT_EQ(parse_go_int("0o17"), 15);
  EXPECT_EQ(parse_go_int("017"), 15);
  EXPECT_EQ(parse_go_int("0"), 0);
  EXPECT_EQ(parse_go_int("0x_1F"), 31);
  EXPECT_EQ(parse_go_int("-9223372036854775808"), INT64_MIN);
}

TEST(GoInt, refuses_with_go_s_texts) {
  EXPECT_EQ(refusal(parse_go_int("x")), R"(strconv.ParseInt: parsing "x": invalid syntax)");
  EXPECT_EQ(refusal(parse_go_int("99999999999999999999")),
            R"(strconv.ParseInt: parsing "99999999999999999999": value out of range)");
  EXPECT_EQ(refusal(parse_go_int("9223372036854775808")),
            R"(strconv.ParseInt: parsing "9223372036854775808": value out of range)");
  for (const char* text : {"", "-", "08", "1_000", "0x", "1 ", " 1", "--1", "1e3", "0x1__F"}) {
    EXPECT_FALSE(parse_go_int(text)) << text;
  }
  EXPECT_FALSE(parse_go_uint("-1"));
}

TEST(GoFloat, reads_decimal_numbers) {
  EXPECT_EQ(parse_go_float("0"), 0.0);
  EXPECT_EQ(parse_go_float("2.5e1"), 25.0);
  for (const char* text : {"", "x", "1.5x", "nan", "inf"})
    EXPECT_FALSE(parse_go_float(text)) << text;
}

TEST(GoDuration, reads_what_go_reads) {
  EXPECT_EQ(parse_go_duration("1h"), 1h);
  EXPECT_EQ(parse_go_duration("1m30s"), 90s);
  EXPECT_EQ(parse_go_duration("500ms"), 500ms);
  EXPECT_EQ(parse_go_duration("1.5h"), 90min);
  EXPECT_EQ(parse_go_duration(".5s"), 500ms);
  EXPECT_EQ(parse_go_duration("0"), 0s);
  EXPECT_EQ(parse_go_duration("-1s"), -1s);
  EXPECT_EQ(parse_go_duration("3\u00b5s"), 3us);
}

TEST(GoDuration, refuses_with_go_s_texts) {
  EXPECT_EQ(refusal(parse_go_duration("5")), R"(time: missing unit in duration "5")");
  EXPECT_EQ(refusal(parse_go_duration("5d")), R"(time: unknown unit "d" in duration "5d")");
  EXPECT_EQ(refusal(parse_go_duration("")), R"(time: invalid duration "")");
  EXPECT_EQ(refusal(parse_go_duration("1.2.3s")), R"(time: invalid duration "1.2.3s")");
  EXPECT_EQ(refusal(parse_go_duration("9999999h")), R"(time: invalid duration "9999999h")");
  EXPECT_EQ(refusal(parse_go_duration("2562047h2562047h")),
            R"(time: invalid duration "2562047h2562047h")");
}

TEST(GoDuration, prints_as_go_prints) {
  EXPECT_EQ(format_go_duration(1h), "1h0m0s");
  EXPECT_EQ(format_go_duration(90s), "1m30s");
  EXPECT_EQ(format_go_duration(1500ms), "1.5s");
  EXPECT_EQ(format_go_duration(500ms), "500ms");
  EXPECT_EQ(format_go_duration(1500ns), "1.5\u00b5s");
  EXPECT_EQ(format_go_duration(0s), "0s");
  EXPECT_EQ(format_go_duration(-2s), "-2s");
}

TEST(ByteSize, reads_and_prints_binary_units) {
  EXPECT_EQ(parse_byte_size("65536"), 65536U);
  EXPECT_EQ(parse_byte_size("64Ki"), 65536U);
  EXPECT_EQ(parse_byte_size("2M"), 2'000'000U);
  EXPECT_EQ(format_byte_size(std::size_t{256} << 20), "256Mi");
  EXPECT_EQ(format_byte_size(1000), "1000");
  for (const char* text :
       {"", "Mi", "-1", "1.5Gi", "1 Mi", "99999999999999999999", "99999999999999Gi", "1Ti"}) {
    EXPECT_FALSE(parse_byte_size(text)) << text;
  }
}

}  // namespace
}  // namespace cli
