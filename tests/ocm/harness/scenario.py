"""What every scenario starts from and leaves behind: a hub without the add-on."""

from __future__ import annotations

import pathlib
import subprocess
import time
import unittest

from . import chart, network, pods
from .kube import condition, is_true, path
from .processes import PATIENCE, Process, eventually, inside
from .recorder import Recorder
from .world import Manager, World

WORK = "addon-cluster-proxy-deploy-0"
AGENT = "cluster-proxy-proxy-agent"
LEASE = "cluster-proxy-addon-manager"
KUBE_SIGNER, OUR_SIGNER = "kubernetes.io/kube-apiserver-client", "open-cluster-management.io/proxy-agent-signer"
HOSTNAME = {"type": "Hostname", "hostname": {"value": network.HUB}, "port": 8091}


class Scenario(unittest.TestCase):
    """Installs nothing by itself. Whatever install() and start_…() began is ended afterwards."""

    world: World

    def setUp(self) -> None:
        self.pods: list[pods.Pod] = []
        self.kept: list[tuple[Manager, dict]] = []
        self.addCleanup(self.clean_up)

    def clean_up(self) -> None:
        for pod in reversed(self.pods):
            pod.process.kill()
        chart.uninstall(self.hub)
        for cluster in self.world.clusters.values():  # a lease outlives the add-on, and would make the next one available at once
            cluster.api.delete("leases", chart.ADDON, chart.AGENT_NAMESPACE)

    @property
    def hub(self):
        return self.world.hub

    def install(self, *clusters: str, configured: dict | None = None, **server) -> None:
        """The chart, while these clusters have joined."""
        self.world.join(*clusters)
        chart.install(self.hub, configured or chart.configuration(HOSTNAME, **server))

    def add_resolvers(self) -> None:
        """The kind that charts up to 0.10 had, and left behind."""
        chart.install_crd(self.hub, "managedproxyserviceresolvers")
        self.addCleanup(self.hub.api.delete, "customresourcedefinitions", "managedproxyserviceresolvers.proxy.open-cluster-management.io")

    def start_manager(self, name: str = "manager", **options) -> Manager:
        self.pods.append(self.world.start_manager(name, **options))
        return self.pods[-1]

    def keep_manager(self, **options) -> Manager:
        """A manager that is started again when it ends by itself, as one has to that lost its lease: its Deployment does so."""
        manager = self.start_manager(**options)
        self.kept.append((manager, options))
        return manager

    def revive(self) -> bool:
        """Always true, to be part of what is waited for."""
        for manager, options in self.kept:
            if not manager.process.alive():
                manager.process = self.start_manager(**options).process
        return True

    def kill_manager(self, manager: Manager, forget_lease: bool = True) -> None:
        """-9. Forgetting the lease spares the successor the wait for its end."""
        manager.process.kill()
        if forget_lease:
            self.hub.api.delete("leases", LEASE, chart.NAMESPACE)

    def start_pod(self, origin: pods.Origin, place: network.Place, program: pathlib.Path | None = None) -> pods.Pod:
        self.pods.append(pods.Pod(origin, place, program or pods.program(self.world.ours, origin.container), self.world.logs))
        return self.pods[-1]

    def start_proxy_server(self, program: pathlib.Path | None = None) -> pods.Pod:
        return self.start_pod(pods.Origin(self.hub, chart.NAMESPACE, chart.ADDON, "proxy-server"), network.AT_HUB, program)

    def start_agents(self, cluster: str, program: pathlib.Path | None = None) -> list[pods.Pod]:
        """Both containers of the agent's pod; `program` is that of the proxy agent."""
        place = self.world.cluster(cluster).place
        origins = [pods.Origin(self.world.cluster(cluster), chart.AGENT_NAMESPACE, AGENT, name) for name in ("addon-agent", "proxy-agent")]
        return [self.start_pod(origins[0], place), self.start_pod(origins[1], place, program)]

    def start_kubelet(self, pod: str, port: int) -> None:
        """A node of the hub whose pod is a proxy server: port-forwards to it end at that port of the hub's loopback."""
        pki, label = self.hub.pki, "proxy.open-cluster-management.io/component-name=proxy-server"
        serving = [f"--kubelet-cert={pki}/kubelet.crt", f"--kubelet-key={pki}/kubelet.key", f"--kubelet-client-ca={pki}/ca.crt"]
        role = [f"--node={pod}", f"--pod={chart.NAMESPACE}/{pod}", f"--pod-labels={label}", f"--forward={port}=127.0.0.1:{port}"]
        command = [self.world.peers / "client-go", f"--kubeconfig={self.hub.admin}", *serving, *role, "kubelet"]
        kubelet = Process("kubelet", command, self.world.logs / f"kubelet-{pod}")
        self.addCleanup(self.end_pod, pod)
        self.addCleanup(kubelet.kill)
        eventually("the kubelet is ready", lambda: "ready" in kubelet.log.read_text(), of=kubelet)

    def end_pod(self, name: str) -> None:
        """At once: there is no kubelet any more that would say that it has ended."""
        self.hub.api.call("DELETE", path("pods", name, chart.NAMESPACE), query={"gracePeriodSeconds": "0"})

    def addon(self, cluster: str) -> dict | None:
        return self.hub.api.get("managedclusteraddons", chart.ADDON, cluster)

    def configuration(self) -> dict | None:
        return self.hub.api.get("managedproxyconfigurations", chart.ADDON)

    def work(self, cluster: str) -> dict | None:
        return self.hub.api.get("manifestworks", WORK, cluster)

    def requests(self, cluster: str) -> list[dict]:
        return self.hub.api.list("certificatesigningrequests", labelSelector=f"{chart.ADDON_LABEL},open-cluster-management.io/cluster-name={cluster}")

    def completed(self, cluster: str) -> bool:
        """Rolled out, as far as that goes without running pods, on the hub and on the cluster: neither waits for the other."""
        addon = self.addon(cluster)
        done = condition(addon, "Progressing").get("reason") == "Completed" and is_true(self.configuration(), "ProxyServerDeployed")
        return done and all(is_true(addon, kind) for kind in ("RegistrationApplied", "ManifestApplied", "ClusterCertificateRotated"))

    def expect_completed(self, *clusters: str, limit: float = PATIENCE) -> None:
        for cluster in clusters:
            eventually(f"the add-on of {cluster} is rolled out", lambda name=cluster: self.revive() and self.completed(name), limit)

    def expect_available(self, *clusters: str) -> None:
        """Open Cluster Management looks at the lease every 30 s."""
        for cluster in clusters:
            eventually(f"the add-on of {cluster} is available", lambda name=cluster: is_true(self.addon(name), "Available"), limit=120)

    def expect_tunnel(self, cluster: str) -> None:
        """The proxy agent says that it is connected."""
        place = self.world.cluster(cluster).place.name
        probe = [*inside(place), "curl", "-sf", "-o", "/dev/null", "http://127.0.0.1:8093/readyz"]
        eventually(f"the agent of {cluster} is connected", lambda: subprocess.run(probe, check=False).returncode == 0)

    def configure(self, spec: dict) -> dict:
        """Changes the ManagedProxyConfiguration."""
        return self.hub.api.patch("managedproxyconfigurations", chart.ADDON, {"spec": spec})

    def expect_configured(self, cluster: str, argument: str) -> None:
        """A change of the proxy agent's arguments has come to the cluster, and the manager so is up to date."""
        api = self.world.cluster(cluster).api

        def applied() -> bool:
            self.revive()
            found = api.get("deployments", AGENT, chart.AGENT_NAMESPACE)
            return found is not None and argument in str(found["spec"]["template"]["spec"]["containers"])

        eventually(f"{argument} is in the Deployment of {cluster}", applied)
        self.expect_completed(cluster)

    def record(self, *plurals: str) -> Recorder:
        return Recorder(self.hub.api, *plurals)

    def report(self, what: str, since: float) -> None:
        """For people, never a reason to fail."""
        print(f"  {what}: {time.monotonic() - since:.2f} s", flush=True)
