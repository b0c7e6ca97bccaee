#include "check_context.h"

#include <utility>

namespace kube_check {

namespace json = kube::json;

kube::Result<std::unique_ptr<kube::Client>> Context::connect(kube::Config config) const {
  return kube::Client::make(loop, clock, std::move(config), {.qps = 0, .user_agent = "kube-check"});
}

Task<void> eventually(Context& context, std::string what, std::function<bool()> condition) {
  const auto deadline = context.clock.now() + std::chrono::seconds(10);
  while (!condition()) {
    if (context.clock.now() > deadline) co_return wrong("not within 10 s: " + what);
    CO_TRY_VOID(co_await context.clock.sleep_for(std::chrono::milliseconds(10)));
  }
  co_return kube::Result<void>{};
}

json::object named(std::string_view name) {
  return {{"metadata", {{"name", json::string(name.data(), name.size())}}}};
}

Task<std::string> service_account_token(Context& context, std::string name, std::string audience) {
  const auto accounts = context.api("", "v1", "serviceaccounts");
  const auto made = co_await context.client->send(accounts.create(named(name)));
  if (!made && !made.error().is_already_exists()) co_return std::unexpected(made.error());
  json::object spec{{"expirationSeconds", 600}};
  if (!audience.empty()) spec["audiences"] = json::array{json::string(audience)};
  const json::object request{{"spec", spec}};
  CO_TRY(const auto answer,
         co_await context.client->send(accounts.create_subresource(name, "token", request)));
  co_return std::string(kube::text_at(kube::object_at(answer.as_object(), "status"), "token"));
}

Task<std::string> who_am_i(kube::Client& client) {
  const kube::Api reviews({"authentication.k8s.io", "v1", "selfsubjectreviews"}, "");
  const json::object review{{"apiVersion", "authentication.k8s.io/v1"},
                            {"kind", "SelfSubjectReview"}};
  CO_TRY(const auto answer, co_await client.send(reviews.create(review)));
  const auto& status = kube::object_at(answer.as_object(), "status");
  co_return std::string(kube::text_at(kube::object_at(status, "userInfo"), "username"));
}

Task<void> expect_user(Context& context, kube::Config config, std::string wanted) {
  CO_TRY(const auto client, context.connect(std::move(config)));
  CO_TRY(const auto user, co_await who_am_i(*client));
  if (user != wanted)
    co_return wrong(fmt::format("the API server sees \"{}\", not \"{}\"", user, wanted));
  co_return kube::Result<void>{};
}

kube::Config without_user(const Context& context) {
  auto config = context.admin;
  config.user = {};
  return config;
}

}  // namespace kube_check
