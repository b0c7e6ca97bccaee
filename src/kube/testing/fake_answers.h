#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include <boost/json/object.hpp>

/// What a FakeApiServer says, as text.
namespace kube::testing {

namespace json = boost::json;

/// One event of a watch.
std::string line_of(std::string_view type, const json::object& object);
/// A whole HTTP/1.1 answer; `extra` are whole header lines.
std::string http_answer(unsigned status, const json::object& body, const std::string& extra = "");
json::object status_object(unsigned status, std::string_view reason);
std::string failure(unsigned status, std::string_view reason, const std::string& extra = "");

std::map<std::string, std::string> parse_query(std::string_view text);
std::int64_t number(std::string_view text);
/// RFC 7386.
void merge_patch(json::object& target, const json::object& patch);

}  // namespace kube::testing
