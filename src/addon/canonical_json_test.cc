#include "addon/canonical_json.h"

#include "addon/testing/fixture.h"

namespace addon {
namespace {

using testing::parsed;

std::string canonical(std::string_view text) {
  return canonical_json(kube::parse_json(text).value());
}

TEST(CanonicalJson, sorts_keys_by_bytes_at_every_level) {
  EXPECT_EQ(canonical(R"({"b":{"z":1,"Z":2},"a":[{"y":null,"x":true}],"ä":0})"),
            R"({"a":[{"x":true,"y":null}],"b":{"Z":2,"z":1},"ä":0})");
}

TEST(CanonicalJson, escapes_as_go_does) {
  EXPECT_EQ(canonical(R"(["<a>&\"\\/", "\b\f\n\r\t\u0001\u001f\u007f"])"),
            "[\"\\u003ca\\u003e\\u0026\\\"\\\\/\",\"\\b\\f\\n\\r\\t\\u0001\\u001f\x7f\"]");
  EXPECT_EQ(canonical("[\"\\u2028\\u2029\\u2027\\u20ac\"]"), "[\"\\u2028\\u2029\u2027€\"]");
}

TEST(CanonicalJson, writes_numbers_as_go_does) {
  EXPECT_EQ(canonical("[0,-1,9223372036854775807,-9223372036854775808]"),
            "[0,-1,9223372036854775807,-9223372036854775808]");
  EXPECT_EQ(canonical("[1.0,0.5,-2.25,100000.0]"), "[1,0.5,-2.25,100000]");
  EXPECT_EQ(canonical("[1e21,1e-7,1e-6,2.5e-10,18446744073709551615]"),
            "[1e+21,1e-7,0.000001,2.5e-10,18446744073709552000]");
  EXPECT_EQ(canonical("[-0.0,0.1,12.5,1.5e300,-3e-9]"), "[-0,0.1,12.5,1.5e+300,-3e-9]");
  EXPECT_EQ(canonical_json(json::array{123456789012345680000.0, 999999999999999900000.0}),
            "[123456789012345680000,999999999999999900000]");
}

TEST(SpecHash, leaves_out_what_is_no_specification) {
  EXPECT_EQ(spec_hash({}), "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a");
  EXPECT_EQ(
      spec_hash(parsed(R"({"apiVersion":"v","kind":"k","metadata":{"a":1},"status":{"b":1}})")),
      spec_hash({}));
  EXPECT_EQ(spec_hash(parsed(R"({"metadata":{},"spec":{"test":1}})")),
            "af144391b79b4b07bd7c579980ae9ed42dc8e34f7babebbf3fd08cacb578fba4");
  EXPECT_EQ(spec_hash(parsed(R"({"data":{"test":1}})")),
            "766dd25b5177d7bd3673d1bc2d015b74f9fefec024319e5b6a49eef9236bbfa1");
}

}  // namespace
}  // namespace addon
