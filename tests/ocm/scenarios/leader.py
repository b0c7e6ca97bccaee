"""Two managers, of which one leads."""

import signal
import time

from harness import chart
from harness.processes import eventually
from harness.scenario import LEASE, Scenario


class Leader(Scenario):
    def setUp(self):
        super().setUp()
        self.install("cluster1")
        managers = [self.start_manager("manager"), self.start_manager("manager2")]
        self.expect_completed("cluster1")
        self.first = self.holder()
        self.leader, self.other = sorted(managers, key=lambda manager: not self.first.startswith(f"{manager.name}_"))

    def holder(self) -> str:
        lease = self.hub.api.get("leases", LEASE, chart.NAMESPACE)
        return lease["spec"].get("holderIdentity") or "" if lease else ""

    def takeover(self, how: int) -> float:
        """Seconds until the other manager leads, and does a leader's work."""
        began = time.monotonic()
        self.leader.process.signal(how)
        eventually("the other manager leads", lambda: self.holder() not in ("", self.first), of=self.other.process)
        seconds = time.monotonic() - began
        self.configure({"proxyAgent": {"additionalArgs": ["--sync-interval=3s"]}})
        self.expect_configured("cluster1", "--sync-interval=3s")
        return seconds

    def test_a_killed_leader_is_succeeded_when_its_lease_ends(self):
        print(f"  leader killed: succeeded after {self.takeover(signal.SIGKILL):.2f} s")

    def test_a_stopped_leader_hands_over_before_its_lease_ends(self):
        seconds = self.takeover(signal.SIGTERM)
        print(f"  leader stopped: succeeded after {seconds:.2f} s")
        self.assertEqual(self.leader.process.child.wait(10), 0)
        lease = self.hub.api.get("leases", LEASE, chart.NAMESPACE)["spec"]
        self.assertGreaterEqual(lease["leaseTransitions"], 1)

    def test_only_the_leader_writes(self):
        self.leader.process.signal(signal.SIGSTOP)  # it holds the lease and does nothing
        self.world.audit.mark()
        self.configure({"proxyAgent": {"additionalArgs": ["--sync-interval=2s"]}})
        lease = self.holder()
        eventually("the other manager leads", lambda: self.holder() != lease, of=self.other.process)
        taken = next(call.time for call in self.world.audit.calls() if call.resource == "leases" and call.verb == "update" and call.code == 200)
        early = [str(call) for call in self.world.audit.writes() if call.time < taken]
        self.assertEqual(early, [])
        self.leader.process.signal(signal.SIGCONT)
        self.expect_configured("cluster1", "--sync-interval=2s")
        self.assertNotEqual(self.leader.process.child.wait(30), 0, "a manager that lost its lease ends, and says so")
