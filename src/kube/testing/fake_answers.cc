#include "kube/testing/fake_answers.h"

#include <algorithm>
#include <charconv>

#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "http/url.h"

namespace kube::testing {

std::string line_of(std::string_view type, const json::object& object) {
  return json::serialize(
             json::object{{"type", json::string(type.data(), type.size())}, {"object", object}}) +
         "\n";
}

std::string http_answer(unsigned status, const json::object& body, const std::string& extra) {
  const auto text = json::serialize(body);
  return fmt::format(
      "HTTP/1.1 {} Text\r\nContent-Type: application/json\r\nContent-Length: {}\r\n{}\r\n{}",
      status, text.size(), extra, text);
}

json::object status_object(unsigned status, std::string_view reason) {
  return {{"kind", "Status"},
          {"status", "Failure"},
          {"reason", json::string(reason.data(), reason.size())},
          {"message", fmt::format("the fake says {}", reason)},
          {"code", status}};
}

std::string failure(unsigned status, std::string_view reason, const std::string& extra) {
  return http_answer(status, status_object(status, reason), extra);
}

std::map<std::string, std::string> parse_query(std::string_view text) {
  std::map<std::string, std::string> query;
  while (!text.empty()) {
    const auto end = std::min(text.find('&'), text.size());
    const auto pair = text.substr(0, end);
    const auto equals = std::min(pair.find('='), pair.size() - 1);
    query[std::string(pair.substr(0, equals))] = http::percent_decode(pair.substr(equals + 1));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return query;
}

std::int64_t number(std::string_view text) {
  std::int64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

void merge_patch(json::object& target, const json::object& patch) {
  for (const auto& [name, value] : patch) {
    if (value.is_null()) {
      target.erase(name);
    } else if (const auto* inner = value.if_object()) {
      auto& place = target[name];
      if (!place.is_object()) place.emplace_object();
      merge_patch(place.get_object(), *inner);
    } else {
      target[name] = value;
    }
  }
}

}  // namespace kube::testing
