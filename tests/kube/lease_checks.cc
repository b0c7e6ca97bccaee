// The life of a lease, and who counts it.
#include "check_context.h"
#include "kube/lease_controller.h"
#include "kube/lease_counter.h"

namespace kube_check {
namespace {

using std::chrono::seconds;

kube::LeaseClaim claim(const Context& context, std::string name) {
  return {.name = name,
          .in_namespace = context.space,
          .holder = name,
          .labels = {{"k8s-app", "konnectivity-server"}}};
}

/// Another server's lease, renewed `age` ago.
Task<void> make_lease(Context& context, std::string name, seconds age) {
  const auto lease =
      kube::new_lease(claim(context, std::move(name)), context.clock.wall_now() - age);
  CO_TRY_VOID(co_await context.client->send(context.leases().create(lease)));
  co_return kube::Result<void>{};
}

Task<bool> exists(Context& context, std::string name) {
  const auto found = co_await context.client->send(context.leases().get(name));
  if (!found && !found.error().is_not_found()) co_return std::unexpected(found.error());
  co_return found.has_value();
}

Task<std::string> renewal(Context& context, std::string name) {
  CO_TRY(const auto lease, co_await context.client->send(context.leases().get(name)));
  co_return std::string(kube::text_at(kube::object_at(lease.as_object(), "spec"), "renewTime"));
}

class Culls : public kube::LeaseObserver {
 public:
  void lease_listed(int status, std::string_view, async::Duration) override { ok &= status == 200; }
  void lease_deleted(int status, std::string_view, async::Duration) override {
    ok &= status == 200;
  }
  void lease_culled() override { ++culled; }
  bool ok = true;
  int culled = 0;
};

Task<void> follow_own_lease(Context& context, Culls& observer) {
  const std::string own = "konnectivity-proxy-server-own";
  CO_TRY_VOID(
      co_await eventually(context, "one lease removed", [&] { return observer.culled == 1; }));
  const auto deadline = context.clock.now() + seconds(10);
  while (!*co_await exists(context, own)) {
    if (context.clock.now() > deadline) co_return wrong("no own lease within 10 s");
  }
  CO_TRY(const auto first, co_await renewal(context, own));
  CO_TRY(auto next, co_await renewal(context, own));
  while (next == first) {
    if (context.clock.now() > deadline)
      co_return wrong("the own lease was not renewed within 10 s");
    CO_TRY_VOID(co_await context.clock.sleep_for(std::chrono::milliseconds(20)));
    CO_TRY(next, co_await renewal(context, own));
  }
  CO_TRY(const bool dead, co_await exists(context, "dead"));
  CO_TRY(const bool alive, co_await exists(context, "alive"));
  if (dead || !alive) co_return wrong("the wrong lease was removed");
  if (!observer.ok) co_return wrong("a request failed");
  co_return kube::Result<void>{};
}

Task<void> controller(Context& context) {
  CO_TRY_VOID(co_await make_lease(context, "dead", seconds(31)));
  CO_TRY_VOID(co_await make_lease(context, "alive", seconds(0)));
  Culls observer;
  kube::LeaseController::Options options{.claim = claim(context, "konnectivity-proxy-server-own"),
                                         .renew_period = seconds(1),
                                         .collect_period = seconds(1)};
  kube::LeaseController leases(context.loop, *context.client, options, &observer);
  leases.start();
  const auto followed = co_await follow_own_lease(context, observer);
  co_await leases.stop();
  if (!followed) co_return followed;
  CO_TRY(const bool left, co_await exists(context, "konnectivity-proxy-server-own"));
  if (left) co_return wrong("the own lease outlives stop()");
  co_return kube::Result<void>{};
}

Task<void> follow_counts(Context& context, kube::LeaseCounter& counter) {
  CO_TRY_VOID(co_await eventually(context, "the first list", [&] { return counter.synced(); }));
  const auto before = counter.count();
  CO_TRY_VOID(co_await make_lease(context, "counted-1", seconds(0)));
  CO_TRY_VOID(co_await make_lease(context, "counted-2", seconds(0)));
  CO_TRY_VOID(co_await make_lease(context, "expired", seconds(31)));
  // The lease of the check before may have run out meanwhile; none at all counts as one.
  CO_TRY_VOID(co_await eventually(context, "two more leases", [&] {
    return counter.count() == 2 || counter.count() == before + 2;
  }));
  const auto both = counter.count();
  CO_TRY_VOID(co_await context.client->send(context.leases().remove("counted-2")));
  co_return co_await eventually(context, "one lease less", [&] { return counter.count() < both; });
}

Task<void> counter(Context& context) {
  CO_TRY(const auto selector,
         kube::LabelSelector::parse("k8s-app in (konnectivity-server),!hidden"));
  kube::LeaseCounter leases(context.loop, *context.client, context.space, selector, nullptr);
  leases.start();
  const auto followed = co_await follow_counts(context, leases);
  co_await leases.stop();
  co_return followed;
}

}  // namespace

const std::vector<Check> kLeaseChecks = {
    {"lease controller: create, renew, collect, delete", controller},
    {"lease counter", counter},
};

}  // namespace kube_check
