"""What clients notice when pods go, nodes are drained and lines are cut."""

import time

from e2e import network
from e2e.scenario import AGENTS, MANAGERS, SERVER, Case, pods
from e2e.traffic import Traffic
from harness import chart
from harness.processes import eventually


class Disruptions(Case):
    def begin(self, *values: str) -> None:
        """Installed and in use, agents coming to a node port."""
        self.use(*self.by_node_port(), *values)

    def use(self, *values: str) -> None:
        self.world.join("cluster1")
        self.traffic = Traffic(self.world, "cluster1")
        self.addCleanup(self.traffic.stop)
        self.values = list(values)
        self.install(*self.values)
        self.expect_ready(self.hub, chart.NAMESPACE, SERVER)
        self.expect_ready(self.agents, chart.AGENT_NAMESPACE, AGENTS)
        self.expect_through_tunnel("cluster1")

    @property
    def agents(self):
        return self.world.clusters["cluster1"]

    def delete_one(self, cluster, namespace: str, selector: str) -> None:
        victim = pods(cluster, namespace, selector)[0]["metadata"]["name"]
        cluster.api.delete("pods", victim, namespace)

    def test_the_only_proxy_server_is_deleted(self):
        self.begin()
        with self.traffic.probing(15) as found:
            self.delete_one(self.hub, chart.NAMESPACE, SERVER)
        print(f"  {found}")
        self.assertLess(found["gap_s"], 5)

    def test_one_of_three_servers_and_one_of_three_agents_are_deleted(self):
        self.begin("proxyServer.replicas=3", "proxyAgent.replicas=3")
        self.expect_ready(self.hub, chart.NAMESPACE, SERVER, 3)
        self.expect_ready(self.agents, chart.AGENT_NAMESPACE, AGENTS, 3)
        eventually("an agent has found each server", self.traffic.no_dial_fails)
        for cluster, namespace, selector in ((self.hub, chart.NAMESPACE, SERVER), (self.agents, chart.AGENT_NAMESPACE, AGENTS)):
            with self.traffic.probing(15) as found:
                self.delete_one(cluster, namespace, selector)
            print(f"  {selector}: {found}")
            self.assertEqual(found["failed"], 0, selector)

    def test_an_argument_of_the_servers_changes(self):
        self.begin("proxyServer.replicas=2")
        self.expect_ready(self.hub, chart.NAMESPACE, SERVER, 2)
        eventually("an agent has found each server", self.traffic.no_dial_fails)
        with self.traffic.probing(25) as found:
            self.helm.upgrade(*self.values, "proxyServer.additionalArgs={--v=1}")
        print(f"  {found}")
        self.assertEqual(found["failed"], 0)

    def test_the_managers_are_replaced(self):
        """Nobody who uses a tunnel notices."""
        self.begin("replicas=1")
        with self.traffic.probing(8) as found:
            self.delete_one(self.hub, chart.NAMESPACE, MANAGERS)
        self.assertEqual((found["failed"], found["cut"]), (0, 0))
        self.expect_ready(self.hub, chart.NAMESPACE, MANAGERS)

    def test_the_line_is_cut_for_twenty_seconds(self):
        self.begin()
        self.cut_the_line()

    def test_the_line_through_the_hubs_api_server_is_cut_for_twenty_seconds(self):
        self.use()
        self.cut_the_line()

    def cut_the_line(self) -> None:
        with self.traffic.probing(32) as found:
            network.cut(self.agents.place)
            time.sleep(20)  # what is tested
            network.heal(self.agents.place)
        print(f"  {found}")
        self.assertLess(found["gap_s"], 22.5)
        self.assertEqual(found["cut"], 0)

    def test_the_node_of_the_agents_is_drained(self):
        self.begin()
        self.agents.kubectl("drain", "cluster1", f"--pod-selector={AGENTS}", "--ignore-daemonsets", "--timeout=60s")
        self.assertEqual([pod for pod in pods(self.agents, chart.AGENT_NAMESPACE, AGENTS) if pod["spec"].get("nodeName")], [])
        self.agents.kubectl("uncordon", "cluster1")
        self.expect_working()
