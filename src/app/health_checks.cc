#include "app/health_checks.h"

#include <algorithm>
#include <functional>

#include <fmt/format.h>

#include "http/url.h"
#include "pki/pem.h"

namespace app {

namespace {

http::ServerResponse answer_one(const HealthChecks::Check& check) {
  const auto result = check();
  if (result) return {.body = "ok"};
  return http::error_response(500,
                              fmt::format("internal server error: {}", result.error().message));
}

}  // namespace

http::ServerResponse HealthChecks::answer_all(const http::ServerRequest& request,
                                              std::string_view path,
                                              const std::vector<std::string>& left_out) const {
  std::string lines;
  bool failed = false;
  for (const auto& [name, check] : checks_) {
    if (std::ranges::count(left_out, name) > 0) continue;
    const bool healthy = check().has_value();
    failed |= !healthy;
    lines += healthy ? fmt::format("[+]{} ok\n", name)
                     : fmt::format("[-]{} failed: reason withheld\n", name);
  }
  const auto what = path.substr(1);
  if (failed) return http::error_response(500, lines + fmt::format("{} check failed", what));
  if (!request.has_parameter("verbose")) return {.body = "ok"};
  return {.body = lines + fmt::format("{} check passed\n", what)};
}

void HealthChecks::serve(http::Routes& routes, const std::string& path,
                         const std::vector<std::string>& left_out) const {
  routes.get(path, [this, path, left_out](const http::ServerRequest& request) {
    return answer_all(request, path, left_out);
  });
  for (const auto& named : checks_) {
    routes.get(path + "/" + http::percent_encode(named.name),
               [check = named.check](const http::ServerRequest&) { return answer_one(check); });
  }
}

base::Result<std::size_t> ChangeCheck::checksum() const {
  std::string all;
  for (const auto& file : files_) {
    auto content = pki::read_file(file);
    if (!content) return base::fail(content.error().within(file));
    all += *content + '\0';
  }
  return std::hash<std::string>{}(all);
}

base::Result<void> ChangeCheck::start() {
  TRY(known_, checksum());
  return {};
}

base::Result<void> ChangeCheck::check() {
  TRY(const auto now, checksum());
  if (std::exchange(known_, now) == now) return {};
  return base::fail(base::Code::conflict, "the files have changed");
}

}  // namespace app
