// Pages, kinds of patches, preconditions, subresources, discovery, and being told to wait.
#include "async/task_group.h"
#include "check_context.h"
#include "kube/discovery.h"
#include "kube/list.h"

namespace kube_check {
namespace {

namespace json = kube::json;
using kube::object_at;
using kube::text_at;

kube::Api config_maps(const Context& context) { return context.api("", "v1", "configmaps"); }
kube::Api deployments(const Context& context) { return context.api("apps", "v1", "deployments"); }

Task<void> pages(Context& context) {
  const auto maps = config_maps(context);
  const json::object labels{{"check", "pages"}};
  for (int i = 0; i < 7; ++i) {
    auto object = named(fmt::format("page-{}", i));
    object["metadata"].get_object()["labels"] = labels;
    CO_TRY_VOID(co_await context.client->send(maps.create(object)));
  }
  int requests = 0;
  const kube::PageObserver count = [&](const kube::Error*, async::Duration) { ++requests; };
  const kube::ListOptions options{.label_selector = "check=pages", .limit = 3};
  CO_TRY(const auto list, co_await kube::list_all(*context.client, maps, options, count));
  if (list.objects.size() != 7 || requests != 3)
    co_return wrong(fmt::format("{} objects in {} pages", list.objects.size(), requests));
  for (const auto& object : list.objects) {
    if (text_at(object, "kind") != "ConfigMap" || text_at(object, "apiVersion") != "v1")
      co_return wrong("an item without its kind");
  }
  co_return kube::Result<void>{};
}

Task<void> json_patch(Context& context) {
  const auto maps = config_maps(context);
  auto& client = *context.client;
  auto object = named("json-patch");
  object["data"] = {{"a", "1"}, {"b", "2"}};
  CO_TRY_VOID(co_await client.send(maps.create(object)));
  const json::array steps{{{"op", "test"}, {"path", "/data/a"}, {"value", "1"}},
                          {{"op", "remove"}, {"path", "/data/a"}},
                          {{"op", "add"}, {"path", "/data/c"}, {"value", "3"}}};
  CO_TRY(const auto patched,
         co_await client.send(maps.patch("json-patch", steps, {.type = kube::PatchType::json})));
  const auto& data = object_at(patched.as_object(), "data");
  if (data.contains("a") || text_at(data, "b") != "2" || text_at(data, "c") != "3")
    co_return wrong("the patch did something else");
  const auto again =
      co_await client.send(maps.patch("json-patch", steps, {.type = kube::PatchType::json}));
  if (again || !again.error().is_invalid()) co_return wrong("a failed test is not Invalid");
  co_return kube::Result<void>{};
}

Task<void> apply_conflict(Context& context) {
  const auto maps = config_maps(context);
  auto& client = *context.client;
  json::object applied = named("applied");
  applied["apiVersion"] = "v1";
  applied["kind"] = "ConfigMap";
  applied["data"] = {{"a", "1"}};
  using kube::PatchType;
  CO_TRY_VOID(co_await client.send(
      maps.patch("applied", applied, {.type = PatchType::apply, .field_manager = "one"})));
  applied["data"] = {{"a", "2"}};
  const auto refused = co_await client.send(
      maps.patch("applied", applied, {.type = PatchType::apply, .field_manager = "two"}));
  if (refused || !refused.error().is_conflict())
    co_return wrong("a field of another manager is taken without force");
  CO_TRY_VOID(co_await client.send(maps.patch(
      "applied", applied, {.type = PatchType::apply, .field_manager = "two", .force = true})));
  co_return kube::Result<void>{};
}

Task<void> delete_preconditions(Context& context) {
  const auto maps = config_maps(context);
  auto& client = *context.client;
  CO_TRY(const auto made, co_await client.send_for_object(maps.create(named("precondition"))));
  const auto other = co_await client.send(
      maps.remove("precondition", {.uid = "00000000-0000-4000-8000-000000000000"}));
  if (other || !other.error().is_conflict()) co_return wrong("another uid is not a Conflict");
  const kube::DeleteOptions options{
      .uid = std::string(text_at(object_at(made, "metadata"), "uid")),
      .resource_version = std::string(kube::resource_version_of(made)),
      .propagation = "Background"};
  CO_TRY_VOID(co_await client.send(maps.remove("precondition", options)));
  co_return kube::Result<void>{};
}

json::object deployment(const char* name) {
  auto object = named(name);
  object["spec"] =
      *kube::parse_json(R"({"replicas":1,"selector":{"matchLabels":{"a":"b"}},"template":{
      "metadata":{"labels":{"a":"b"}},"spec":{"containers":[{"name":"c","image":"i"}]}}})");
  return object;
}

