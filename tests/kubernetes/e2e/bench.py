"""The figures of docs/benchmarks-kubernetes.md: our add-on in pods, and the reference's Go server and agent in their place."""

from __future__ import annotations

import dataclasses
import datetime
import os
import pathlib
import platform
import statistics
import time

from harness import chart
from harness.kube import is_true
from harness.processes import Failure, eventually, run

from . import network
from .helm import Helm
from .images import ROOT, version
from .scenario import AGENTS, MANAGERS, MINUTES, SERVER, by_node_port, pods, wait_ready
from .timeline import clean
from .traffic import Traffic
from .world import World

CLUSTER = "cluster1"
PAGE = ROOT / "docs/benchmarks-kubernetes.md"
SECONDS = 6  # of each measurement of traffic
INSTALLATIONS = 3
# The addon-agent is ours in any case: the image of Go's programs has none.
OURS = f"localhost/cluster-proxy:{version()}"
GO = ("proxyServerImage=localhost/go-proxy", "proxyAgentImage=localhost/go-proxy", f"manager.extraArgs={{--agent-image-name={OURS}}}")
PROGRAMS = {"proxy-server": "/proxy-server", "proxy-agent": "/proxy-agent", "addon-agent": "/agent", "manager": "/manager"}


@dataclasses.dataclass
class Row:
    what: str
    target: str
    ours: str
    go: str = ""


