"""What a person sees who got something wrong, from helm, `kubectl get` or a condition, without any log."""

from e2e.helm import Helm, HelmError
from e2e.scenario import AGENTS, MANAGERS, Case, pods
from harness import chart
from harness.kube import condition
from harness.processes import eventually


class BadInput(Case):
    def test_a_cluster_that_is_no_hub(self):
        self.world.join("cluster1")
        with self.assertRaisesRegex(HelmError, "this cluster is no hub"):
            Helm(self.world, self.world.clusters["cluster1"]).install()

    def test_a_hub_without_the_definitions_when_they_are_left_out(self):
        for plural in ("managedproxyconfigurations", "managedproxyserviceresolvers"):
            self.hub.api.delete("customresourcedefinitions", f"{plural}.proxy.open-cluster-management.io")
        with self.assertRaisesRegex(HelmError, "(?s)ManagedProxyConfiguration.*CRDs"):
            self.helm.install(flags=("--skip-crds",))

    def test_an_image_that_cannot_be_pulled_on_the_hub(self):
        self.install("tag=v9.9.9")
        self.expect_waiting(self.hub, chart.NAMESPACE, MANAGERS)

    def test_an_image_that_cannot_be_pulled_by_agents(self):
        self.install(*self.by_node_port(), "proxyAgentImage=localhost/nowhere")
        self.expect_waiting(self.world.clusters["cluster1"], chart.AGENT_NAMESPACE, AGENTS)
        self.expect_unavailable()

    def expect_waiting(self, cluster, namespace: str, selector: str) -> None:
        """As `kubectl get pods` shows it."""
        def reasons() -> set[str]:
            states = [one.get("state", {}) for pod in pods(cluster, namespace, selector) for one in pod["status"].get("containerStatuses", [])]
            return {state["waiting"]["reason"] for state in states if "waiting" in state}

        eventually("pods say that their image cannot be pulled", lambda: reasons() & {"ErrImagePull", "ImagePullBackOff"})

    def expect_unavailable(self) -> None:
        eventually("the add-on says something of its availability", lambda: condition(self.addon("cluster1"), "Available"))
        self.assertNotEqual(condition(self.addon("cluster1"), "Available")["status"], "True")

    def test_an_entrypoint_that_agents_cannot_reach(self):
        self.install("proxyServer.entrypointAddress=203.0.113.99")
        agents = self.world.clusters["cluster1"]

        def not_ready() -> bool:
            found = pods(agents, chart.AGENT_NAMESPACE, AGENTS)
            return any(condition(pod, "Ready").get("status") == "False" and condition(pod, "ContainersReady") for pod in found)

        eventually("the agent's pod is running and not ready", not_ready)
        self.expect_unavailable()
