"""Clusters that come, go and come back, and the end of the add-on."""

import json

from e2e.scenario import Case, pods
from harness import chart
from harness.processes import Failure, eventually

# What Kubernetes and Open Cluster Management make by themselves, or keep for a while after the reason is gone.
PASSING = {"Event", "EndpointSlice", "Endpoints", "Pod", "ReplicaSet", "ControllerRevision", "IPAddress"}
GROUP = "proxy.open-cluster-management.io"
# Definitions outlive a release, for with them would go every object and the authority.
DEFINITIONS = {f"CustomResourceDefinition {plural}.{GROUP}" for plural in ("managedproxyconfigurations", "managedproxyserviceresolvers")}
DEFINITIONS |= {f"APIService v1alpha1.{GROUP}"}


class Clusters(Case):
    def test_two_clusters_and_one_that_is_registered_again(self):
        self.install(*self.by_node_port(), clusters=("cluster1", "cluster2"))
        self.expect_working("cluster1", "cluster2")
        second = self.world.clusters["cluster2"]
        second.leave()
        eventually("the add-on of cluster2 is gone", lambda: not self.addon("cluster2"))
        self.expect_through_tunnel("cluster1")
        second.join()
        self.expect_working("cluster2")

    def test_uninstalling_leaves_nothing(self):
        self.world.join("cluster1")
        places = (self.hub, self.world.clusters["cluster1"])
        before = [objects(place) for place in places]
        self.install(*self.by_node_port())
        self.expect_working()
        self.helm.uninstall("--wait")
        eventually("the agents are gone", lambda: not pods(places[1], chart.AGENT_NAMESPACE, ""))
        allowed = [
            DEFINITIONS | {f"Namespace {chart.NAMESPACE}", f"Service {chart.NAMESPACE}/entrypoint"} | default(chart.NAMESPACE),
            {f"Namespace {chart.AGENT_NAMESPACE}"} | default(chart.AGENT_NAMESPACE),
        ]
        for place, had, may in zip(places, before, allowed, strict=True):
            self.expect_nothing_left(place, had | may)

    def expect_nothing_left(self, place, known: set[str]) -> None:
        try:
            eventually(f"{place.name} is as before", lambda: not self.left(place, known), 60)
        except Failure as late:
            raise Failure(f"{late}; there are: {', '.join(sorted(self.remaining))}") from None

    def left(self, place, known: set[str]) -> set[str]:
        self.remaining = {one for one in objects(place) - known if not one.startswith("CertificateSigningRequest")}
        return self.remaining


def default(namespace: str) -> set[str]:
    """What every namespace has."""
    return {f"ServiceAccount {namespace}/default", f"ConfigMap {namespace}/kube-root-ca.crt"}


def objects(cluster) -> set[str]:
    """Everything that the cluster has, of every kind that can be listed."""
    kinds = cluster.kubectl("api-resources", "--verbs=list", "--output=name").split()
    found = json.loads(cluster.kubectl("get", ",".join(kinds), "--all-namespaces", "--output=json", "--ignore-not-found"))
    return {label(one) for one in found["items"] if one["kind"] not in PASSING}


def label(thing: dict) -> str:
    meta = thing["metadata"]
    return f"{thing['kind']} {meta['namespace'] + '/' if 'namespace' in meta else ''}{meta['name']}"
