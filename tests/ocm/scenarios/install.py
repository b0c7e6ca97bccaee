"""From the chart to an available add-on: the sequence that Open Cluster Management and the manager go through together."""

import json
import subprocess
import time

from harness import chart
from harness.kube import condition, is_true, secret_value
from harness.processes import eventually
from harness.scenario import KUBE_SIGNER, OUR_SIGNER, Scenario

CONFIGS = [
    {"group": "proxy.open-cluster-management.io", "resource": "managedproxyconfigurations"},
    {"group": "addon.open-cluster-management.io", "resource": "addondeploymentconfigs"},
]
DEPLOYED = [
    ("ClusterRole", "cluster-proxy-addon-agent-impersonator"),
    ("ClusterRoleBinding", "cluster-proxy-addon-agent-impersonator:open-cluster-management-cluster-proxy"),
    ("Deployment", "cluster-proxy-proxy-agent"),
    ("Namespace", chart.AGENT_NAMESPACE),
    ("Role", "cluster-proxy-addon-agent"),
    ("RoleBinding", "cluster-proxy-addon-agent"),
    ("Secret", "cluster-proxy-ca"),
    ("Service", "cluster1"),
    ("ServiceAccount", "cluster-proxy"),
]
HASHES = "open-cluster-management.io/config-spec-hash"


class Install(Scenario):
    def test_one_cluster_is_rolled_out(self):
        self.install("cluster1")
        began = time.monotonic()
        self.start_manager()
        self.expect_completed("cluster1")
        self.report("rolled out after", began)
        addon = self.addon("cluster1")
        self.assertEqual(addon["status"]["supportedConfigs"], CONFIGS)
        self.assertEqual(addon["status"]["namespace"], chart.AGENT_NAMESPACE)
        self.check_registrations(addon)
        self.check_hashes(addon)
        self.check_work()

    def test_a_kind_that_an_older_chart_left_behind_is_no_hindrance(self):
        """The reference's newer chart gives no right to read it."""
        self.add_resolvers()
        self.install("cluster1")
        self.start_manager()
        self.expect_completed("cluster1")

    def check_registrations(self, addon: dict) -> None:
        kube, ours = addon["status"]["registrations"]
        self.assertEqual(kube["kubeClient"]["subject"]["user"], "open-cluster-management:cluster-proxy:addon-agent")
        self.assertEqual(kube["kubeClient"]["driver"], "csr")
        self.assertEqual(ours["customSigner"]["signerName"], OUR_SIGNER)
        unit = ours["customSigner"]["subject"]["organizationUnits"][0]
        self.assertEqual((unit[:7], len(unit)), ("signer-", 95))

    def check_hashes(self, addon: dict) -> None:
        """One hash, in four places."""
        manager = self.hub.api.get("clustermanagementaddons", chart.ADDON)["status"]
        wanted = manager["defaultConfigReferences"][0]["desiredConfig"]["specHash"]
        self.assertRegex(wanted, "^[0-9a-f]{64}$")
        placed = manager["installProgressions"][0]["configReferences"][0]
        self.assertEqual(placed["desiredConfig"]["specHash"], wanted)
        self.assertEqual(addon["status"]["configReferences"][0]["lastAppliedConfig"]["specHash"], wanted)
        hashes = json.loads(self.work("cluster1")["metadata"]["annotations"][HASHES])
        self.assertEqual(list(hashes.values()), [wanted])

    def check_work(self) -> None:
        work = self.work("cluster1")
        manifests = [(one["kind"], one["metadata"]["name"]) for one in work["spec"]["workload"]["manifests"]]
        self.assertEqual(sorted(manifests), DEPLOYED)
        owner = work["metadata"]["ownerReferences"]
        self.assertEqual([(one["kind"], one["name"], one["controller"]) for one in owner], [("ManagedClusterAddOn", chart.ADDON, True)])

    def all_issued(self, cluster: str) -> bool:
        requests = self.requests(cluster)
        return len(requests) > 1 and all(one.get("status", {}).get("certificate") for one in requests)

    def test_two_clusters_ask_for_two_certificates_each(self):
        self.install("cluster1", "cluster2")
        self.start_manager()
        self.expect_completed("cluster1", "cluster2")
        for cluster in ("cluster1", "cluster2"):
            eventually(f"{cluster} has all certificates that it asked for", lambda name=cluster: self.all_issued(name))
            requests = self.requests(cluster)
            self.assertEqual(sorted(one["spec"]["signerName"] for one in requests), [KUBE_SIGNER, OUR_SIGNER], cluster)
            for request in requests:
                self.assertEqual(condition(request, "Approved")["reason"], "AutoApprovedByHubCSRApprovingController")

    def test_the_manager_conditions_tell_what_is_there(self):
        self.install("cluster1")
        self.start_manager()
        self.expect_completed("cluster1")
        configuration = self.hub.api.get("managedproxyconfigurations", chart.ADDON)
        for kind in ("ProxyServerDeployed", "ProxyServerSecretSigned", "AgentServerSecretSigned"):
            self.assertTrue(is_true(configuration, kind), kind)
        authority = self.world.logs / "authority.crt"
        authority.write_bytes(secret_value(self.hub.api.get("secrets", "proxy-server-ca", chart.NAMESPACE), "ca.crt"))
        for name in ("proxy-server", "agent-server", "proxy-client"):
            certificate = self.world.logs / f"{name}.crt"
            certificate.write_bytes(secret_value(self.hub.api.get("secrets", name, chart.NAMESPACE), "tls.crt"))
            subprocess.run(["openssl", "verify", "-CAfile", authority, certificate], check=True, capture_output=True)


class Available(Scenario):
    def test_our_programs_make_two_clusters_available(self):
        self.install("cluster1", "cluster2")
        began = time.monotonic()
        self.start_manager()
        self.start_proxy_server()
        for cluster in ("cluster1", "cluster2"):
            self.start_agents(cluster)
        self.expect_available("cluster1", "cluster2")
        self.report("available after", began)
        for cluster in ("cluster1", "cluster2"):
            labels = self.hub.api.get("managedclusters", cluster)["metadata"]["labels"]
            self.assertEqual(labels["feature.open-cluster-management.io/addon-cluster-proxy"], "available")
            self.assertEqual(self.world.namespaces_through_tunnel(cluster), self.world.namespaces(cluster))

    def test_port_forward_through_the_hub_needs_no_address(self):
        self.install("cluster1", configured=chart.configuration())
        self.start_manager()
        self.start_proxy_server()
        self.start_kubelet("cluster-proxy-0", 8091)
        self.start_agents("cluster1")
        self.expect_available("cluster1")
        self.assertEqual(self.world.namespaces_through_tunnel("cluster1"), self.world.namespaces("cluster1"))


