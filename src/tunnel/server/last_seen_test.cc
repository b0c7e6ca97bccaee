#include "tunnel/server/last_seen.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tunnel/server/testing/harness.h"

namespace tunnel {
namespace {

using namespace std::chrono_literals;
using testing::Harness;
using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string why(Harness& server, std::string_view address) {
  return server.context.router.why_none(address, server.clock.now());
}

TEST(LastSeen, tells_when_and_from_where_the_agent_of_a_host_was_there) {
  Harness server({Strategy::dest_host});
  auto agent = server.agent("a1", "host=c7&host=c8");
  server.advance(10min);
  agent->vanish();
  server.advance(3min);
  EXPECT_EQ(why(server, "c7:443"),
            "no agent for host \"c7\" is connected; agent \"a1\" was until 3 min ago, from "
            "agent-address; on its cluster look at the agent's log, and whether it still reaches "
            "this server");
  EXPECT_THAT(why(server, "c8:443"), HasSubstr("agent \"a1\" was until 3 min ago"));
}

TEST(LastSeen, tells_how_a_host_is_announced_that_never_was) {
  Harness server({Strategy::dest_host});
  server.agent("a1", "host=c7")->vanish();
  EXPECT_EQ(why(server, "c9:443"),
            "no agent for host \"c9\" is connected, and none was since this server started; check "
            "the name; an agent announces it with --agent-identifiers=host=NAME");
}

TEST(LastSeen, tells_the_last_agent_of_all_where_any_would_do) {
  Harness server({Strategy::dest_host, Strategy::any});
  server.agent("a1")->vanish();
  server.advance(30s);
  server.agent("a2")->vanish();
  server.advance(3h);
  EXPECT_THAT(why(server, "c7:443"), StartsWith("no agent for host \"c7\""));
  EXPECT_THAT(why(server, "c7:443"),
              HasSubstr("; and no agent is connected; agent \"a2\" was until 3 h ago"));
}

TEST(LastSeen, forgets_the_oldest_first_and_keeps_no_endless_names) {
  LastSeen seen(Strategy::dest_host);
  const async::TimePoint now{};
  seen.note({"first", "second"}, "a", "p", now);
  seen.note({"first", std::string(1000, 'x')}, "b", "p", now);
  for (std::size_t i = 0; i < LastSeen::kKept - 1; ++i)
    seen.note({std::to_string(i)}, "c", "p", now);
  EXPECT_THAT(seen.explain("first", now), HasSubstr("agent \"b\" was until 0 s ago"));
  EXPECT_THAT(seen.explain("second", now), HasSubstr("none was since"));
  EXPECT_THAT(seen.explain(std::string(1000, 'x'), now), HasSubstr("none was since"));
}

}  // namespace
}  // namespace tunnel
