"""A rolled-out add-on leaves the hub alone."""

import collections
import os
import time

from harness.scenario import Scenario

# One resynchronisation takes ten minutes; `OCM_IDLE=660` waits for one.
SECONDS = float(os.environ.get("OCM_IDLE", "45"))


class Idle(Scenario):
    def test_no_writes_after_roll_out(self):
        self.install("cluster1", "cluster2")
        manager = self.start_manager()
        self.start_proxy_server()
        for cluster in ("cluster1", "cluster2"):
            self.start_agents(cluster)
        self.expect_available("cluster1", "cluster2")
        self.world.audit.mark()
        cpu = manager.process.cpu_seconds()
        time.sleep(SECONDS)  # nothing to wait for: the claim is that nothing comes
        self.assertEqual([str(call) for call in self.world.audit.writes()], [])
        calls = collections.Counter(call.resource for call in self.world.audit.calls())
        minutes = SECONDS / 60
        print(f"  calls a minute: { {kind: round(number / minutes, 1) for kind, number in calls.items()} }")
        print(f"  cpu {(manager.process.cpu_seconds() - cpu) / SECONDS * 100:.2f} %, memory {manager.process.memory_kib() / 1024:.1f} MB")

    def test_a_restarted_manager_writes_nothing(self):
        self.install("cluster1")
        manager = self.start_manager()
        self.expect_completed("cluster1")
        manager.process.stop()
        self.world.audit.mark()
        manager = self.start_manager()
        self.configure({"proxyAgent": {"additionalArgs": ["--sync-interval=2s"]}})
        self.expect_configured("cluster1", "--sync-interval=2s")
        written = {(call.resource, call.name) for call in self.world.audit.writes()}
        untouched = {("secrets", name) for name in ("cluster-proxy-signer", "proxy-server", "agent-server", "proxy-client")}
        self.assertEqual(written & untouched, set(), "certificates stay")


