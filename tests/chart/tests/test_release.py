"""Install, upgrade, rollback and uninstall with the real helm against a real API server; and from the reference and back."""

import json
import re
import subprocess
import unittest

import yaml

from harness import cluster, helm

CRD = "managedproxyconfigurations.proxy.open-cluster-management.io"
MANAGER = "cluster-proxy-addon-manager"
KINDS = ("serviceaccounts,services,configmaps,deployments,roles,rolebindings,networkpolicies,poddisruptionbudgets,placements,"
         "managedclustersetbindings")
CLUSTER_KINDS = "managedproxyconfigurations,clustermanagementaddons,clusterroles,clusterrolebindings"


class Release(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.hub = cluster.hub()

    def setUp(self):
        self.hub.clean()
        self.addCleanup(self.hub.clean)

    def install(self, chart=helm.CHART, values=None, *arguments):
        return self.hub.run_helm("install", "cluster-proxy", str(chart), "--create-namespace", *arguments, values=values or {})

    def upgrade(self, values=None, *arguments):
        return self.hub.run_helm("upgrade", "cluster-proxy", str(helm.CHART), *arguments, values=values or {})

    def account_of_manager(self):
        pod = self.hub.get("deployment", MANAGER)["spec"]["template"]["spec"]
        self.assertEqual(pod["serviceAccount"], pod["serviceAccountName"])
        return pod["serviceAccountName"]

    def names(self):
        """Everything that is there of the add-on, the built-in objects of the namespace apart."""
        inside = self.hub.kubectl("get", KINDS, "-n", helm.NAMESPACE, "-o", "name").split()
        everywhere = self.hub.kubectl("get", CLUSTER_KINDS, "-o", "name").split()
        return {each for each in inside + everywhere if "cluster-proxy" in each or "global" in each}

    def test_install_and_uninstall(self):
        everything = {"replicas": 2, "enableServiceProxy": True, "networkPolicies": {"enabled": True},
                      "exposedServices": [{"namespace": "a", "service": "b"}]}
        notes = self.install(values=everything)
        self.assertIn("is installed in", notes)
        self.assertEqual(self.account_of_manager(), MANAGER)
        self.hub.run_helm("uninstall", "cluster-proxy")
        self.hub.wait("everything is gone", lambda: not self.names())
        self.assertIsNotNone(self.hub.get("crd", CRD), "with the definition would go every configuration and the authority")

    def test_upgrade_and_rollback_change_what_they_should(self):
        self.install()
        self.upgrade({"replicas": 2, "proxyServer": {"entrypointAddress": "hub.example.com"}})
        self.assertEqual(self.entrypoint()["type"], "Hostname")
        self.assertIsNotNone(self.hub.get("poddisruptionbudget", MANAGER))
        self.hub.run_helm("rollback", "cluster-proxy", "1")
        self.assertEqual(self.entrypoint(), {"type": "PortForward", "port": 8091})
        self.assertIsNone(self.hub.get("poddisruptionbudget", MANAGER))

    def entrypoint(self):
        return self.hub.get("managedproxyconfiguration", "cluster-proxy")["spec"]["proxyServer"]["entrypoint"]

    def test_takes_over_a_release_of_the_reference_and_gives_it_back(self):
        for case in ("a-default", "h-serviceproxy"):
            with self.subTest(case):
                self.take_over_and_give_back(case)
                self.hub.clean()

    def take_over_and_give_back(self, case):
        values = yaml.safe_load((helm.GOLDEN / f"{case}.yaml").read_text())["values"]
        self.install(cluster.reference_chart(self.hub.folder, case))
        self.reconciled_by_the_reference()
        before = self.names()
        identity = self.hub.get("managedproxyconfiguration", "cluster-proxy")["metadata"]["uid"]
        selectors = self.selectors()
        self.assertEqual(self.account_of_manager(), "cluster-proxy")

        self.upgrade(values)
        self.assertEqual(self.account_of_manager(), MANAGER)
        self.assertGreater(self.names(), before, "an object of the reference is gone")
        self.assertEqual(self.selectors(), selectors)
        # The authority and all certificates are owned by this very object.
        self.assertEqual(self.hub.get("managedproxyconfiguration", "cluster-proxy")["metadata"]["uid"], identity)
        self.assertFalse(self.may("cluster-proxy", "get", "secrets"), "the proxy servers keep the manager's rights")
        self.assertTrue(self.may(MANAGER, "get", "secrets"))

        self.hub.run_helm("rollback", "cluster-proxy", "1")
        self.assertEqual(self.account_of_manager(), "cluster-proxy")
        self.assertEqual(self.names(), before)
        self.assertEqual(self.hub.get("managedproxyconfiguration", "cluster-proxy")["metadata"]["uid"], identity)
        self.assertNotIn("automountServiceAccountToken", self.hub.get("serviceaccount", "cluster-proxy"))
        self.assertTrue(self.may("cluster-proxy", "get", "secrets"))

    def selectors(self):
        deployments = json.loads(self.hub.kubectl("get", "deployments", "-n", helm.NAMESPACE, "-o", "json"))["items"]
        return {each["metadata"]["name"]: each["spec"]["selector"] for each in deployments}

    def reconciled_by_the_reference(self):
        """Its manager replaces the chart's ServiceAccount: Helm's marks are gone, and the configuration owns it."""
        owner = self.hub.get("managedproxyconfiguration", "cluster-proxy")
        reference = {"apiVersion": owner["apiVersion"], "kind": owner["kind"], "name": "cluster-proxy", "uid": owner["metadata"]["uid"]}
        account = self.hub.get("serviceaccount", "cluster-proxy")
        account["metadata"] = {key: account["metadata"][key] for key in ("name", "namespace", "resourceVersion")}
        account["metadata"]["ownerReferences"] = [reference]
        self.hub.kubectl("replace", "-f", "-", stdin=yaml.safe_dump(account))

    def may(self, account, verb, what):
        asked = ["auth", "can-i", verb, what, "-n", helm.NAMESPACE, f"--as=system:serviceaccount:{helm.NAMESPACE}:{account}"]
        answer = subprocess.run([self.hub.folder / "kubectl", *asked], capture_output=True, text=True)
        return answer.stdout.strip() == "yes"

    def test_upgrades_update_definitions_that_belong_to_the_release(self):
        self.hub.remove_definitions()
        self.addCleanup(self.hub.remove_definitions)
        self.install()
        self.assertNotIn("annotations", self.hub.get("crd", CRD)["metadata"])
        self.spoil_definition()
        self.upgrade()
        self.assertTrue(self.is_spoilt(), "nobody said that the definition is the release's")
        with self.assertRaisesRegex(helm.HelmError, "cannot be imported into the current release"):
            self.upgrade({"crds": {"manage": "always"}})
        self.upgrade({"crds": {"manage": "always"}}, "--take-ownership")
        self.assertFalse(self.is_spoilt())

        self.spoil_definition()
        self.upgrade()
        self.assertFalse(self.is_spoilt(), "auto, and it is the release's")
        identity = self.hub.get("crd", CRD)["metadata"]["uid"]
        self.hub.run_helm("rollback", "cluster-proxy", "1")
        self.hub.run_helm("uninstall", "cluster-proxy")
        self.assertEqual(self.hub.get("crd", CRD)["metadata"]["uid"], identity)

    def spoil_definition(self):
        """As an older version would have it: a field less."""
        where = "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/proxyAgent/properties/additionalArgs"
        self.hub.kubectl("patch", "crd", CRD, "--type=json", "-p", json.dumps([{"op": "remove", "path": where}]))

    def is_spoilt(self):
        schema = self.hub.get("crd", CRD)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
        return "additionalArgs" not in schema["properties"]["spec"]["properties"]["proxyAgent"]["properties"]

    # Helm would take the defaults of the old chart for those of the new one.
    def test_values_kept_whole_are_refused_with_the_way_out(self):
        chart = cluster.reference_chart(self.hub.folder, "b-hostname")
        (chart / "values.yaml").write_text("registry: quay.io/open-cluster-management\n")
        self.install(chart, {"proxyServer": {"entrypointAddress": "proxy.hub.example.com"}})
        with self.assertRaisesRegex(helm.HelmError, "Use --reset-then-reuse-values"):
            self.hub.run_helm("upgrade", "cluster-proxy", str(helm.CHART), "--reuse-values")
        self.hub.run_helm("upgrade", "cluster-proxy", str(helm.CHART), "--reset-then-reuse-values")
        self.assertEqual(self.entrypoint()["hostname"], {"value": "proxy.hub.example.com"})

    def test_no_hub_is_said(self):
        self.addCleanup(self.hub.install_ocm)
        for each in cluster.ocm_definitions():
            self.hub.kubectl("delete", "crd", each["metadata"]["name"], "--wait")
        with self.assertRaises(helm.HelmError) as refused:
            self.install()
        self.assertIn("this cluster is no hub", str(refused.exception))
        self.assertIn("clusteradm init", str(refused.exception))

    def apply_definitions(self):
        """A dry run makes none, and then does not know their kinds."""
        self.hub.apply(*[yaml.safe_load(each.read_text()) for each in (helm.CHART / "crds").glob("*.yaml")])
        self.hub.kubectl("wait", "--for=condition=Established", "--timeout=30s", f"crd/{CRD}")

    def test_notes_tell_the_next_step_of_each_entrypoint(self):
        self.apply_definitions()
        steps = {
            "PortForward": ({}, "Nothing to open"),
            "LoadBalancerService": ({"entrypointLoadBalancer": True}, "get service proxy-agent-entrypoint"),
            "Hostname": ({"entrypointAddress": "hub.example.com", "port": 443}, "Lead hub.example.com:443 to Service"),
        }
        for kind, (server, step) in steps.items():
            with self.subTest(kind):
                notes = self.notes({"proxyServer": server})
                self.assertIn(step, notes)
                self.assertIn(f"by {kind}", notes)

    def test_notes_tell_what_has_no_effect(self):
        self.apply_definitions()
        self.assertIn("exposedServices has no effect", self.notes({"exposedServices": [{"namespace": "a", "service": "b"}]}))
        self.assertIn("no Service is exposed", self.notes({"enableServiceProxy": True}))
        self.assertIn("push it to a registry", self.notes({}))
        self.assertNotIn("NOTE", self.notes({"registry": "r.example.com"}))

    def notes(self, values):
        text = self.install(helm.CHART, values, "--dry-run=client").partition("NOTES:")[2]
        return re.sub(r"\s+", " ", text)
