"""From the reference to ours and back, while clients dial and tunnels are in use. Prints the table of docs/upgrade.md."""

import contextlib
import time

from e2e.reference import GO, OURS, Reference
from e2e.scenario import AGENTS, MINUTES, SERVER, Case
from e2e.traffic import Traffic
from harness import chart
from harness.kube import is_true
from harness.processes import eventually

WINDOW = 90  # seconds in which a step has to be over: 18 for the lease of a manager that lost its rights, 30 for a Go server to end
KEEP = "--reset-then-reuse-values"
SECRETS = ("cluster-proxy-open-cluster-management.io-proxy-agent-signer-client-cert", "cluster-proxy-hub-kubeconfig")


class Upgrade(Case):
    def test_from_the_reference_and_back(self):
        """No cluster enrols anew, whatever is exchanged first."""
        self.world.join("cluster1")
        self.cluster = self.world.clusters["cluster1"]
        self.traffic = Traffic(self.world, "cluster1")
        self.addCleanup(self.traffic.stop)
        reference = Reference(self.world, self.helm, "cluster1")
        revision = reference.install()
        self.expect_pods(server=GO, agent=GO)
        self.expect_through_tunnel("cluster1")
        before = self.identity()
        print("\n| step | no dial worked for | dials that failed | tunnels that ended |\n| --- | --- | --- | --- |")
        goes_on = "--set=proxyAgentImage=localhost/go-proxy", f"--set=manager.extraArgs={{--agent-image-name={OURS}}}"
        with self.step("manager and proxy server become ours", server=OURS, agent=GO):
            self.upgrade(*goes_on)
        with self.step("the agent becomes ours", server=OURS, agent=OURS):
            self.upgrade("--set=proxyAgentImage=")
        with self.step("`helm rollback`: all of it the reference's again", server=GO, agent=GO):
            self.helm("rollback", "cluster-proxy", revision)
            reference.write_as_its_manager()
        with self.step("`helm upgrade`: all of it ours, at once", server=OURS, agent=OURS):
            self.upgrade()
        self.assertEqual(self.identity(), before)
        self.expect_working()

    def upgrade(self, *settings: str) -> None:
        self.helm("upgrade", "cluster-proxy", chart.CHART, KEEP, "--set=registry=localhost", *settings)

    @contextlib.contextmanager
    def step(self, what: str, server: str, agent: str):
        """The body changes something; the step is over when pods of these images, and no others, are ready and used."""
        began = time.monotonic()
        with self.traffic.probing(WINDOW) as found:
            yield
            self.expect_pods(server, agent)
            self.assertLess(time.monotonic() - began, WINDOW, what)
        failed = f"{found['failed']} of {found['dials']}"
        print(f"| {what} | {found['gap_s']:.1f} s | {failed} | {found['cut']} of {found['held']} |", flush=True)
        self.expect_through_tunnel("cluster1")

    def expect_pods(self, server: str, agent: str) -> None:
        for cluster, namespace, selector, image in (
            (self.hub, chart.NAMESPACE, SERVER, server),
            (self.cluster, chart.AGENT_NAMESPACE, AGENTS, agent),
        ):
            eventually(f"{selector} runs {image}", lambda of=(cluster, namespace, selector), is_=image: all_run(is_, *of), MINUTES)

    def identity(self) -> list:
        """What a new enrolment would change."""
        held = [self.cluster.api.get("secrets", name, chart.AGENT_NAMESPACE) for name in SECRETS]
        asked = sorted(request["metadata"]["name"] for request in self.requests("cluster1"))
        return [[(secret["metadata"]["uid"], secret["data"]) for secret in held], asked]


def all_run(image: str, cluster, namespace: str, selector: str) -> bool:
    """Also those that are on their way out count."""
    found = cluster.api.list("pods", namespace, labelSelector=selector)
    return bool(found) and all(pod["spec"]["containers"][0]["image"] == image and is_true(pod, "Ready") for pod in found)
