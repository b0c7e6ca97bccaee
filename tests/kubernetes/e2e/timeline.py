"""Where the time of an installation goes: what the API servers of both clusters told their watchers, by when they told it."""

from __future__ import annotations

import os
import threading
import time

from harness import chart
from harness.kube import Api, path
from harness.processes import eventually

from .helm import CHART, RELEASE, Helm
from .scenario import AGENTS, MANAGERS, by_node_port, pods, wait_ready
from .world import World

CLUSTER = "cluster1"
IN_NAMESPACE = ("pods", "deployments", "secrets", "events", "leases")
OF_CLUSTER = ("managedclusteraddons", "manifestworks")
DEFINITIONS = [f"managedproxy{plural}.proxy.open-cluster-management.io" for plural in ("configurations", "serviceresolvers")]


class Timeline:
    """Of what is told of itself by each object, the first time counts."""

    def __init__(self):
        self.lock = threading.Lock()
        self.begin()

    def begin(self) -> None:
        with self.lock:
            self.began, self.moments = time.monotonic(), {}

    def note(self, what: str) -> float:
        """Seconds since the beginning."""
        now = time.monotonic() - self.began
        with self.lock:
            self.moments.setdefault(what, now)
        return now

    def watch(self, api: Api, place: str, plural: str, namespace: str | None) -> None:
        """From now on, as long as this process lives."""
        url = path(plural, None, namespace)
        version = api.call("GET", url)["metadata"]["resourceVersion"]

        def follow() -> None:
            for kind, thing in api.watch(url, resourceVersion=version):
                for news in told(kind, thing):
                    self.note(f"{place:9} {plural:26} {news}")

        threading.Thread(target=follow, daemon=True).start()

    def print(self) -> None:
        with self.lock:
            for what, moment in self.moments.items():
                print(f"{moment:6.2f} {what}")


def told(kind: str, thing: dict) -> list[str]:
    if about := thing.get("involvedObject"):
        text = f"{about['name']}: {thing['reason']}: {thing.get('message', '')}"
        return [text[:180]] if about["kind"] == "Pod" else []
    status = thing.get("status") or {}
    news = ["deleted" if kind == "DELETED" else "made"]
    news += [f"{one['type']} is {one.get('status', '')} {one.get('reason', '')}" for one in status.get("conditions") or []]
    news += [f"container {one['name']} {next(iter(one['state']))}" for one in status.get("containerStatuses") or []]
    news += [f"has {part}" for part in ("certificate", "registrations") if status.get(part)]
    return [f"{thing['metadata']['name']}: {each}" for each in news]


def run_timeline(options) -> int:
    """As often as RUNS says, each time from a hub without the add-on."""
    world = World(options.program, options.peers, options.state, options.logs)
    cluster, helm, timeline = world.cluster(CLUSTER), Helm(world), Timeline()
    for one, place, namespace in ((world.hub, "hub", chart.NAMESPACE), (cluster, CLUSTER, chart.AGENT_NAMESPACE)):
        for plural in IN_NAMESPACE:
            timeline.watch(one.api, place, plural, namespace)
    for plural in OF_CLUSTER:
        timeline.watch(world.hub.api, "hub", plural, CLUSTER)
    timeline.watch(world.hub.api, "hub", "certificatesigningrequests", None)
    for _ in range(int(os.environ.get("RUNS", "1"))):
        measure(world, cluster, helm, timeline)
        clean(world, cluster, helm)
    return 0


def measure(world: World, cluster, helm: Helm, timeline: Timeline) -> None:
    values = [f"--set={value}" for value in by_node_port(world.hub)]
    timeline.begin()
    helm("install", RELEASE, CHART, *values)
    timeline.note("helm has returned")
    wait_ready(world.hub, chart.NAMESPACE, MANAGERS)
    timeline.note("THE MANAGER IS READY")
    wait_ready(cluster, chart.AGENT_NAMESPACE, AGENTS)
    took = timeline.note("THE AGENT IS READY")
    timeline.print()
    print(f"{took:.2f} s from the start of helm to a ready agent, with a load average of {os.getloadavg()[0]:.1f}\n", flush=True)


def clean(world: World, cluster, helm: Helm) -> None:
    """Definitions too: the API server holds the first object of a new one back, which is part of an installation."""
    helm.uninstall("--wait")
    chart.uninstall(world.hub)
    world.hub.kubectl("delete", "crd", *DEFINITIONS)
    cluster.api.delete("namespaces", chart.AGENT_NAMESPACE)
    eventually("the agents' namespace is gone", lambda: not cluster.api.get("namespaces", chart.AGENT_NAMESPACE))
    eventually("the hub's pods are gone", lambda: not pods(world.hub, chart.NAMESPACE, ""))
