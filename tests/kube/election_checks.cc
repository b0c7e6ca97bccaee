// Candidates for one Lease, and the events that they and others write.
#include <algorithm>

#include "async/task_group.h"
#include "check_context.h"
#include "controller/leader_election.h"
#include "kube/event_recorder.h"
#include "kube/list.h"

namespace kube_check {
namespace {

using kube::object_at;
using kube::text_at;
using std::chrono::seconds;

/// A candidate that runs; short times, so that the check is.
class Candidate {
 public:
  Candidate(Context& context, kube::Client& client, const char* identity)
      : recorder_(context.loop, client, {.component = "kube-check", .host = identity}),
        election_(client,
                  {.in_namespace = context.space,
                   .name = "election",
                   .identity = identity,
                   .lease_duration = seconds(5),
                   .renew_deadline = seconds(4),
                   .retry_period = seconds(1)},
                  &recorder_),
        tasks_(context.loop.get_executor()) {
    tasks_.spawn("events", recorder_.run());
    tasks_.spawn("candidate", run());
  }
  bool leads() const { return leads_; }
  /// As if the process were killed.
  async::Awaitable<void> kill() {
    leads_ = false;
    tasks_.cancel();
    co_await tasks_.join();
  }
  async::Task<void> release() { return election_.release(); }

 private:
  async::Task<void> run() {
    CO_TRY_VOID(co_await election_.acquire());
    leads_ = true;
    const auto ended = co_await election_.hold();
    leads_ = false;
    co_return ended;
  }

  kube::EventRecorder recorder_;
  controller::LeaderElection election_;
  bool leads_ = false;
  async::TaskGroup tasks_;
};

Task<std::int64_t> transitions(Context& context) {
  CO_TRY(const auto lease,
         co_await context.client->send_for_object(context.leases().get("election")));
  co_return kube::integer_at(object_at(lease, "spec"), "leaseTransitions").value_or(-1);
}

Task<std::string> renewed_at(Context& context) {
  CO_TRY(const auto lease,
         co_await context.client->send_for_object(context.leases().get("election")));
  co_return std::string(text_at(object_at(lease, "spec"), "renewTime"));
}

/// Returns once the leader has renewed its lease.
Task<void> see_renewal(Context& context) {
  CO_TRY(const auto before, co_await renewed_at(context));
  for (auto now = before; now == before;) {
    CO_TRY_VOID(co_await context.clock.sleep_for(std::chrono::milliseconds(50)));
    CO_TRY(now, co_await renewed_at(context));
  }
  co_return kube::Result<void>{};
}

using Candidates = std::vector<Candidate*>;

/// Waits until one of `candidates` leads, takes it out and returns it.
Task<Candidate*> next_leader(Context& context, std::string after, Candidates& candidates) {
  const auto leads = [](const Candidate* each) { return each->leads(); };
  CO_TRY_VOID(co_await eventually(context, std::move(after),
                                  [&] { return std::ranges::any_of(candidates, leads); }));
  const auto place = std::ranges::find_if(candidates, leads);
  auto* leader = *place;
  candidates.erase(place);
  if (std::ranges::any_of(candidates, leads)) co_return wrong("two lead");
  co_return leader;
}

Task<void> hand_over(Context& context, Candidates candidates) {
  CO_TRY(auto* first, co_await next_leader(context, "a leader", candidates));
  CO_TRY_VOID(co_await see_renewal(context));
  if (!first->leads()) co_return wrong("leadership does not last");
  co_await first->kill();
  CO_TRY(auto* second, co_await next_leader(context, "the next leader after a kill", candidates));
  CO_TRY(const auto after_kill, co_await transitions(context));
  co_await second->kill();
  CO_TRY_VOID(co_await second->release());
  CO_TRY_VOID(co_await next_leader(context, "the next leader after a release", candidates));
  CO_TRY(const auto after_release, co_await transitions(context));
  if (after_kill != 1 || after_release != 2)
    co_return wrong(fmt::format("{} and {} transitions", after_kill, after_release));
  co_return kube::Result<void>{};
}

Task<void> election(Context& context) {
  CO_TRY(const auto one, context.connect(context.admin));
  CO_TRY(const auto two, context.connect(context.admin));
  CO_TRY(const auto three, context.connect(context.admin));
  Candidate a(context, *one, "a"), b(context, *two, "b"), c(context, *three, "c");
  const auto done = co_await hand_over(context, {&a, &b, &c});
  co_await a.kill();
  co_await b.kill();
  co_await c.kill();
  co_return done;
}

Task<std::vector<kube::json::object>> events_about(Context& context, std::string name) {
  const kube::ListOptions options{.field_selector = "involvedObject.name=" + name};
  CO_TRY(auto list,
         co_await kube::list_all(*context.client, context.api("", "v1", "events"), options));
  co_return std::move(list.objects);
}

Task<void> events_of_election(Context& context) {
  CO_TRY(const auto events, co_await events_about(context, "election"));
  for (const auto& event : events) {
    if (text_at(event, "reason") == "LeaderElection" &&
        text_at(event, "message").ends_with(" became leader"))
      co_return kube::Result<void>{};
  }
  co_return wrong(fmt::format("no event says who became leader; there are {}", events.size()));
}

Task<void> write_events(Context& context, kube::EventRecorder& recorder,
                        kube::ObjectReference about) {
  for (int i = 0; i < 5; ++i) recorder.record(about, kube::EventType::warning, "Same", "again");
  for (int i = 0; i < 15; ++i)
    recorder.record(about, kube::EventType::normal, "Similar", fmt::format("number {}", i));
  CO_TRY_VOID(
      co_await eventually(context, "an empty queue", [&] { return recorder.queued() == 0; }));
  const auto deadline = context.clock.now() + seconds(10);
  for (;;) {
    CO_TRY(const auto events, co_await events_about(context, about.name));
    std::int64_t same = 0, combined = 0;
    for (const auto& event : events) {
      const auto count = kube::integer_at(event, "count").value_or(0);
      if (text_at(event, "reason") == "Same") same = count;
      if (text_at(event, "message").starts_with("(combined from similar events): "))
        combined = count;
    }
    // One "again", nine that are told apart, one for the rest.
    if (events.size() == 11 && same == 5 && combined == 6) co_return kube::Result<void>{};
    if (context.clock.now() > deadline)
      co_return wrong(fmt::format("{} events, counts {} and {}", events.size(), same, combined));
    CO_TRY_VOID(co_await context.clock.sleep_for(std::chrono::milliseconds(50)));
  }
}

Task<void> aggregated_events(Context& context) {
  const auto maps = context.api("", "v1", "configmaps");
  CO_TRY(const auto object, co_await context.client->send_for_object(maps.create(named("busy"))));
  kube::EventRecorder recorder(context.loop, *context.client, {.component = "kube-check"});
  async::TaskGroup tasks(context.loop.get_executor());
  tasks.spawn("events", recorder.run());
  const auto done = co_await write_events(context, recorder, kube::reference_to(object));
  tasks.cancel();
  co_await tasks.join();
  co_return done;
}

}  // namespace

const std::vector<Check> kElectionChecks = {
    {"leader election of three: killed, released", election},
    {"events of the election", events_of_election},
    {"events are counted and combined", aggregated_events},
};

}  // namespace kube_check
