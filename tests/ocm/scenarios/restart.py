"""The manager is killed after each step of an installation; its successor brings the installation to the same end."""

import time

from harness import chart
from harness.kube import condition, is_true
from harness.scenario import KUBE_SIGNER, OUR_SIGNER, WORK, Scenario

KINDS = [
    "secrets", "deployments", "clustermanagementaddons", "managedclusteraddons", "certificatesigningrequests", "manifestworks",
]  # fmt: skip


def owned_by_release(change, name: str) -> bool:
    return change.namespace == chart.NAMESPACE and change.name == name and change.what != "DELETED"


def hashed(change) -> bool:
    references = change.thing.get("status", {}).get("defaultConfigReferences", [])
    return change.kind == "clustermanagementaddons" and any(one.get("desiredConfig", {}).get("specHash") for one in references)


def addon_status(change) -> dict:
    return change.thing.get("status", {}) if change.kind == "managedclusteraddons" else {}


def signed_by(change, signer: str) -> bool:
    mine = change.kind == "certificatesigningrequests" and change.thing["spec"]["signerName"] == signer
    return mine and bool(change.thing.get("status", {}).get("certificate")) and chart.ADDON in change.name


STEPS = {
    "authority made": lambda change: change.kind == "secrets" and owned_by_release(change, "cluster-proxy-signer"),
    "first certificate stored": lambda change: change.kind == "secrets" and owned_by_release(change, "proxy-server"),
    "proxy server deployed": lambda change: change.kind == "deployments" and owned_by_release(change, chart.ADDON),
    "configuration hashed": hashed,
    "supported configurations written": lambda change: "supportedConfigs" in addon_status(change),
    "registrations written": lambda change: "registrations" in addon_status(change),
    "permissions given": lambda change: bool(addon_status(change)) and is_true(change.thing, "RegistrationApplied"),
    "certificate asked for": lambda change: change.kind == "certificatesigningrequests" and change.name.startswith("addon-cluster1"),
    "request approved": lambda change: change.name.startswith("addon-cluster1") and is_true(change.thing, "Approved"),
    "certificate signed by the hub": lambda change: signed_by(change, KUBE_SIGNER),
    "certificate signed by us": lambda change: signed_by(change, OUR_SIGNER),
    "work created": lambda change: change.kind == "manifestworks" and change.name == WORK,
    "work applied": lambda change: change.kind == "manifestworks" and is_true(change.thing, "Applied"),
    "manifests applied": lambda change: bool(addon_status(change)) and is_true(change.thing, "ManifestApplied"),
}


class Restart(Scenario):
    def test_killed_after_each_step(self):
        self.world.cluster("cluster1")
        wanted = self.end_of_installation(None)
        for step, reached in STEPS.items():
            with self.subTest(step):
                began = time.monotonic()
                self.assertEqual(self.end_of_installation(reached), wanted)
                self.report(f"killed after '{step}'; installed", began)

    def end_of_installation(self, reached) -> dict:
        """What an installation comes to, with the manager killed as soon as that step is seen."""
        self.install("cluster1")
        try:
            with self.record(*KINDS) as recorder:
                manager = self.start_manager()
                if reached:
                    recorder.first("the step is reached", reached)
                    self.kill_manager(manager)
                    self.start_manager()
                self.expect_completed("cluster1")
            return self.state()
        finally:
            self.clean_up()
            self.pods.clear()

    def state(self) -> dict:
        """What must not depend on the way; without what is random by nature: keys, hashes of the authority, times."""
        addon = self.addon("cluster1")
        manifests = self.work("cluster1")["spec"]["workload"]["manifests"]
        kinds = ("Configured", "RegistrationApplied", "ManifestApplied", "Progressing", "ClusterCertificateRotated")
        return {
            "conditions": {kind: (condition(addon, kind)["status"], condition(addon, kind)["reason"]) for kind in kinds},
            "manifests": [(one["kind"], one["metadata"]["name"]) for one in manifests],
            "deployment": next(one for one in manifests if one["kind"] == "Deployment")["spec"]["template"]["spec"]["containers"],
            "works": [one["metadata"]["name"] for one in self.hub.api.list("manifestworks", "cluster1")],
            "secrets": sorted(one["metadata"]["name"] for one in self.hub.api.list("secrets", chart.NAMESPACE)),
            "services": sorted(one["metadata"]["name"] for one in self.hub.api.list("services", chart.NAMESPACE)),
            "asked": sorted({one["spec"]["signerName"] for one in self.requests("cluster1")}),
        }
