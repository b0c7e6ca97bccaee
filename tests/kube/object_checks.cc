// Objects, their versions, lists and watches.
#include <set>

#include "async/timeout.h"
#include "check_context.h"
#include "http/client.h"
#include "http/connector.h"
#include "http/url.h"
#include "kube/reflector.h"

namespace kube_check {
namespace {

using kube::WatchEvent;

kube::Api config_maps(const Context& context) { return context.api("", "v1", "configmaps"); }

Task<void> conflicts(Context& context) {
  const auto maps = config_maps(context);
  auto& client = *context.client;
  CO_TRY(const auto first, co_await client.send(maps.create(named("conflict"))));
  const auto again = co_await client.send(maps.create(named("conflict")));
  if (again || !again.error().is_already_exists())
    co_return wrong("a second create is not AlreadyExists");
  auto changed = first.as_object();
  changed["data"] = {{"k", "v"}};
  CO_TRY_VOID(co_await client.send(maps.update(changed)));
  const auto stale = co_await client.send(maps.update(changed));
  if (stale || !stale.error().is_conflict()) co_return wrong("a stale update is not a Conflict");
  const std::string version(kube::resource_version_of(first.as_object()));
  const auto stale_delete =
      co_await client.send(maps.remove("conflict", {.resource_version = version}));
  if (stale_delete || !stale_delete.error().is_conflict())
    co_return wrong("a stale delete is not a Conflict");
  CO_TRY_VOID(co_await client.send(maps.remove("conflict")));
  const auto gone = co_await client.send(maps.get("conflict"));
  if (gone || !gone.error().is_not_found()) co_return wrong("a deleted object is found");
  co_return kube::Result<void>{};
}

Task<void> invalid_object(Context& context) {
  const auto refused =
      co_await context.client->send(config_maps(context).create(named("Not_A_Name")));
  if (refused || !refused.error().is_invalid()) co_return wrong("a bad name is not Invalid");
  if (refused.error().http_status != 422 || refused.error().reason != "Invalid") {
    co_return wrong("status or reason is lost: " + refused.error().message);
  }
  co_return kube::Result<void>{};
}

Task<void> patches(Context& context) {
  const auto maps = config_maps(context);
  auto& client = *context.client;
  const kube::json::object applied{{"apiVersion", "v1"},
                                   {"kind", "ConfigMap"},
                                   {"metadata", {{"name", "patched"}}},
                                   {"data", {{"a", "1"}}}};
  CO_TRY_VOID(co_await client.send(
      maps.patch("patched", applied,
                 {.type = kube::PatchType::apply, .field_manager = "kube-check", .force = true})));
  const kube::json::object merge{{"data", {{"b", "2"}}}};
  CO_TRY(const auto merged, co_await client.send(maps.patch("patched", merge)));
  const auto& data = kube::object_at(merged.as_object(), "data");
  if (kube::text_at(data, "a") != "1" || kube::text_at(data, "b") != "2")
    co_return wrong("apply and merge lost a field");
  co_return kube::Result<void>{};
}

/// Reads events of `request` until one of `type` came.
Task<WatchEvent> watch_for(Context& context, http::ClientRequest request, WatchEvent::Type type) {
  CO_TRY(auto response, co_await context.client->open(std::move(request)));
  kube::WatchDecoder decoder;
  for (;;) {
    CO_TRY(const auto part, co_await response.read_part());
    if (part.empty()) co_return wrong("the watch ended");
    decoder.feed(part);
    for (;;) {
      CO_TRY(auto event, decoder.next());
      if (!event) break;
      if (event->type == type) co_return std::move(*event);
    }
  }
}

Task<void> bookmark(Context& context) {
  // The API server sends one shortly before the end of a watch.
  const auto request =
      context.leases().watch({.resource_version = "0", .timeout = std::chrono::seconds(4)});
  CO_TRY(const auto event, co_await watch_for(context, request, WatchEvent::Type::bookmark));
  if (kube::resource_version_of(event.object).empty())
    co_return wrong("a bookmark without a version");
  co_return kube::Result<void>{};
}

Task<void> initial_events(Context& context) {
  const auto maps = config_maps(context);
  CO_TRY_VOID(co_await context.client->send(maps.create(named("initial"))));
  const auto request =
      maps.watch({.resource_version_match = "NotOlderThan", .send_initial_events = true});
  CO_TRY(const auto event, co_await watch_for(context, request, WatchEvent::Type::bookmark));
  const auto& notes = kube::object_at(kube::object_at(event.object, "metadata"), "annotations");
  if (kube::text_at(notes, "k8s.io/initial-events-end") != "true")
    co_return wrong("no mark at the end of the state");
  co_return kube::Result<void>{};
}

Task<void> watch_before_history(Context& context) {
  const auto request = config_maps(context).watch({.resource_version = "1"});
  auto response = co_await context.client->open(request);
  if (!response) {
    if (response.error().is_gone()) co_return kube::Result<void>{};
    co_return std::unexpected(response.error());
  }
  CO_TRY(const auto event, co_await watch_for(context, request, WatchEvent::Type::error));
  if (!kube::error_of_status(event.object).is_gone())
    co_return wrong("the error event does not say 410");
  co_return kube::Result<void>{};
}

/// Makes etcd forget all revisions before `revision`, through its JSON gateway.
Task<void> compact(Context& context, std::string revision) {
  CO_TRY(const auto url, http::parse_url(context.etcd));
  http::NetConnector connector(context.clock, nullptr, {.origin = url.origin});
  http::Client etcd(context.clock, connector);
  http::ClientRequest request{
      .method = "POST",
      .target = "/v3/kv/compaction",
      .body = fmt::format(R"({{"revision":"{}","physical":true}})", revision)};
  CO_TRY(auto response, co_await etcd.send(std::move(request)));
  CO_TRY(const auto body, co_await response.read_all(65536));
  if (response.status() != 200) co_return wrong("etcd does not compact: " + body);
  co_return kube::Result<void>{};
}

/// Gives a version whose history etcd has forgotten.
Task<std::string> make_compacted_version(Context& context) {
  const auto maps = config_maps(context);
  CO_TRY(const auto old, co_await context.client->send(maps.create(named("compacted"))));
  CO_TRY(const auto now, co_await context.client->send(maps.create(named("compacted-2"))));
  CO_TRY_VOID(co_await compact(context, std::string(kube::resource_version_of(now.as_object()))));
  co_return std::string(kube::resource_version_of(old.as_object()));
}

Task<void> list_of_compacted_history(Context& context, std::string version) {
  const auto gone = co_await context.client->send(config_maps(context).list(
      {.resource_version = std::move(version), .resource_version_match = "Exact"}));
  if (gone || !gone.error().is_gone()) co_return wrong("a list of compacted history is not 410");
  co_return kube::Result<void>{};
}

class Names : public kube::WatchHandler {
 public:
  void replace(std::vector<kube::json::object> objects) override {
    ++replaced;
    names.clear();
    for (auto& object : objects) apply(std::move(object));
  }
  void apply(kube::json::object object) override { names.emplace(kube::name_of(object)); }
  void remove(const kube::json::object& object) override {
    names.erase(std::string(kube::name_of(object)));
  }

