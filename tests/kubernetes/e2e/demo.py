"""The add-on in real pods, told as it happens: installed as the reference's README says, used, disturbed, and removed."""

from __future__ import annotations

import pathlib
import signal
import subprocess
import time

from harness import chart
from harness.demo import Story
from harness.kube import is_true
from harness.processes import PATIENCE, Failure, Process, eventually, inside

from . import network
from .helm import CHART, RELEASE, Helm
from .images import HERE, ROOT
from .scenario import AGENTS, MANAGERS, MINUTES, NODE_PORT, by_node_port, wait_ready
from .traffic import Traffic
from .world import FRONT, World

CLUSTERS = ("cluster1", "cluster2")
PORT = 16443  # in the client's pod, where kubectl finds a managed cluster


class Demo:
    def __init__(self, options):
        self.story = Story()
        self.summary: list[tuple[str, str]] = []
        self.say("starting a hub: control plane, node, pods, and Open Cluster Management")
        self.world = World(options.program, options.peers, options.state, options.logs)
        self.helm = Helm(self.world)
        self.hub = self.world.hub

    def say(self, text: str) -> None:
        self.story.say(text)

    def show(self, prompt: str, *command, real: list | None = None) -> None:
        """A command as one would type it, and what it says; `real` is what is run for it."""
        print(f"\n          {prompt}$ {' '.join(map(str, command))}", flush=True)
        done = subprocess.run([str(word) for word in (real or command)], capture_output=True, text=True, check=False)
        print("".join(f"          {line}\n" for line in (done.stdout + done.stderr).splitlines()), flush=True)
        if done.returncode:
            raise Failure(f"{command[0]} ended with {done.returncode}")

    def kubectl(self, cluster, *words) -> None:
        self.show(cluster.name, "kubectl", *words, real=[cluster.folder / "kubectl", *words])

    def measured(self, what: str, figure: str) -> None:
        self.summary.append((what, figure))
        self.say(f"{what}: {figure}")

    def run(self) -> None:
        self.clusters()
        self.install()
        self.use()
        traffic = Traffic(self.world, CLUSTERS[0])
        self.upgrade_under_load(traffic)
        self.cut(traffic)
        self.remove_cluster()

    def clusters(self) -> None:
        self.say(f"starting {' and '.join(CLUSTERS)}, which dial out to the hub and join")
        self.world.join(*CLUSTERS)
        self.kubectl(self.hub, "get", "managedclusters")
        address = self.world.clusters[CLUSTERS[0]].place.address
        words = ["curl", "-sS", "-k", "-m", "2", f"https://{address}/version"]
        done = subprocess.run([*inside(self.hub.place.name), *words], capture_output=True, text=True, check=False)
        self.say(f"the hub does not reach {CLUSTERS[0]}: {' '.join(words)}: {done.stderr.strip()}")

    def install(self) -> None:
        self.values = by_node_port(self.hub)
        self.say(f"node port {NODE_PORT} of the hub leads to the proxy servers; agents are to come there")
        began = time.monotonic()
        words = ["install", RELEASE, CHART, "--create-namespace", *(f"--set={value}" for value in self.values)]
        typed = [str(word).replace(f"{ROOT}/", "") for word in words]
        print(f"\n          hub$ helm {' '.join(typed)} --namespace={chart.NAMESPACE}")
        print("".join(f"          {line}\n" for line in self.helm(*words).splitlines()), flush=True)
        wait_ready(self.hub, chart.NAMESPACE, MANAGERS)
        self.measured("helm install until the manager is ready", f"{time.monotonic() - began:.1f} s")
        for name in CLUSTERS:
            wait_ready(self.world.clusters[name], chart.AGENT_NAMESPACE, AGENTS)
        self.measured("until the agents of both clusters are ready", f"{time.monotonic() - began:.1f} s")
        for name in CLUSTERS:
            eventually(f"{name} is available", lambda one=name: is_true(self.addon(one), "Available"), MINUTES)
        self.measured("until both add-ons are available", f"{time.monotonic() - began:.1f} s")
        self.kubectl(self.hub, "get", "pods", "-n", chart.NAMESPACE)
        self.kubectl(self.world.clusters[CLUSTERS[0]], "get", "pods", "-n", chart.AGENT_NAMESPACE)
        self.kubectl(self.hub, "get", "managedclusteraddon", "-A")

    def addon(self, cluster: str) -> dict | None:
        return self.hub.api.get("managedclusteraddons", chart.ADDON, cluster)

    def use(self) -> None:
        self.say("a Go program in a pod of the hub, with client-go and konnectivity-client as in the reference's README:")
        print('          config.Host = "cluster1"; config.Dial = tunnel.DialContext')
        for name in CLUSTERS:
            found = eventually(f"{name} answers through its tunnel", lambda one=name: self.namespaces(one))
            self.say(f"namespaces of {name}, through the tunnel: {' '.join(found)}")
        cluster = self.world.clusters[CLUSTERS[0]]
        cluster.apply((HERE / "node/web.yaml").read_text())
        wait_ready(cluster, "default", "app=web")
        with_tunnel = self.forward(CLUSTERS[0])
        self.say(f"kubectl in that pod, led through the tunnel to {CLUSTERS[0]}:")
        self.kubectl_through("logs", "web")
        self.kubectl_through("exec", "web", "--", "sh", "-c", "echo hello from $(hostname); uname -s")
        self.kubectl_through("cp", "/etc/hostname", "web:/tmp/came-through-the-tunnel")
        self.kubectl_through("exec", "web", "--", "cat", "/tmp/came-through-the-tunnel")
        self.port_forward()
        with_tunnel.kill()

    def namespaces(self, cluster: str) -> list[str]:
        try:
            return self.world.namespaces_through_tunnel(cluster)
        except Failure:
            return []

    def in_pod(self, *words) -> list:
        return [self.hub.folder / "kubectl", "exec", "client", "--", *words]

    def forward(self, cluster: str) -> Process:
        """kubectl knows nothing of tunnels: a small Go program leads a port of the client's pod through one."""
        words = ["forward", f"--proxy={FRONT}", *self.world.client_material(), f"--forward-listen=127.0.0.1:{PORT}", f"--forward-to={cluster}:443"]
        # Flags come before the action.
        command = self.in_pod(self.world.peers / "client-go", *words[1:], words[0])
        forwarder = Process("forwarder", command, self.world.logs / "forwarder")
        eventually("the forwarder listens", lambda: "127.0.0.1" in forwarder.log.read_text(), PATIENCE, of=forwarder)
        return forwarder

    def through(self, *words) -> list:
        target = [f"--server=https://127.0.0.1:{PORT}", "--tls-server-name=kubernetes", f"--kubeconfig={self.world.state}/client/{CLUSTERS[0]}.kubeconfig"]
        return self.in_pod(self.world.peers / "kubectl", *target, *words)

    def kubectl_through(self, *words) -> None:
        self.show("client", "kubectl", *words, real=self.through(*words))

    def port_forward(self) -> None:
        forwarder = Process("port-forward", self.through("port-forward", "pod/web", "18080:8080"), self.world.logs / "port-forward")
        eventually("the port is forwarded", lambda: "Forwarding from" in forwarder.log.read_text(), PATIENCE, of=forwarder)
        print("\n          client$ kubectl port-forward pod/web 18080:8080 &")
        self.show("client", "wget", "-qO-", "http://127.0.0.1:18080/", real=self.in_pod("wget", "-qO-", "http://127.0.0.1:18080/"))
        forwarder.kill()

    def upgrade_under_load(self, traffic: Traffic) -> None:
        self.say("the proxy server is exchanged (an argument changes) while a client dials 20 times a second and keeps 4 tunnels busy")
        with traffic.probing(30) as found:
            self.helm.upgrade(*self.values, "proxyServer.additionalArgs={--v=1}")
            self.rolled_out()
        self.measured("proxy server exchanged under load", told(found))

    def rolled_out(self) -> None:
        arguments = ["-n", chart.NAMESPACE, "rollout", "status", "deployment/cluster-proxy", "--timeout=120s"]

        def current() -> bool:
            configured = self.hub.api.get("managedproxyconfigurations", chart.ADDON)
            deployed = self.hub.api.get("deployments", chart.ADDON, chart.NAMESPACE)
            noted = deployed["metadata"]["annotations"]["proxy.open-cluster-management.io/configuration-generation"]
            return noted == str(configured["metadata"]["generation"])

        eventually("the manager has changed the proxy server", current)
        self.hub.kubectl(*arguments)

    def cut(self, traffic: Traffic) -> None:
        self.say(f"the line of {CLUSTERS[0]} is cut for 20 s")
        place = self.world.clusters[CLUSTERS[0]].place
        with traffic.probing(35) as found:
            network.cut(place)
            time.sleep(20)  # what is measured
            network.heal(place)
        self.measured("line cut for 20 s", told(found))

    def remove_cluster(self) -> None:
        name = CLUSTERS[1]
        began = time.monotonic()
        self.kubectl(self.hub, "delete", "managedcluster", name)
        eventually(f"the add-on of {name} is gone", lambda: not self.addon(name))
        self.measured("cluster removed, its add-on gone from the hub", f"{time.monotonic() - began:.1f} s")
        self.kubectl(self.hub, "get", "managedclusteraddon", "-A")

    def end(self) -> None:
        began = time.monotonic()
        self.helm.uninstall()
        cluster = self.world.clusters[CLUSTERS[0]]
        eventually("the agent is gone", lambda: not cluster.api.list("pods", chart.AGENT_NAMESPACE), MINUTES)
        self.measured("helm uninstall until the agent's pod is gone", f"{time.monotonic() - began:.1f} s")

    def tell(self) -> None:
        print("\nSummary, to paste into an issue:\n\n| what | figure |\n| --- | --- |")
        for what, figure in self.summary:
            print(f"| {what} | {figure} |")
        print(flush=True)


def told(found: dict) -> str:
    dials = f"{found['failed']} of {found['dials']} dials failed, none worked for {found['gap_s']:.1f} s"
    return f"{dials}; {found['cut']} of {found['held']} tunnels ended, the longest answer took {found['stalled_s']:.1f} s"


def run(options, keep: bool) -> int:
    demo = Demo(options)
    demo.run()
    if keep:
        demo.tell()
        return wait()
    demo.end()
    demo.tell()
    demo.say("done; everything ends with this program")
    return 0


def wait() -> int:
    here = pathlib.Path("tests/kubernetes/in")
    print(f"Everything stays until Ctrl-C. From another terminal:\n  {here} hub kubectl get pods -A\n  {here} cluster1 kubectl get pods -A")
    print(f"  {here} hub bash      # a shell in the hub's network", flush=True)
    signal.sigwait({signal.SIGINT, signal.SIGTERM})
    return 0
