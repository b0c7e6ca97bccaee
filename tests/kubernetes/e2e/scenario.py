"""What every case starts from and leaves behind: a hub without the add-on, and managed clusters without agents."""

from __future__ import annotations

from harness import chart
from harness.kube import is_true
from harness.processes import Failure, eventually
from harness.scenario import Scenario

from .helm import Helm
from .world import World

SERVER = "proxy.open-cluster-management.io/component-name=proxy-server"
AGENTS = "proxy.open-cluster-management.io/component-name=proxy-agent"
MANAGERS = "component=cluster-proxy-manager"
NODE_PORT = 30091
MINUTES = 180  # seconds; OCM looks at a lease twice a minute


class Case(Scenario):
    world: World

    def setUp(self) -> None:
        super().setUp()
        self.helm = Helm(self.world)

    def install(self, *values: str, clusters: tuple[str, ...] = ("cluster1",)) -> None:
        self.world.join(*clusters)
        self.helm.install(*values)

    def by_node_port(self) -> list[str]:
        return by_node_port(self.hub)

    def expect_working(self, *clusters: str) -> None:
        """Pods run, the add-on is available, and a client sees through the tunnel what is there."""
        for cluster in clusters or ("cluster1",):
            self.expect_ready(self.world.clusters[cluster], chart.AGENT_NAMESPACE, AGENTS)
            eventually(f"the add-on of {cluster} is available", lambda name=cluster: is_true(self.addon(name), "Available"), MINUTES)
            self.expect_through_tunnel(cluster)

    def expect_through_tunnel(self, cluster: str) -> None:
        eventually(f"a client reaches {cluster}", lambda: self.through_tunnel(cluster))

    def through_tunnel(self, cluster: str) -> bool:
        try:
            return self.world.namespaces_through_tunnel(cluster) == self.world.namespaces(cluster)
        except Failure:
            return False

    def expect_ready(self, cluster, namespace: str, selector: str, count: int | None = None) -> None:
        wait_ready(cluster, namespace, selector, count)

    def clean_up(self) -> None:
        for cluster in (self.hub, *self.world.clusters.values()):
            cluster.node.keep_logs(self.world.logs / "pods" / self.id())
        try:
            self.helm.uninstall()
        except Failure:
            pass  # a case that ended early
        chart.uninstall(self.hub)
        for cluster in self.world.clusters.values():
            cluster.api.delete("namespaces", chart.AGENT_NAMESPACE)
            eventually("the agents' namespace is gone", lambda one=cluster: not one.api.get("namespaces", chart.AGENT_NAMESPACE))


def by_node_port(hub) -> list[str]:
    """The values with which agents come to a port of the hub's node; makes the Service that leads there."""
    hub.api.ensure("namespaces", {"metadata": {"name": chart.NAMESPACE}})
    ports, selector = [{"port": 8091, "nodePort": NODE_PORT}], dict([SERVER.split("=")])
    body = {"metadata": {"name": "entrypoint"}, "spec": {"type": "NodePort", "selector": selector, "ports": ports}}
    hub.api.ensure("services", body, chart.NAMESPACE)
    return [f"proxyServer.entrypointAddress={hub.place.address}", f"proxyServer.port={NODE_PORT}"]


def wait_ready(cluster, namespace: str, selector: str, count: int | None = None) -> None:
    """Until there are pods, `count` of them if that is given, and all are ready."""

    def ready() -> bool:
        found = pods(cluster, namespace, selector)
        return (len(found) == count if count else bool(found)) and all(is_true(pod, "Ready") for pod in found)

    eventually(f"pods {selector} of {cluster.name} are ready", ready, MINUTES)


def pods(cluster, namespace: str, selector: str) -> list[dict]:
    """Without those that are on their way out."""
    found = cluster.api.list("pods", namespace, labelSelector=selector)
    return [pod for pod in found if "deletionTimestamp" not in pod["metadata"]]

