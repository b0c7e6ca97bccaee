#include "http/client_request.h"

#include <algorithm>
#include <strings.h>
#include <utility>

#include <fmt/format.h>

namespace http {

using base::Code;
using base::Result;

namespace {

bool same_name(std::string_view a, std::string_view b) {
  return a.size() == b.size() && ::strncasecmp(a.data(), b.data(), a.size()) == 0;
}

/// No byte that would end the line it stands on.
bool fits_a_line(std::string_view text) {
  return text.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos;
}

bool fits_a_word(std::string_view text) {
  return !text.empty() && fits_a_line(text) && !text.contains(' ');
}

bool has_length(const ClientRequest& request) {
  return !request.body.empty() || request.method == "POST" || request.method == "PUT" ||
         request.method == "PATCH";
}

/// Of one HTTP/1.1 connection, and so a protocol error on an HTTP/2 stream.
bool is_of_connection(std::string_view name) {
  static constexpr std::string_view kNames[] = {
      "connection", "host", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"};
  return std::ranges::any_of(kNames, [&](auto each) { return same_name(each, name); });
}

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return text;
}

}  // namespace

std::string_view ClientRequest::find(std::string_view name) const {
  for (const auto& field : fields) {
    if (same_name(field.name, name)) return field.value;
  }
  return {};
}

void ClientRequest::set(std::string name, std::string value) {
  std::erase_if(fields, [&](const HeaderField& field) { return same_name(field.name, name); });
  fields.push_back({std::move(name), std::move(value)});
}

Result<void> check_request(const ClientRequest& request) {
  if (!fits_a_word(request.method) || !fits_a_word(request.target)) {
    return base::fail(Code::invalid,
                      "the method or target of the request has a space or control character");
  }
  for (const auto& [name, value] : request.fields) {
    if (fits_a_word(name) && !name.contains(':') && fits_a_line(value)) continue;
    return base::fail(Code::invalid,
                      fmt::format("the value of header {} has a line break or NUL in it", name));
  }
  return {};
}

std::string encode(const ClientRequest& request, const Origin& origin) {
  auto wire = fmt::format("{} {} HTTP/1.1\r\nHost: {}\r\n", request.method, request.target,
                          origin.authority());
  for (const auto& [name, value] : request.fields) wire += fmt::format("{}: {}\r\n", name, value);
  if (has_length(request)) wire += fmt::format("Content-Length: {}\r\n", request.body.size());
  wire += "\r\n";
  wire += request.body;
  return wire;
}

Headers h2_headers(const ClientRequest& request, const Origin& origin) {
  Headers headers{{":method", request.method},
                  {":scheme", origin.tls ? "https" : "http"},
                  {":authority", origin.authority()},
                  {":path", request.target}};
  for (const auto& [name, value] : request.fields) {
    if (!is_of_connection(name)) headers.push_back({lower(name), value});
  }
  if (has_length(request)) {
    headers.push_back({"content-length", std::to_string(request.body.size())});
  }
  return headers;
}

}  // namespace http
