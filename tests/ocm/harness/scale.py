"""How one manager carries many clusters, which here are objects only: without agents, so without certificates.

Everything before the manager's start is done by then, so the figures are the manager's own.
"""

from __future__ import annotations

import collections
import concurrent.futures
import json
import pathlib
import time

from . import chart
from .kube import is_true
from .processes import Process, eventually
from .world import Manager, World

THREADS = 8
PREPARATION = 1800  # seconds
IDLE = 120  # seconds over which idle calls are counted
SETTLED = 5  # seconds without a write
LEASE = 86400  # seconds: nobody renews, and nobody shall be declared lost


def run(ours: pathlib.Path, peers: pathlib.Path, logs: pathlib.Path, count: int, file: pathlib.Path | None) -> int:
    world = World(ours, peers, logs, ["--kube-api-qps=2000", "--kube-api-burst=4000"])
    names = [f"cluster{number:05}" for number in range(1, count + 1)]
    prepare(world, names)
    figures = {"clusters": str(count)}
    manager = first_run(world, count, figures)
    idle(world, manager, figures)
    manager.process.stop()
    second_run(world, figures)
    if file:
        file.write_text(json.dumps(figures))
    width = max(map(len, figures))
    print("\n".join(f"{name:<{width}}  {value}" for name, value in figures.items()))
    return 0


def prepare(world: World, names: list[str]) -> None:
    print(f"making {len(names)} ManagedClusters", flush=True)
    with concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(lambda name: make_cluster(world, name), names))
    chart.install(world.hub)
    print("waiting for Open Cluster Management to choose them", flush=True)
    eventually("every cluster has the add-on configured", lambda: configured(world) == len(names), PREPARATION)


def make_cluster(world: World, name: str) -> None:
    body = {
        "apiVersion": "cluster.open-cluster-management.io/v1",
        "kind": "ManagedCluster",
        "metadata": {"name": name},
        "spec": {"hubAcceptsClient": True, "leaseDurationSeconds": LEASE},
    }
    world.hub.api.create("managedclusters", body)
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    known = {"status": "True", "reason": "Test", "message": "made by the test", "lastTransitionTime": now}
    conditions = [{"type": kind, **known} for kind in ("HubAcceptedManagedCluster", "ManagedClusterJoined", "ManagedClusterConditionAvailable")]
    world.hub.api.patch("managedclusters", name, {"status": {"conditions": conditions}}, sub="/status")


def configured(world: World) -> int:
    time.sleep(1)  # listing thousands costs more than it is worth
    return sum(is_true(addon, "Configured") for addon in world.hub.api.list("managedclusteraddons"))


def first_run(world: World, count: int, figures: dict[str, str]) -> Manager:
    world.audit.mark()
    began = time.monotonic()
    manager = world.start_manager()
    works = lambda: len(world.hub.api.list("manifestworks", labelSelector=chart.ADDON_LABEL)) == count  # noqa: E731
    registered = lambda: all(is_true(addon, "RegistrationApplied") for addon in world.hub.api.list("managedclusteraddons"))  # noqa: E731
    eventually("every cluster has its work", lambda: time.sleep(0.5) or works(), PREPARATION, manager.process)
    figures["start until every cluster has its work"] = f"{time.monotonic() - began:.1f} s"
    eventually("every cluster is registered", lambda: time.sleep(0.5) or registered(), PREPARATION, manager.process)
    figures["start until every cluster is registered"] = f"{time.monotonic() - began:.1f} s"
    settle(world)
    tell_calls(world, figures, count)
    tell_process(manager.process, figures, "after the roll-out")
    return manager


def settle(world: World) -> None:
    """Until the manager writes nothing for a while."""
    written = lambda: len(world.audit.writes())  # noqa: E731

    def quiet() -> bool:
        before = written()
        time.sleep(SETTLED)
        return written() == before

    eventually("the manager has nothing left to write", quiet, PREPARATION)


def tell_calls(world: World, figures: dict[str, str], count: int) -> None:
    calls = [call for call in world.audit.calls() if not call.election]
    verbs = collections.Counter(call.verb for call in calls)
    figures["API calls"] = f"{len(calls)}, {len(calls) / count:.1f} a cluster"
    figures["API calls by verb"] = ", ".join(f"{verb} {number}" for verb, number in verbs.most_common())
    figures["of them refused by 409"] = str(sum(call.code == 409 for call in calls))


def tell_process(process: Process, figures: dict[str, str], when: str) -> None:
    figures[f"memory {when}"] = f"{process.memory_kib() / 1024:.0f} MB"
    figures[f"CPU {when}"] = f"{process.cpu_seconds():.1f} s"


def idle(world: World, manager: Manager, figures: dict[str, str]) -> None:
    world.audit.mark()
    cpu = manager.process.cpu_seconds()
    time.sleep(IDLE)
    calls = world.audit.calls()
    kinds = collections.Counter(f"{call.verb} {call.resource}" for call in calls)
    figures["idle API calls a minute"] = f"{len(calls) * 60 / IDLE:.1f}"
    figures["idle API calls"] = ", ".join(f"{kind} {number}" for kind, number in kinds.most_common(6))
    figures["idle CPU"] = f"{(manager.process.cpu_seconds() - cpu) / IDLE * 100:.2f} % of a core"


def second_run(world: World, figures: dict[str, str]) -> None:
    """A restart finds everything done."""
    world.audit.mark()
    manager = world.start_manager()
    listed = lambda: any(call.resource == "leases" and call.verb == "update" for call in world.audit.calls())  # noqa: E731
    eventually("the manager leads again", listed, of=manager.process)
    settle(world)
    figures["writes of a restarted manager"] = str(len(world.audit.writes()))
    tell_process(manager.process, figures, "after a restart")
