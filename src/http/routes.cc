#include "http/routes.h"

#include <algorithm>

namespace http {

bool ServerRequest::has_parameter(std::string_view name) const {
  for (std::string_view rest = query; !rest.empty();) {
    const std::size_t end = std::min(rest.find('&'), rest.size());
    const std::string_view part = rest.substr(0, end);
    if (part.substr(0, part.find('=')) == name) return true;
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return false;
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
  handlers_[std::move(path)] = std::move(handler);
}

const Routes::Handler* Routes::find(std::string_view path) const {
  if (const auto whole = handlers_.find(path); whole != handlers_.end()) return &whole->second;
  for (std::size_t end = path.rfind('/'); end != path.npos && end > 0;
       end = path.rfind('/', end - 1)) {
    if (const auto above = handlers_.find(path.substr(0, end + 1)); above != handlers_.end())
      return &above->second;
  }
  return nullptr;
}

ServerResponse Routes::answer(const ServerRequest& request) const {
  const Handler* handler = find(request.path);
  if (handler == nullptr) return error_response(404, "404 page not found");
  if (request.method == "GET" || request.method == "HEAD") return (*handler)(request);
  ServerResponse refusal = error_response(405, "405 method not allowed");
  refusal.fields.emplace_back("Allow", "GET, HEAD");
  return refusal;
}

}  // namespace http
