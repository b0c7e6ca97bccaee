"""Our own chart, by Helm, with the least rights that it gives: installed, changed, removed; and put in the reference's place."""

from harness import chart
from harness.processes import eventually, run
from harness.scenario import HOSTNAME, Scenario

RELEASE = "cluster-proxy"
ADDRESS = f"proxyServer.entrypointAddress={HOSTNAME['hostname']['value']}"


class Helm(Scenario):
    def helm(self, *words: str) -> str:
        config = [f"--kubeconfig={self.hub.admin}", f"--namespace={chart.NAMESPACE}"]
        return run(self.world.peers / "helm", *words, *config)

    def release(self, *values: str) -> None:
        settings = [f"--set={value}" for value in (ADDRESS, *values)]
        self.helm("upgrade", "--install", "--create-namespace", RELEASE, chart.CHART, *settings)

    def refusals(self) -> list[str]:
        """What the manager asked for and had no right to."""
        user = f"system:serviceaccount:{chart.NAMESPACE}:{chart.MANAGER}"
        return [str(call) for call in self.world.audit.calls(user) if call.code == 403]

    def test_installed_changed_and_removed(self):
        self.world.cluster("cluster1")
        self.world.audit.mark()
        self.release()
        self.start_manager()
        self.expect_completed("cluster1")
        self.release("proxyAgent.additionalArgs={--sync-interval=2s}")
        self.expect_configured("cluster1", "--sync-interval=2s")
        self.assertEqual(self.refusals(), [])
        self.helm("uninstall", RELEASE)
        eventually("every ManagedClusterAddOn is gone", lambda: not self.hub.api.list("managedclusteraddons"))

    def test_in_the_place_of_the_reference(self):
        """With Helm told to adopt what is there: no cluster enrols anew, no certificate changes."""
        self.world.join("cluster1")
        chart.install_reference(self.hub, chart.configuration(HOSTNAME))
        manager = self.start_manager()
        self.expect_completed("cluster1")
        manager.process.stop()
        before = [self.state(), self.certificates()]
        self.release_over_reference()
        self.start_manager()
        self.release_over_reference("proxyAgent.additionalArgs={--sync-interval=2s}")
        self.expect_configured("cluster1", "--sync-interval=2s")
        self.assertEqual([self.state(), self.certificates()], before)

    def release_over_reference(self, *values: str) -> None:
        settings = [f"--set={value}" for value in (ADDRESS, *values)]
        self.helm("upgrade", "--install", "--take-ownership", RELEASE, chart.CHART, *settings)

    def state(self) -> dict:
        return {"registrations": self.addon("cluster1")["status"]["registrations"], "asked": len(self.requests("cluster1"))}

    def certificates(self) -> list[dict]:
        names = ("cluster-proxy-signer", "proxy-server", "agent-server", "proxy-client")
        return [self.hub.api.get("secrets", name, chart.NAMESPACE)["data"] for name in names]

    def clean_up(self):
        for pod in self.pods:
            pod.process.kill()
        run("bash", "-c", '"$@" || true', "bash", self.world.peers / "helm", "uninstall", RELEASE, f"--kubeconfig={self.hub.admin}", f"--namespace={chart.NAMESPACE}")
        super().clean_up()
