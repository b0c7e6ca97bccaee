#include "http/routes.h"

#include <algorithm>
#include <optional>

namespace http {

namespace {

// The first part of the query of that name, "name" or "name=value"; nothing when there is none.
std::optional<std::string_view> part_named(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    const std::size_t end = std::min(query.find('&'), query.size());
    const std::string_view part = query.substr(0, end);
    if (part.substr(0, part.find('=')) == name) return part;
    query.remove_prefix(std::min(end + 1, query.size()));
  }
  return std::nullopt;
}

bool only_reads(const ServerRequest& request) {
  return request.method == "GET" || request.method == "HEAD";
}

ServerResponse wrong_method() {
  ServerResponse refusal = error_response(405, "405 method not allowed");
  refusal.fields.emplace_back("Allow", "GET, HEAD");
  return refusal;
}

}  // namespace

bool ServerRequest::has_parameter(std::string_view name) const {
  return part_named(query, name).has_value();
}

std::string ServerRequest::parameter(std::string_view name) const {
  const std::string_view part = part_named(query, name).value_or("");
  return std::string(part.substr(std::min(name.size() + 1, part.size())));
}

ServerResponse error_response(unsigned status, std::string text) {
  return {.status = status,
          .body = std::move(text) + "\n",
          .fields = {{"X-Content-Type-Options", "nosniff"}}};
}

ServerResponse redirect_response(std::string location) {
  return {
      .status = 301, .body = "Moved Permanently\n", .fields = {{"Location", std::move(location)}}};
}

void Routes::get(std::string path, Handler handler) {
  handlers_[std::move(path)].handler = std::move(handler);
}

void Routes::get_slowly(std::string path, SlowHandler handler) {
  handlers_[std::move(path)].slow = std::move(handler);
}

const Routes::Entry* Routes::find(std::string_view path) const {
  if (const auto whole = handlers_.find(path); whole != handlers_.end()) return &whole->second;
  for (std::size_t end = path.rfind('/'); end != path.npos && end > 0;
       end = path.rfind('/', end - 1)) {
    if (const auto above = handlers_.find(path.substr(0, end + 1)); above != handlers_.end())
      return &above->second;
  }
  return nullptr;
}

async::Task<ServerResponse> Routes::serve(ServerRequest request) const {
  const Entry* entry = find(request.path);
  if (entry == nullptr || !entry->slow) co_return answer(request);
  if (!only_reads(request)) co_return wrong_method();
  co_return co_await entry->slow(std::move(request));
}

ServerResponse Routes::answer(const ServerRequest& request) const {
  const Entry* entry = find(request.path);
  if (entry == nullptr) return error_response(404, "404 page not found");
  return only_reads(request) ? entry->handler(request) : wrong_method();
}

}  // namespace http
