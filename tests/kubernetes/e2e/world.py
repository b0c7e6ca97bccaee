"""What the tests of one run share: the hub with its pods, and the managed clusters."""

from __future__ import annotations

import pathlib

import harness.world
from harness import chart
from harness.audit import Audit
from harness.hub import Hub, Seat
from harness.managed import ManagedCluster

from . import network
from .images import HERE, Images
from .node import Node, bring_up

PODS = ("--pods", "yes")
FRONT = f"proxy-entrypoint.{chart.NAMESPACE}.svc:8090"


class World(harness.world.World):
    """`program` is ours, `peers` the folder with the real ones, `state` a folder on no overlay."""

    def __init__(self, program: pathlib.Path, peers: pathlib.Path, state: pathlib.Path, logs: pathlib.Path):  # noqa: super is for processes
        self.program, self.peers, self.state, self.logs = program, peers, state, logs
        network.make_internet()
        self.images = Images(state / "images", peers, program)
        self.clusters: dict[str, ManagedCluster] = {}
        self.hub = self._make_hub()
        self.audit = Audit(self.hub.audit)
        self.client_pod()

    def _make_hub(self) -> Hub:
        place = network.make_node("hub")
        network.open_hub(place)
        seat = Seat(place, place.address, PODS)
        return bring_up(lambda: self._make_node(place), lambda: Hub(self.state, self.logs, self.peers, [], seat, place))

    def _make_cluster(self, name: str) -> ManagedCluster:
        place = network.make_node(name)
        seat = Seat(place, place.address, PODS)
        return bring_up(lambda: self._make_node(place), lambda: ManagedCluster(name, self.hub, self.state, seat))

    def _make_node(self, place: network.Place) -> Node:
        return Node(place.name, place, self.images, self.state / "nodes" / place.name, self.logs)

    def client_pod(self) -> None:
        """A pod of the hub's, with the programs of the peers and the state of this run where they are for us."""
        cache = (self.peers / "client-go").resolve().parents[1]
        folders = {"programs": cache, "links": self.peers, "state": self.state / "client"}
        folders["state"].mkdir(exist_ok=True)
        text = (HERE / "node/client.yaml").read_text()
        for name, folder in folders.items():
            text = text.replace(f"${{{name}}}", str(folder))
        self.hub.apply(text)
        self.hub.kubectl("wait", "--for=condition=Ready", "pod/client", "--timeout=60s")

    def client(self, cluster: str, *action: str, front: str = FRONT) -> str:
        """client-go in a pod of the hub, going to `cluster` by its name, through the tunnel; what it printed."""
        return super().client(cluster, *action, front=front)

    def _at_hub(self, *command) -> str:
        return self.hub.kubectl("exec", "client", "--", *command)
