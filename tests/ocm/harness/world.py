"""What the tests of one run share: the hub, the managed clusters, and our programs on them."""

from __future__ import annotations

import concurrent.futures
import pathlib

from . import chart, network, pods
from .audit import Audit
from .hub import Hub, Seat
from .kube import secret_value
from .managed import ManagedCluster
from .processes import run

STATE = pathlib.Path("/run/ocm")  # in memory, and gone with the run


class World:
    """`ours` is the folder with our program, `peers` that with the real ones, `logs` where all output goes. `flags` are more
    flags of Open Cluster Management's controllers."""

    def __init__(self, ours: pathlib.Path, peers: pathlib.Path, logs: pathlib.Path, flags: list[str] | None = None):
        self.ours, self.peers, self.logs, self.state = ours, peers, logs, STATE
        network.make_hub()
        self.hub = Hub(self.state, logs, peers, flags or [], Seat(network.AT_HUB, network.HUB), network.make_place("webhook"))
        chart.install_crd(self.hub)
        self.audit = Audit(self.hub.audit)
        self.clusters: dict[str, ManagedCluster] = {}
        self.places: dict[str, network.Place] = {}

    def cluster(self, name: str) -> ManagedCluster:
        """Joined and available; made when it is asked for first."""
        if name not in self.clusters:
            self.clusters[name] = self._make_cluster(name)
            self.clusters[name].join()
        return self.clusters[name]

    def _make_cluster(self, name: str) -> ManagedCluster:
        return ManagedCluster(name, self.hub, self.state, Seat(network.make_place(name), network.INNER))

    def join(self, *names: str) -> None:
        """These clusters, side by side."""
        with concurrent.futures.ThreadPoolExecutor() as pool:
            list(pool.map(self.cluster, names))

    def drop(self, name: str) -> None:
        """The cluster leaves and ends."""
        cluster = self.clusters.pop(name)
        cluster.leave()
        cluster.stop()

    def place(self, name: str) -> network.Place:
        if name not in self.places:
            self.places[name] = network.make_place(name)
        return self.places[name]

    def client(self, cluster: str, *action: str, front: str = "127.0.0.1:8090") -> str:
        """client-go on the hub, going to `cluster` by its name, through the tunnel; what it printed."""
        material = self.client_material()
        kubeconfig = self.state / "client" / f"{cluster}.kubeconfig"
        kubeconfig.write_bytes(self.clusters[cluster].admin.read_bytes())
        return self._at_hub(self.peers / "client-go", f"--proxy={front}", *material, f"--kubeconfig={kubeconfig}", f"--host={cluster}", *action)

    def client_material(self) -> list[str]:
        """Flags that name the certificates of a client, as they are now."""
        folder = self.state / "client"
        folder.mkdir(exist_ok=True)
        for secret, key, file in (("proxy-server-ca", "ca.crt", "ca"), ("proxy-client", "tls.crt", "crt"), ("proxy-client", "tls.key", "key")):
            found = self.hub.api.get("secrets", secret, chart.NAMESPACE)
            (folder / file).write_bytes(secret_value(found, key))
        return [f"--{flag}={folder}/{file}" for flag, file in (("ca", "ca"), ("cert", "crt"), ("key", "key"))]

    def _at_hub(self, *command) -> str:
        return run(*command)

    def namespaces_through_tunnel(self, cluster: str) -> list[str]:
        lines = self.client(cluster, "namespaces").splitlines()
        return sorted(line.split()[1] for line in lines if line.startswith("namespace "))

    def namespaces(self, cluster: str) -> list[str]:
        return sorted(one["metadata"]["name"] for one in self.clusters[cluster].api.list("namespaces"))

    def start_manager(self, name: str = "manager", api_address: str | None = None) -> Manager:
        """A replica of the manager, as its pod. `api_address`: of what stands in front of the API server."""
        origin = pods.Origin(self.hub, chart.NAMESPACE, chart.MANAGER, "manager")
        return Manager(origin, self.place(name), pods.program(self.ours, "manager"), self.logs, api_address)


class Manager(pods.Pod):
    """One replica. `api_address` is that of what stands in front of the API server, None for the server itself."""

    def __init__(self, origin: pods.Origin, place: network.Place, program: pathlib.Path, logs: pathlib.Path, api_address: str | None):
        self.api_address = api_address
        super().__init__(origin, place, program, logs)

    def _environment(self) -> dict[str, str]:
        values = super()._environment()
        if self.api_address:
            host, port = self.api_address.rsplit(":", 1)
            values.update(KUBERNETES_SERVICE_HOST=host, KUBERNETES_SERVICE_PORT=port)
        return values
