"""A release of the reference as it is found in the field, as far as it can be had: the objects of its chart, its server and agent
as Go programs, and what its manager wrote.

That manager is no public Go module. Ours makes keys, certificates and objects in its place, under the account and the rights of
the reference's chart, and is gone before anything is measured; then the Deployments are written as the reference's manager writes
them (tests/golden/cases): Recreate, no probes, no grace for tunnels.
"""

from __future__ import annotations

import copy
import pathlib
import shutil

import yaml
from harness import chart
from harness.hub import HERE as OCM
from harness.processes import eventually
from harness.scenario import AGENT, WORK

from .helm import RELEASE, Helm
from .images import version
from .scenario import MANAGERS, MINUTES, NODE_PORT, by_node_port, pods
from .world import World

OURS = f"localhost/cluster-proxy:{version()}"
GO = f"localhost/go-proxy:{version()}"
CHART = {"apiVersion": "v2", "name": RELEASE, "version": "0.11.0", "description": "what the reference's chart makes"}
PROBES = ("readinessProbe", "livenessProbe", "startupProbe", "env")
ONLY_OURS = ("--graceful-shutdown-timeout",)


class Reference:
    def __init__(self, world: World, helm: Helm, cluster: str):
        self.hub, self.helm, self.cluster, self.name = world.hub, helm, world.clusters[cluster], cluster
        self.chart = world.state / "reference-chart"
        self.values = by_node_port(self.hub)
        for node in (self.hub.node, self.cluster.node):
            node.load(world.images.go())

    def install(self) -> str:
        """Returns the revision of the release to go back to."""
        write_chart(self.chart, self.hub.place.address, managers=1)
        settings = [f"--set={value}" for value in self.values]
        self.helm("install", RELEASE, self.chart, "--create-namespace", *settings)
        eventually("the server is there", lambda: self.hub.api.get("deployments", chart.ADDON, chart.NAMESPACE), MINUTES)
        eventually("the agent is there", lambda: self.cluster.api.get("deployments", AGENT, chart.AGENT_NAMESPACE), MINUTES)
        self.hub.kubectl("-n", chart.NAMESPACE, "rollout", "status", f"deployment/{chart.ADDON}", "--timeout=120s")
        self.cluster.kubectl("-n", chart.AGENT_NAMESPACE, "rollout", "status", f"deployment/{AGENT}", "--timeout=120s")
        write_chart(self.chart, self.hub.place.address, managers=0)
        self.helm("upgrade", RELEASE, self.chart, "--reuse-values")
        self.write_as_its_manager()
        self.hub.kubectl("-n", chart.NAMESPACE, "rollout", "status", f"deployment/{chart.ADDON}", "--timeout=120s")
        return "2"

    def write_as_its_manager(self) -> None:
        eventually("nobody else manages", lambda: not pods(self.hub, chart.NAMESPACE, MANAGERS), MINUTES)
        server = self.hub.api.get("deployments", chart.ADDON, chart.NAMESPACE)["spec"]["template"]["spec"]["containers"]
        change = {"strategy": {"type": "Recreate", "rollingUpdate": None}, "template": {"spec": {"containers": [as_recorded(server[0])]}}}
        self.hub.api.patch("deployments", chart.ADDON, {"spec": change}, chart.NAMESPACE)
        manifests = self.hub.api.get("manifestworks", WORK, self.name)["spec"]["workload"]["manifests"]
        changed = copy.deepcopy(manifests)
        for manifest in changed:
            if manifest["kind"] == "Deployment":
                container = manifest["spec"]["template"]["spec"]["containers"][0]
                container["image"] = GO
                container.pop("readinessProbe", None)
        self.hub.api.patch("manifestworks", WORK, {"spec": {"workload": {"manifests": changed}}}, self.name)


def as_recorded(server: dict) -> dict:
    """The container of the proxy server without what only we put there."""
    kept = {name: value for name, value in server.items() if name not in PROBES}
    arguments = [argument for argument in server["args"] if not argument.startswith(ONLY_OURS)]
    return {**kept, "image": GO, "args": arguments, "resources": {}}


def write_chart(folder: pathlib.Path, address: str, managers: int) -> None:
    """The reference's objects for agents that come to a node port, with so many replicas of its manager."""
    shutil.rmtree(folder, ignore_errors=True)
    for sub in ("templates", "crds"):
        (folder / sub).mkdir(parents=True)
    (folder / "Chart.yaml").write_text(yaml.safe_dump(CHART))
    shutil.copy(chart.CRDS / "managedproxyconfigurations.yaml", folder / "crds")
    entrypoint = {"type": "Hostname", "hostname": {"value": address}, "port": NODE_PORT}
    configured = chart.configuration(entrypoint)
    for end in ("proxyServer", "proxyAgent"):
        configured["spec"][end]["image"] = GO
    manager = chart.reference_manager()
    container = manager["spec"]["template"]["spec"]["containers"][0]
    container["image"] = OURS
    container["args"].append(f"--agent-image-name={OURS}")  # the image of Go's programs has no addon-agent
    manager["spec"]["replicas"] = managers
    text = yaml.safe_dump_all([manager, configured])
    (folder / "templates/objects.yaml").write_text((OCM / "reference.yaml").read_text() + "---\n" + text)
