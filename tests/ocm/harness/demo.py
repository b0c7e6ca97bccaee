"""The add-on on a real hub, told as it happens: from nothing to client-go listing the namespaces of two clusters."""

from __future__ import annotations

import pathlib
import subprocess
import time

from . import chart, network, pods
from .kube import condition, is_true
from .processes import PATIENCE, eventually
from .recorder import Change, Recorder
from .scenario import AGENT, HOSTNAME
from .world import World

CLUSTERS = ("cluster1", "cluster2")
CONDITIONS = ("Configured", "RegistrationApplied", "ManifestApplied", "Progressing", "ClusterCertificateRotated", "Available")
LEASE_CHECK = 120  # seconds: Open Cluster Management looks every 30


class Story:
    def __init__(self):
        self.began = time.monotonic()
        self.told: dict[tuple, str] = {}

    def say(self, text: str) -> None:
        print(f"{time.monotonic() - self.began:6.1f} s  {text}", flush=True)

    def show(self, *command) -> None:
        """A command on the hub, as one would type it, and what it says."""
        print(f"\n          hub$ {pathlib.Path(command[0]).name} {' '.join(map(str, command[1:]))}")
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
        print("".join(f"          {line}\n" for line in (done.stdout + done.stderr).splitlines()), flush=True)


def run(ours: pathlib.Path, peers: pathlib.Path, logs: pathlib.Path) -> int:
    story = Story()
    story.say("starting the hub: etcd, kube-apiserver, kube-controller-manager, and Open Cluster Management")
    world = World(ours, peers, logs)
    story.say("the hub is up")
    story.say(f"starting {' and '.join(CLUSTERS)}, which dial out to the hub and join")
    world.join(*CLUSTERS)
    story.say("both have joined and are available")
    story.show("curl", "-sS", "-m", "2", f"https://{network.INNER}/")
    story.say("nothing on the hub reaches a cluster's API server (both have the same address, which the hub does not know)")
    with Recorder(world.hub.api, "managedclusteraddons", "certificatesigningrequests", "manifestworks") as recorder:
        chart.install(world.hub, chart.configuration(HOSTNAME))
        story.say("installed what the Helm chart installs; starting our manager with the chart's ServiceAccount and its rights")
        world.start_manager()
        follow(story, recorder, rolled_out)
        start_pods(story, world)
        follow(story, recorder, available, LEASE_CHECK)
    story.show(world.hub.folder / "kubectl", "get", "managedclusteraddons", "--all-namespaces")
    use(story, world)
    story.say("done; everything ends with this program")
    return 0


def start_pods(story: Story, world: World) -> None:
    """There is no kubelet here, so the containers of the Deployments that were installed run as processes."""

    def start(cluster, namespace: str, deployment: str, container: str) -> None:
        origin = pods.Origin(cluster, namespace, deployment, container)
        pods.Pod(origin, cluster.place, pods.program(world.ours, container), world.logs)
        story.say(f"started {container} of {cluster.name}, with the arguments, keys and rights that were delivered there")

    start(world.hub, chart.NAMESPACE, chart.ADDON, "proxy-server")
    for name in CLUSTERS:
        for container in ("addon-agent", "proxy-agent"):
            start(world.cluster(name), chart.AGENT_NAMESPACE, AGENT, container)


def use(story: Story, world: World) -> None:
    story.say("a Go program on the hub, with client-go and konnectivity-client as in the reference's README:")
    print('          config.Host = "cluster1"; config.Dial = tunnel.DialContext')
    for name in CLUSTERS:
        found = eventually(f"{name} answers through its tunnel", lambda cluster=name: world.namespaces_through_tunnel(cluster))
        story.say(f"namespaces of {name}, through the tunnel: {' '.join(found)}")


def follow(story: Story, recorder: Recorder, done, limit: float = PATIENCE) -> None:
    """Tells every change since the last call until `done` holds for the add-on of all clusters."""
    finished: set[str] = set()

    def tell(change: Change) -> bool:
        for key, text in facts(change):
            if story.told.get(key) != text:
                story.told[key] = text
                story.say(text)
        if change.kind == "managedclusteraddons" and done(change.thing):
            finished.add(change.namespace)
        return finished == set(CLUSTERS)

    recorder.next("every cluster's add-on is as wanted", tell, limit)


def facts(change: Change):
    """What a change says, under a key that keeps it from being told twice."""
    if change.kind == "managedclusteraddons":
        for kind in CONDITIONS:
            if found := condition(change.thing, kind):
                yield (change.namespace, kind), f"{change.namespace}: {kind} {found['status']} ({found['reason']})"
    elif change.kind == "certificatesigningrequests" and change.name.startswith("addon-"):
        signed = bool(change.thing.get("status", {}).get("certificate"))
        state = "signed" if signed else "approved" if is_true(change.thing, "Approved") else "asked for"
        yield change.name, f"certificate {state}: {change.name}, signer {change.thing['spec']['signerName']}"
    elif change.kind == "manifestworks":
        state = "applied" if is_true(change.thing, "Applied") else "made"
        yield (change.namespace, change.name), f"{change.namespace}: ManifestWork {change.name} {state}"


def rolled_out(addon: dict) -> bool:
    return condition(addon, "Progressing").get("reason") == "Completed" and is_true(addon, "ClusterCertificateRotated")


def available(addon: dict) -> bool:
    return is_true(addon, "Available")
