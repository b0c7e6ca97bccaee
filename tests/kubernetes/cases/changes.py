"""What is changed while the add-on runs: keys, settings of a cluster, versions."""

import time

from e2e.scenario import AGENTS, SERVER, Case, pods
from harness import chart
from harness.kube import secret_value
from harness.processes import eventually, run
from harness.scenario import AGENT

ROTATE = "proxy.open-cluster-management.io/rotate-ca"


class Changes(Case):
    def begin(self) -> None:
        self.install(*self.by_node_port())
        self.expect_ready(self.hub, chart.NAMESPACE, SERVER)
        self.expect_ready(self.agents, chart.AGENT_NAMESPACE, AGENTS)
        self.expect_through_tunnel("cluster1")

    @property
    def agents(self):
        return self.world.clusters["cluster1"]

    def restarts(self) -> list[tuple[str, int]]:
        """Of every container, with the names of the pods, so that a new pod shows too."""
        places = [(self.hub, chart.NAMESPACE, SERVER), (self.agents, chart.AGENT_NAMESPACE, AGENTS)]
        found = [pod for place in places for pod in pods(*place)]
        return sorted((pod["metadata"]["name"], sum(one["restartCount"] for one in pod["status"]["containerStatuses"])) for pod in found)

    def served_certificate(self, port: int) -> str:
        """What the proxy servers show there, by its serial number."""
        front = f"proxy-entrypoint.{chart.NAMESPACE}.svc"
        address = self.hub.api.get("services", "proxy-entrypoint", chart.NAMESPACE)["spec"]["clusterIP"]
        script = f"openssl s_client -connect {address}:{port} -servername {front} </dev/null 2>/dev/null | openssl x509 -noout -serial"
        return run("bash", "-c", script, netns=self.hub.place.name).strip()

    def test_a_certificate_is_renewed_early(self):
        """Secrets are deleted; the manager makes them anew, the servers take them from their files, no pod restarts."""
        self.begin()
        before, old = self.restarts(), self.served_certificate(8090)
        for name in ("proxy-server", "agent-server", "proxy-client"):
            self.hub.api.delete("secrets", name, chart.NAMESPACE)
            eventually(f"Secret {name} is there again", lambda one=name: self.hub.api.get("secrets", one, chart.NAMESPACE))
        began = time.monotonic()
        eventually("the servers show a new certificate", lambda: self.served_certificate(8090) != old)
        self.report("new certificate in use after", began)
        self.expect_through_tunnel("cluster1")
        self.assertEqual(self.restarts(), before)

    def test_the_authority_is_changed(self):
        """Agents enrol anew by themselves; the tunnel works all the time."""
        self.begin()
        old = self.authority()
        change = {"metadata": {"annotations": {ROTATE: "now"}}}
        self.hub.api.patch("secrets", "cluster-proxy-signer", change, chart.NAMESPACE)
        began = time.monotonic()
        eventually("clients are told to trust a second authority", lambda: self.authority().count(b"BEGIN") > old.count(b"BEGIN"))
        eventually("another authority signs", lambda: self.signs() not in old)
        self.report("another authority signs after", began)
        self.expect_working()

    def authority(self) -> bytes:
        return secret_value(self.hub.api.get("secrets", "proxy-server-ca", chart.NAMESPACE), "ca.crt")

    def signs(self) -> bytes:
        return secret_value(self.hub.api.get("secrets", "cluster-proxy-signer", chart.NAMESPACE), "ca.crt").strip()

    def test_settings_of_a_cluster_change_and_go_back(self):
        self.begin()
        self.addCleanup(self.hub.api.delete, "addondeploymentconfigs", "settings", "cluster1")
        tolerations = [{"key": "dedicated", "operator": "Exists", "effect": "NoSchedule"}]
        wanted = {"nodeSelector": {"kubernetes.io/os": "linux"}, "tolerations": tolerations}
        spec = {"nodePlacement": wanted, "agentInstallNamespace": chart.AGENT_NAMESPACE}
        kind = {"apiVersion": "addon.open-cluster-management.io/v1beta1", "kind": "AddOnDeploymentConfig"}
        self.hub.api.create("addondeploymentconfigs", {**kind, "metadata": {"name": "settings"}, "spec": spec}, "cluster1")
        reference = {"group": "addon.open-cluster-management.io", "resource": "addondeploymentconfigs", "name": "settings", "namespace": "cluster1"}
        self.hub.api.patch("managedclusteraddons", chart.ADDON, {"spec": {"configs": [reference]}}, "cluster1")
        eventually("the agent has the settings", lambda: self.placement() == wanted)
        self.expect_working()
        self.hub.api.patch("managedclusteraddons", chart.ADDON, {"spec": {"configs": []}}, "cluster1")
        eventually("the agent has the settings of before", lambda: self.placement() != wanted)
        self.expect_working()

    def placement(self) -> dict:
        spec = self.agents.api.get("deployments", AGENT, chart.AGENT_NAMESPACE)["spec"]["template"]["spec"]
        return {name: spec[name] for name in ("nodeSelector", "tolerations") if name in spec}