Task<void> subresources(Context& context) {
  const auto api = deployments(context);
  auto& client = *context.client;
  CO_TRY_VOID(co_await client.send(api.create(deployment("scaled"))));
  CO_TRY(auto scale, co_await client.send_for_object(api.get("scaled", "scale")));
  if (text_at(scale, "kind") != "Scale") co_return wrong("the scale is no Scale");
  scale["spec"] = {{"replicas", 3}};
  CO_TRY_VOID(co_await client.send(api.update(scale, "scale")));
  const json::object more{{"spec", {{"replicas", 4}}}};
  CO_TRY_VOID(co_await client.send(api.patch("scaled", more, {.subresource = "scale"})));
  const json::object both{{"spec", {{"replicas", 9}}}, {"status", {{"observedGeneration", 7}}}};
  CO_TRY(const auto after,
         co_await client.send_for_object(api.patch("scaled", both, {.subresource = "status"})));
  const auto replicas = kube::integer_at(object_at(after, "spec"), "replicas");
  const auto observed = kube::integer_at(object_at(after, "status"), "observedGeneration");
  if (replicas != 4 || observed != 7) co_return wrong("scale or status went elsewhere");
  co_return kube::Result<void>{};
}

Task<void> discovery(Context& context) {
  auto& client = *context.client;
  CO_TRY(const auto apps, co_await kube::discover_group(client, "apps"));
  if (!apps || !apps->serves("v1") || apps->preferred != "v1") co_return wrong("no apps/v1");
  CO_TRY(const auto missing, co_await kube::discover_group(client, "no.such.group"));
  if (missing) co_return wrong("a group that nobody serves");
  CO_TRY(const auto core, co_await kube::discover_group(client, ""));
  if (!core || !core->serves("v1")) co_return wrong("no core group");
  CO_TRY(const auto groups, co_await kube::discover_groups(client));
  if (groups.size() < 10) co_return wrong("too few groups");
  CO_TRY(const auto resources, co_await kube::discover_resources(client, "apps", "v1"));
  const auto* found = kube::find_resource(resources, "Deployment");
  if (found == nullptr || found->name != "deployments" || !found->namespaced)
    co_return wrong("no deployments");
  CO_TRY(const auto of_core, co_await kube::discover_resources(client, "", "v1"));
  const auto* spaces = kube::find_resource(of_core, "Namespace");
  if (spaces == nullptr || spaces->namespaced) co_return wrong("namespaces have a namespace");
  const auto other = co_await kube::discover_resources(client, "apps", "v9");
  if (other || !other.error().is_not_found()) co_return wrong("apps/v9 is served");
  co_return kube::Result<void>{};
}

