"""A managed cluster: a control plane with Open Cluster Management's two agents, registered with the hub."""

from __future__ import annotations

import pathlib
import shutil

from .cluster import Cluster
from .hub import Hub, Seat
from .kube import ApiError, is_true
from .processes import Process, eventually

AGENT_NAMESPACE = "open-cluster-management-agent"
API_PORT = 443  # where a client that knows nothing but the cluster's name looks for it
CLUSTER_LABEL = "open-cluster-management.io/cluster-name"


class ManagedCluster(Cluster):
    def __init__(self, name: str, hub: Hub, state: pathlib.Path, seat: Seat):
        super().__init__(name, seat.place, seat.bind, state / name, hub.logs, ["--port", str(API_PORT), *seat.options])
        self.hub, self.programs = hub, hub.programs
        for file in sorted((self.programs / "ocm-manifests/klusterlet/managed").glob("*crd*.yaml")):
            self.apply(file.read_text())
        self.kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=60s")
        self.kubectl("create", "namespace", AGENT_NAMESPACE)
        self.agents: list[Process] = []

    def join(self) -> None:
        """Returns when the hub calls the cluster available."""
        credentials = self.folder / "hub-credentials"
        credentials.mkdir(exist_ok=True)
        registration = self.start_agent(
            "registration",
            f"--bootstrap-kubeconfig={self.hub.bootstrap}",
            f"--hub-kubeconfig-dir={credentials}",
            "--cluster-healthcheck-period=1m",
        )
        self.accept(registration)
        eventually(f"{self.name} has credentials", (credentials / "kubeconfig").exists, of=registration)
        self.start_agent(
            "work", "--workload-source-driver=kube", f"--workload-source-config={credentials}/kubeconfig", "--status-sync-interval=10s"
        )
        eventually(f"{self.name} is available", lambda: is_true(self.registered(), "ManagedClusterConditionAvailable"), of=registration)

    def start_agent(self, which: str, *flags: str) -> Process:
        listen = {"registration": 9201, "work": 9202}[which]
        common = [f"--kubeconfig={self.admin}", f"--namespace={AGENT_NAMESPACE}", f"--listen=127.0.0.1:{listen}", "--disable-leader-election"]
        named = [f"--spoke-cluster-name={self.name}", f"--agent-id=agent-{self.name}"]
        command = [self.programs / f"ocm-{which}", "agent", *common, *named, *flags]
        self.agents.append(Process(f"{self.name} {which}", command, self.logs / f"ocm-{self.name}-{which}", self.place.name))
        return self.agents[-1]

    def accept(self, registration: Process) -> None:
        """What the hub's administrator does for a cluster that knocks."""
        eventually(f"{self.name} has asked to join", self.registered, of=registration)
        requests = eventually(f"{self.name} has asked for a certificate", self.requests, of=registration)
        for request in requests:
            self.hub.kubectl("certificate", "approve", request["metadata"]["name"])
        self.hub.api.patch("managedclusters", self.name, {"spec": {"hubAcceptsClient": True}})

    def registered(self) -> dict | None:
        return self.hub.api.get("managedclusters", self.name)

    def requests(self) -> list[dict]:
        return self.hub.api.list("certificatesigningrequests", labelSelector=f"{CLUSTER_LABEL}={self.name}")

    def leave(self) -> None:
        """The administrator deletes the cluster; returns when nothing of it is left on the hub."""
        self.hub.api.delete("managedclusters", self.name)
        eventually(f"{self.name} is gone from the hub", lambda: not self.registered())
        for agent in self.agents:
            agent.stop()
        self.agents.clear()
        self.drop_finalizers()
        self.hub.api.delete("namespaces", self.name)
        eventually(f"namespace {self.name} is gone", lambda: not self.hub.api.get("namespaces", self.name))
        for request in self.requests():
            self.hub.api.delete("certificatesigningrequests", request["metadata"]["name"])
        shutil.rmtree(self.folder / "hub-credentials", ignore_errors=True)
        self.api.delete("secrets", "hub-kubeconfig-secret", AGENT_NAMESPACE)

    def drop_finalizers(self) -> None:
        """Of what the agents can no longer clean up, having lost their rights with the ManagedCluster."""
        works = [(self.hub.api, "manifestworks", self.name), (self.api, "appliedmanifestworks", None)]
        for api, plural, namespace in works:
            for work in api.list(plural, namespace):
                try:
                    api.patch(plural, work["metadata"]["name"], {"metadata": {"finalizers": None}}, namespace)
                    api.delete(plural, work["metadata"]["name"], namespace)
                except ApiError as error:
                    if error.code != 404:
                        raise
