"""From `helm install` to a Go client in the managed cluster, by each way in which agents come to the hub."""

import time

from e2e import network
from e2e.scenario import AGENTS, MANAGERS, SERVER, Case
from harness import chart
from harness.kube import condition
from harness.processes import eventually

BALANCER = "203.0.113.10"
RESTRICTED = {"pod-security.kubernetes.io/enforce": "restricted", "pod-security.kubernetes.io/enforce-version": "latest"}


class Install(Case):
    def test_through_the_hubs_api_server(self):
        self.installed()

    def test_by_a_name_of_ones_own(self):
        self.installed(*self.by_node_port())

    def test_by_a_load_balancer_that_gets_its_address_late(self):
        self.install("proxyServer.entrypointLoadBalancer=true")
        waits = lambda: self.deployed().get("reason") == "WaitingForLoadBalancer"  # noqa: E731
        eventually("the configuration says that it waits for the load balancer", waits)
        network.balance(BALANCER, self.hub.place)
        status = {"status": {"loadBalancer": {"ingress": [{"ip": BALANCER}]}}}
        self.hub.api.patch("services", "proxy-agent-entrypoint", status, chart.NAMESPACE, sub="/status")
        self.expect_working()
        self.assertEqual(self.deployed()["status"], "True")

    def test_every_pod_is_admitted_where_pod_security_is_restricted(self):
        self.world.join("cluster1")
        places = [(self.hub, chart.NAMESPACE), (self.world.clusters["cluster1"], chart.AGENT_NAMESPACE)]
        for cluster, namespace in places:
            cluster.api.ensure("namespaces", {"metadata": {"name": namespace, "labels": RESTRICTED}})
        self.install(*self.by_node_port(), "replicas=2")
        self.expect_working()
        for cluster, namespace in places:
            for pod in cluster.api.list("pods", namespace):
                for container in pod["spec"]["containers"]:
                    self.assertTrue(container["securityContext"]["readOnlyRootFilesystem"], container["name"])

    def installed(self, *values: str) -> None:
        self.world.join("cluster1")
        began = time.monotonic()
        self.install(*values)
        self.expect_ready(self.hub, chart.NAMESPACE, MANAGERS)
        self.report("manager ready after", began)
        self.expect_ready(self.hub, chart.NAMESPACE, SERVER)
        self.report("proxy server ready after", began)
        self.expect_ready(self.world.clusters["cluster1"], chart.AGENT_NAMESPACE, AGENTS)
        self.report("agent ready after", began)
        self.expect_through_tunnel("cluster1")
        self.report("through the tunnel after", began)
        self.expect_available("cluster1")
        self.report("available after", began)
        self.assertIn("Succeeded", self.helm("test", "cluster-proxy"))

    def deployed(self) -> dict:
        return condition(self.hub.api.get("managedproxyconfigurations", chart.ADDON), "ProxyServerDeployed")