/// Requests of user `name` are refused with 429 while another one of his is under way.
Task<void> allow_one_of(Context& context, std::string name) {
  const kube::Api levels({"flowcontrol.apiserver.k8s.io", "v1", "prioritylevelconfigurations"}, "");
  const kube::Api schemas({"flowcontrol.apiserver.k8s.io", "v1", "flowschemas"}, "");
  auto level = named(name);
  level["spec"] = *kube::parse_json(R"({"type":"Limited","limited":{"nominalConcurrencyShares":0,
      "lendablePercent":0,"borrowingLimitPercent":0,"limitResponse":{"type":"Reject"}}})");
  CO_TRY_VOID(co_await context.client->send(levels.create(level)));
  auto schema = named(name);
  const auto spec = fmt::format(
      R"({{"priorityLevelConfiguration":{{"name":"{0}"}},"matchingPrecedence":2,"rules":[{{
      "subjects":[{{"kind":"User","user":{{"name":"{0}"}}}}],
      "resourceRules":[{{"verbs":["*"],"apiGroups":["*"],"resources":["*"],"namespaces":["*"],
      "clusterScope":true}}],"nonResourceRules":[{{"verbs":["*"],"nonResourceURLs":["*"]}}]}}]}})",
      name);
  schema["spec"] = *kube::parse_json(spec);
  CO_TRY_VOID(co_await context.client->send(schemas.create(schema)));
  co_return kube::Result<void>{};
}

Task<void> stop_refusing(Context& context, std::string name) {
  const kube::Api levels({"flowcontrol.apiserver.k8s.io", "v1", "prioritylevelconfigurations"}, "");
  const kube::Api schemas({"flowcontrol.apiserver.k8s.io", "v1", "flowschemas"}, "");
  CO_TRY_VOID(co_await context.client->send(schemas.remove(name)));
  CO_TRY_VOID(co_await context.client->send(levels.remove(name)));
  co_return kube::Result<void>{};
}

/// Many requests at once.
struct Crowd {
  Crowd(Context& context, kube::Client& by) : client(by), tasks(context.loop.get_executor()) {}
  void ask(int requests) {
    for (int i = 0; i < requests; ++i) tasks.spawn("ask", run());
  }
  async::Task<void> run() {
    const auto answer = co_await client.send(kube::get_path("/version"));
    ++(answer ? answered : failed);
    co_return base::Result<void>{};
  }

  kube::Client& client;
  int answered = 0;
  int failed = 0;
  async::TaskGroup tasks;
};

/// The API server lets one of a crowd in and tells the others to come back in a second; all of them
/// get their answer in the end.
Task<void> come_back_later(Context& context, Crowd& crowd) {
  constexpr int kRequests = 12;
  // The API server takes a moment to heed new rules.
  const auto deadline = context.clock.now() + std::chrono::seconds(30);
  async::Duration took{0};
  while (took < std::chrono::seconds(1)) {
    if (context.clock.now() > deadline) co_return wrong("the API server refuses nothing");
    const auto began = context.clock.now();
    crowd.ask(kRequests);
    CO_TRY_VOID(co_await eventually(context, "all answers", [&] { return crowd.tasks.empty(); }));
    took = context.clock.now() - began;
    if (crowd.failed > 0) co_return wrong(fmt::format("{} requests failed", crowd.failed));
  }
  co_return kube::Result<void>{};
}

Task<void> too_many_requests(Context& context) {
  const auto user = context.space + "-hasty";
  CO_TRY_VOID(co_await allow_one_of(context, user));
  auto config = context.admin;
  config.user.as = user;
  config.user.as_groups = {"system:authenticated"};
  CO_TRY(const auto client, context.connect(config));
  Crowd crowd(context, *client);
  const auto done = co_await come_back_later(context, crowd);
  crowd.tasks.cancel();
  co_await crowd.tasks.join();
  const auto stopped = co_await stop_refusing(context, user);
  co_return done ? stopped : done;
}

}  // namespace

const std::vector<Check> kApiChecks = {
    {"list in pages", pages},
    {"JSON patch", json_patch},
    {"server-side apply: conflict and force", apply_conflict},
    {"delete with preconditions", delete_preconditions},
    {"status and scale", subresources},
    {"discovery", discovery},
    {"429 with Retry-After is waited out", too_many_requests},
};

}  // namespace kube_check