  std::set<std::string> names;
  int replaced = 0;
};

class Failures : public kube::WatchObserver {
 public:
  void listed(const kube::Error*, async::Duration) override {}
  void watched(const kube::Error* error, async::Duration) override { watches += error == nullptr; }
  int watches = 0;
};

Task<void> reflector_follows(Context& context) {
  const auto maps = config_maps(context);
  Names handler;
  Failures observer;
  kube::Reflector reflector(*context.client, maps, handler, &observer, {.page = 2});
  async::TaskGroup tasks(context.loop.get_executor());
  tasks.spawn("reflector", reflector.run());
  auto followed =
      co_await eventually(context, "first list and watch", [&] { return observer.watches == 1; });
  (void)co_await context.client->send(maps.create(named("followed")));
  if (followed) {
    followed = co_await eventually(context, "the new object",
                                   [&] { return handler.names.contains("followed"); });
  }
  (void)co_await context.client->send(maps.remove("followed"));
  if (followed) {
    followed = co_await eventually(context, "its end",
                                   [&] { return !handler.names.contains("followed"); });
  }
  tasks.cancel();
  co_await tasks.join();
  co_return followed;
}

}  // namespace

Task<void> check_restart(Context& context) {
  const auto leases = context.leases();
  Names handler;
  Failures observer;
  CO_TRY_VOID(co_await context.client->send(leases.create(named("before"))));
  kube::Reflector reflector(*context.client, leases, handler, &observer, {});
  async::TaskGroup tasks(context.loop.get_executor());
  tasks.spawn("reflector", reflector.run());
  CO_TRY_VOID(co_await eventually(context, "first watch", [&] { return observer.watches == 1; }));
  // The version of the watch falls behind what the restarted API server remembers.
  for (int i = 0; i < 10; ++i) {
    CO_TRY_VOID(co_await context.client->send(
        config_maps(context).create(named(fmt::format("noise-{}", i)))));
  }
  CO_TRY(const auto compacted, co_await make_compacted_version(context));
  fmt::print("ready to restart\n");
  std::fflush(stdout);
  const auto deadline = context.clock.now() + std::chrono::seconds(120);
  while (!handler.names.contains("after")) {
    if (context.clock.now() > deadline) co_return wrong("no lease \"after\" within 120 s");
    CO_TRY_VOID(co_await context.clock.sleep_for(std::chrono::milliseconds(20)));
  }
  tasks.cancel();
  co_await tasks.join();
  if (!handler.names.contains("before")) co_return wrong("the relist lost what was there before");
  if (handler.replaced < 2) co_return wrong("the lost history did not lead to a relist");
  // An API server that ran all the time answers these two from its caches.
  CO_TRY_VOID(co_await watch_before_history(context));
  co_return co_await list_of_compacted_history(context, compacted);
}

const std::vector<Check> kObjectChecks = {
    {"create, update and delete conflicts", conflicts},
    {"invalid object", invalid_object},
    {"server-side apply and merge patch", patches},
    {"reflector follows objects", reflector_follows},
    {"bookmark", bookmark},
    {"watch that begins with the state", initial_events},
};

}  // namespace kube_check
