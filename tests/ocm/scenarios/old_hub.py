"""Hubs that know the add-on API as v1alpha1 only: a real API server with the definitions of those releases. Their controllers
cannot be had beside today's, so the test does what they would: it makes the add-on of a cluster and says that the work is applied."""

import json
import pathlib
import time

import yaml

from harness import chart, network, pods
from harness.cluster import Cluster
from harness.hub import HERE
from harness.kube import MERGE_PATCH, condition, is_true
from harness.processes import eventually, run
from harness.scenario import HOSTNAME, WORK, Scenario
from harness.world import STATE, Manager

OLD = "/apis/addon.open-cluster-management.io/v1alpha1"
NAME = "cluster1"
TODAY = ("ClusterManagementAddOn", "ManagedClusterSetBinding", "Placement")
CONFIGURATION = {"crdName": "managedproxyconfigurations.proxy.open-cluster-management.io", "crName": chart.ADDON}


def now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


class OldHub(Scenario):
    def test_v0_5_0(self):
        self.serve("v0.5.0")

    def test_v1_1_0(self):
        """Its own addon-manager adopts and configures what is made."""
        self.serve("v1.1.0", adopted=True)

    def clean_up(self) -> None:
        for pod in self.pods:
            pod.process.kill()
        self.old.stop()

    def serve(self, version: str, adopted: bool = False) -> None:
        self.old = Cluster(f"hub-{version}", network.make_place(version), network.INNER, STATE / version, self.world.logs, [])
        crds = pathlib.Path(run(HERE / "old_crds.sh", version).strip())
        for file in sorted(crds.glob("*.yaml")):
            self.old.apply(file.read_text())
        chart.install_crd(self.old)
        self.old.kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=60s")
        self.make_cluster()
        self.install_chart()
        if adopted:
            self.adopt()
        origin = pods.Origin(self.old, chart.NAMESPACE, chart.MANAGER, "manager")
        manager = Manager(origin, self.old.place, pods.program(self.world.ours, "manager"), self.world.logs, self.old.address())
        self.pods.append(manager)
        self.rolls_out(manager)

    def make_cluster(self) -> None:
        body = {"metadata": {"name": NAME}, "spec": {"hubAcceptsClient": True}}
        self.old.api.create("managedclusters", {"apiVersion": "cluster.open-cluster-management.io/v1", "kind": "ManagedCluster", **body})
        known = {"status": "True", "reason": "Test", "message": "made by the test", "lastTransitionTime": now()}
        conditions = [{"type": kind, **known} for kind in ("HubAcceptedManagedCluster", "ManagedClusterJoined", "ManagedClusterConditionAvailable")]
        self.old.api.patch("managedclusters", NAME, {"status": {"conditions": conditions}}, sub="/status")
        self.old.api.ensure("namespaces", {"metadata": {"name": NAME}})

    def install_chart(self) -> None:
        """Our chart without what those hubs do not know. They had no placement: the add-on of each cluster is made by the administrator."""
        self.old.api.ensure("namespaces", {"metadata": {"name": chart.NAMESPACE}})
        documents = chart.rendered(self.world.hub.programs / "helm", "v1alpha1")
        self.old.apply(yaml.safe_dump_all(one for one in documents if one["kind"] not in TODAY))
        management = {"metadata": {"name": chart.ADDON}, "spec": {"addOnConfiguration": CONFIGURATION}}
        self.create("clustermanagementaddons", "ClusterManagementAddOn", management)
        self.old.apply(json.dumps(chart.configuration(HOSTNAME)))
        addon = {"metadata": {"name": chart.ADDON, "namespace": NAME}, "spec": {"installNamespace": chart.AGENT_NAMESPACE}}
        self.create(f"namespaces/{NAME}/managedclusteraddons", "ManagedClusterAddOn", addon)

    def adopt(self) -> None:
        owner = self.old.api.call("GET", f"{OLD}/clustermanagementaddons/{chart.ADDON}")
        reference = {"apiVersion": owner["apiVersion"], "kind": owner["kind"], "name": chart.ADDON, "uid": owner["metadata"]["uid"]}
        place = f"{OLD}/namespaces/{NAME}/managedclusteraddons/{chart.ADDON}"
        self.old.api.call("PATCH", place, {"metadata": {"ownerReferences": [reference]}}, kind=MERGE_PATCH)
        told = {"type": "Configured", "status": "True", "reason": "ConfigurationsConfigured", "message": "", "lastTransitionTime": now()}
        self.old.api.call("PATCH", place + "/status", {"status": {"conditions": [told]}}, kind=MERGE_PATCH)

    def create(self, where: str, kind: str, body: dict) -> None:
        self.old.api.call("POST", f"{OLD}/{where}", {"apiVersion": "addon.open-cluster-management.io/v1alpha1", "kind": kind, **body})

    def rolls_out(self, manager: Manager) -> None:
        api = self.old.api
        work = eventually("the cluster has its work", lambda: api.get("manifestworks", WORK, NAME), of=manager.process)
        self.assertIn("cluster-proxy-proxy-agent", str(work["spec"]["workload"]["manifests"]))
        addon = lambda: api.call("GET", f"{OLD}/namespaces/{NAME}/managedclusteraddons/{chart.ADDON}")  # noqa: E731
        eventually("the cluster's registrations are told", lambda: addon().get("status", {}).get("registrations"), of=manager.process)
        signers = [one["signerName"] for one in addon()["status"]["registrations"]]
        self.assertCountEqual(signers, ["kubernetes.io/kube-apiserver-client", "open-cluster-management.io/proxy-agent-signer"])
        applied = {"type": "Applied", "status": "True", "reason": "Test", "message": "", "lastTransitionTime": now(),
                   "observedGeneration": work["metadata"]["generation"]}
        api.patch("manifestworks", WORK, {"status": {"conditions": [applied]}}, NAME, "/status")
        eventually("the add-on tells that it is applied", lambda: is_true(addon(), "ManifestApplied"), of=manager.process)
        self.assertTrue(is_true(addon(), "RegistrationApplied"), condition(addon(), "RegistrationApplied"))
        eventually("the proxy servers are there", lambda: api.get("deployments", chart.ADDON, chart.NAMESPACE), of=manager.process)
        for secret in ("proxy-server", "agent-server", "proxy-client"):
            self.assertIsNotNone(api.get("secrets", secret, chart.NAMESPACE), secret)
