#include "tunnel/control_message.h"

#include <algorithm>
#include <array>
#include <utility>

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/system/error_code.hpp>
#include <fmt/format.h>

namespace tunnel {
namespace {

namespace json = boost::json;
using base::Code;
using base::fail;
using base::Result;
using Type = ControlMessage::Type;

constexpr std::array<std::pair<Type, std::string_view>, 4> kNames = {
    {{Type::welcome, "welcome"},
     {Type::refused, "refused"},
     {Type::more_links, "more-links"},
     {Type::draining, "draining"}}};

Type type_named(std::string_view name) {
  const auto found = std::ranges::find(kNames, name, &decltype(kNames)::value_type::second);
  return found == kNames.end() ? Type::unknown : found->first;
}

std::string_view name_of(Type type) {
  const auto found = std::ranges::find(kNames, type, &decltype(kNames)::value_type::first);
  return found == kNames.end() ? "unknown" : found->second;
}

Result<ControlMessage> decode(std::string_view line) {
  boost::system::error_code error;
  const json::value value = json::parse(line, error);
  if (error) return fail(Code::invalid, "a control message is not JSON: " + error.message());
  const json::object* object = value.if_object();
  const json::value* type = object == nullptr ? nullptr : object->if_contains("type");
  if (type == nullptr || !type->is_string())
    return fail(Code::invalid, "a control message is no JSON object with a \"type\"");
  ControlMessage message;
  message.type = type_named(type->get_string());
  if (const json::value* reason = object->if_contains("reason"); reason && reason->is_string())
    message.reason = reason->get_string();
  if (const json::value* count = object->if_contains("count"); count && count->is_int64())
    message.count = count->get_int64();
  if (const json::value* far = object->if_contains("far"); far && far->is_bool())
    message.far = far->get_bool();
  return message;
}

}  // namespace

std::string encode_control(const ControlMessage& message) {
  json::object object{{"type", name_of(message.type)}};
  if (message.type == Type::refused) object["reason"] = message.reason;
  if (message.type == Type::more_links) object["count"] = message.count;
  if (message.far) object["far"] = true;
  return json::serialize(object) + "\n";
}

Result<void> ControlReader::feed(base::Bytes bytes,
                                 const std::function<void(const ControlMessage&)>& on_message) {
  std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  for (;;) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    if (line_.size() + end > kLongest)
      return fail(Code::invalid,
                  fmt::format("a control message is longer than {} bytes", kLongest));
    line_ += text.substr(0, end);
    if (end == text.size()) return {};
    text.remove_prefix(end + 1);
    TRY(const ControlMessage message, decode(std::exchange(line_, {})));
    if (message.type != Type::unknown) on_message(message);
  }
}

}  // namespace tunnel