class Bench:
    def __init__(self, options):
        self.load_average = f"{os.getloadavg()[0]:.0f}"
        self.world = World(options.program, options.peers, options.state, options.logs)
        self.helm, self.hub = Helm(self.world), self.world.hub
        self.cluster = self.world.cluster(CLUSTER)
        self.traffic = Traffic(self.world, CLUSTER)
        self.node_port = by_node_port(self.hub)
        for node in (self.hub.node, self.cluster.node):
            node.load(self.world.images.go())
        self.rows: list[Row] = []

    def run(self) -> None:
        self.installations()
        self.memory()
        self.uninstallation()
        self.loads("Hostname, by a node port", self.node_port)
        self.disturbances()
        self.remove()
        self.loads("PortForward", [])
        self.row("PortForward: line cut for 20 s, then healed: first dial after", "7 s; wanted 2 s", self.cut())
        self.image()

    def row(self, what: str, target: str, ours: str, go: str = "") -> None:
        self.rows.append(Row(what, target, ours, go))
        print(f"{what}: {ours}{f'; Go: {go}' if go else ''}", flush=True)

    def install(self, *values: str) -> None:
        """With these values and no others: helm would keep those of before where none are given."""
        settings = [f"--set={value}" for value in values]
        self.helm("upgrade", "--install", "--reset-values", "cluster-proxy", ROOT / "charts/cluster-proxy", *settings)
        self.settled()

    def settled(self) -> None:
        """Rolled out everywhere, as OCM and Kubernetes see it, and used once."""
        eventually("the manager has done what the configuration asks for", self.observed, MINUTES)
        self.hub.kubectl("-n", chart.NAMESPACE, "rollout", "status", "deployment/cluster-proxy", "--timeout=120s")
        eventually("the agent is there", lambda: self.cluster.api.get("deployments", "cluster-proxy-proxy-agent", chart.AGENT_NAMESPACE), MINUTES)
        wanted = self.hub.api.get("managedproxyconfigurations", chart.ADDON)["spec"]["proxyAgent"]["image"]
        eventually("the agent has the image", lambda: wanted in str(self.cluster.api.get("deployments", "cluster-proxy-proxy-agent", chart.AGENT_NAMESPACE)), MINUTES)
        self.cluster.kubectl("-n", chart.AGENT_NAMESPACE, "rollout", "status", "deployment/cluster-proxy-proxy-agent", "--timeout=120s")
        eventually("the tunnel works", self.works, MINUTES)

    def observed(self) -> bool:
        configured = self.hub.api.get("managedproxyconfigurations", chart.ADDON)
        deployed = self.hub.api.get("deployments", chart.ADDON, chart.NAMESPACE)
        notes = deployed["metadata"]["annotations"] if deployed else {}
        return notes.get("proxy.open-cluster-management.io/configuration-generation") == str(configured["metadata"]["generation"])

    def works(self) -> bool:
        try:
            return self.traffic.measure("connect", 0.2)["count"] > 0
        except Failure:
            return False

    def installations(self) -> None:
        """Each on a hub without the add-on; the last one stays."""
        took = [self.installation()]
        while len(took) < INSTALLATIONS:
            clean(self.world, self.cluster, self.helm)
            self.node_port = by_node_port(self.hub)
            took.append(self.installation())
        wanted = ("helm install until the manager is ready", "17 to 19 s"), ("until the agent's pod is Ready", "19 to 20 s; wanted 6 s"), \
                 ("until AVAILABLE is True", "31 to 93 s; wanted 35 s")
        for (what, target), seconds in zip(wanted, zip(*took, strict=True), strict=True):
            self.row(what, target, f"{statistics.median(seconds):.1f} s ({min(seconds):.1f} to {max(seconds):.1f})")
        self.settled()

    def installation(self) -> tuple[float, float, float]:
        began = time.monotonic()
        values = [f"--set={value}" for value in self.node_port]
        self.helm("install", "cluster-proxy", ROOT / "charts/cluster-proxy", *values)
        wait_ready(self.hub, chart.NAMESPACE, MANAGERS)
        manager = time.monotonic() - began
        wait_ready(self.cluster, chart.AGENT_NAMESPACE, AGENTS)
        agent = time.monotonic() - began
        eventually("available", lambda: is_true(self.hub.api.get("managedclusteraddons", chart.ADDON, CLUSTER), "Available"), MINUTES)
        return manager, agent, time.monotonic() - began

    def memory(self) -> None:
        time.sleep(10)  # idle is what is measured
        ours = self.resident()
        for name, targets in (("proxy-server", 34), ("proxy-agent", 34), ("addon-agent", 29), ("manager", 60)):
            self.row(f"idle memory of {name}", f"{targets} MiB; wanted {targets / 3:.0f}", ours[name])

    def resident(self) -> dict[str, str]:
        """Resident sets, by part; what is not anonymous are pages of files, the program's most of all, which all parts on a node share."""
        found = {}
        for node in (self.hub.node, self.cluster.node):
            for line in node.run("ps", "-eo", "pid=,args=").splitlines():
                pid, command = line.split(None, 1)
                for name, program in PROGRAMS.items():
                    if command.split()[0] == program:
                        found[name] = self.memory_of(node, pid)
        return found

    def memory_of(self, node, pid: str) -> str:
        lines = dict(line.split(":", 1) for line in node.run("cat", f"/proc/{pid}/status").splitlines())
        whole, own = (int(lines[name].split()[0]) / 1024 for name in ("VmRSS", "RssAnon"))
        return f"{whole:.1f} MiB, {own:.1f} of it anonymous"

    def loads(self, way: str, values: list[str]) -> None:
        wanted = {"Hostname": ("55 to 64 MB/s", "40 to 45 MB/s", "1.1 ms", "64/s"), "PortForward": ("22 MB/s", "30 MB/s", "3.5 ms", "43/s")}[way.split(",")[0]]
        found = []
        for images in ((), GO):
            self.install(*values, *images)
            found.append(self.load())
        self.install(*values)
        for what, target, ours, go in zip(("down", "up", "64 B p50", "connects"), wanted, *found, strict=True):
            self.row(f"{way}: {what}", target, ours, go)

    def load(self) -> list[str]:
        down, up = (self.traffic.measure(case, SECONDS, 4)["mb_per_s"] for case in ("download", "upload"))
        answer = self.traffic.measure("rtt", SECONDS)["p50_ms"]
        connects = self.traffic.measure("connect", SECONDS, 4)["connects_per_s"]
        return [f"{down:.0f} MB/s", f"{up:.0f} MB/s", f"{answer:.2f} ms", f"{connects:.0f}/s"]

    def disturbances(self) -> None:
        self.row("proxy-server pod deleted, one replica: no dial works for", "31 s; wanted 5 s", self.deleted())
        self.install(*self.node_port, "proxyServer.replicas=2")
        self.row("the same with two replicas", "dials fail by chance; wanted none", self.deleted())
        self.install(*self.node_port)
        with self.traffic.probing(30) as found:
            self.install(*self.node_port, "proxyServer.additionalArgs={--v=1}")
        self.row("argument changed, one replica", "24 to 37 s without a dial; wanted none", told(found))
        self.row("line cut for 20 s, then healed: first dial after", "1.5 s; wanted 2 s", self.cut())

    def deleted(self) -> str:
        eventually("an agent has found each server", self.traffic.no_dial_fails)
        with self.traffic.probing(20) as found:
            self.hub.api.delete("pods", pods(self.hub, chart.NAMESPACE, SERVER)[0]["metadata"]["name"], chart.NAMESPACE)
        self.settled()
        return told(found)

    def cut(self) -> str:
        with self.traffic.probing(35) as found:
            network.cut(self.cluster.place)
            time.sleep(20)  # what is measured
            network.heal(self.cluster.place)
        return f"{found['gap_s'] - 20:.1f} s; {found['cut']} of {found['held']} tunnels ended"

    def uninstallation(self) -> None:
        self.row("uninstalled: the agent's pod is gone after", "42 s; wanted 10 s", f"{self.remove():.1f} s")

    def remove(self) -> float:
        began = time.monotonic()
        self.helm.uninstall()
        eventually("the agent is gone", lambda: not self.cluster.api.list("pods", chart.AGENT_NAMESPACE), MINUTES)
        took = time.monotonic() - began
        eventually("the hub's pods are gone", lambda: not self.hub.api.list("pods", chart.NAMESPACE), MINUTES)
        return took

    def image(self) -> None:
        archive = self.world.images.folder / "cluster-proxy/cluster-proxy.oci.tar"
        sizes = run("ctr", "--version") and archive.stat().st_size / 1e6
        unpacked = self.hub.node.run("sh", "-c", f"ctr -n k8s.io images ls 'name=={OURS}' | tail -n 1").split()[3]
        self.row("image", "296 MB; wanted 59", f"{sizes:.1f} MB to pull ({unpacked} MiB as containerd counts)")

    def write(self) -> None:
        stamp = datetime.date.today().isoformat()
        cpus = os.cpu_count()
        model = next((line.split(":")[1].strip() for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")), "")
        table = "".join(f"| {row.what} | {row.target} | {row.ours} | {row.go} |\n" for row in self.rows)
        PAGE.write_text(HEAD.format(stamp=stamp, cpus=cpus, load=self.load_average, model=model, kernel=platform.release()) + table)


HEAD = """# In Kubernetes, with pods

Made by `make bench-kubernetes` on {stamp}: {cpus} cores ({model}, Linux {kernel}; load average {load} at the start) that carry the hub, the managed cluster and the clients, so
that every figure includes all of it. The client is the Go client (konnectivity-client) in a pod of the hub, its service beside
the managed cluster's node. *The reference* is what its authors' manager, server and agent did in such pods on two cores; *Go* are the
reference's server and agent, built from their modules, under our manager on this machine.

| | the reference; wanted | ours | Go |
| --- | --- | --- | --- |
"""


def told(found: dict) -> str:
    return f"{found['gap_s']:.1f} s; {found['failed']} of {found['dials']} dials failed, {found['cut']} of {found['held']} tunnels ended"


def run_bench(options) -> int:
    bench = Bench(options)
    bench.run()
    bench.write()
    print(f"written: {PAGE.relative_to(ROOT)}")
    return 0
