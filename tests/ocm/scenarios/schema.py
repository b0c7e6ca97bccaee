"""Our custom resources refuse what the reference's refuse, and fill in the same defaults."""

from harness import chart
from harness.kube import ApiError
from harness.scenario import Scenario

REFUSED = [
    ({"proxyServer": {"entrypoint": {"type": "Foo"}}}, 'spec.proxyServer.entrypoint.type: Unsupported value: "Foo"'),
    ({"proxyServer": {"entrypoint": {"type": "Hostname", "hostname": {}}}}, "spec.proxyServer.entrypoint.hostname.value: Required value"),
    ({"proxyServer": {"entrypoint": {"type": "PortForward", "port": 0}}}, "should be greater than or equal to 1"),
    ({"authentication": None}, "spec.authentication: Required value"),
    ({"authentication": {"signer": {"type": "X"}}}, 'supported values: "SelfSigned", "Provided", "CertManager"'),
    ({"proxyServer": {"image": None}}, "spec.proxyServer.image: Required value"),
    ({"proxyAgent": {"image": None}}, "spec.proxyAgent.image: Required value"),
    ({"proxyServer": {"entrypoint": {"type": None}}}, "spec.proxyServer.entrypoint.type: Required value"),
    ({"proxyServer": {"replicas": "three"}}, "must be of type integer"),
    ({"deploy": {}}, "spec.deploy.ports: Required value"),
]
NAMES = {
    "signingProxyServerSecretName": "proxy-server",
    "signingProxyClientSecretName": "proxy-client",
    "signingAgentServerSecretName": "agent-server",
}


class Schema(Scenario):
    def make(self, spec: dict) -> dict:
        body = {**chart.configuration(), "spec": spec}
        self.hub.api.delete("managedproxyconfigurations", chart.ADDON)
        return self.hub.api.create("managedproxyconfigurations", body)["spec"]

    def test_what_is_refused(self):
        self.make(chart.configuration()["spec"])
        for change, text in REFUSED:
            with self.subTest(change), self.assertRaises(ApiError) as refusal:
                self.configure(change)
            self.assertEqual(refusal.exception.code, 422)
            self.assertIn(text, str(refusal.exception))

    def test_defaults_of_what_is_given(self):
        entrypoint = {"type": "LoadBalancerService", "loadBalancerService": {}, "hostname": None}
        spec = self.make({
            "authentication": {"dump": {"secrets": {}}, "signer": {}},
            "proxyServer": {"image": "server", "entrypoint": entrypoint},
            "proxyAgent": {"image": "agent"},
            "deploy": {"ports": {}},
        })  # fmt: skip
        server = spec["proxyServer"]
        self.assertEqual(spec["authentication"], {"dump": {"secrets": NAMES}, "signer": {"type": "SelfSigned"}})
        self.assertEqual((server["replicas"], spec["proxyAgent"]["replicas"]), (3, 3))
        self.assertEqual((server["namespace"], server["inClusterServiceName"]), (chart.AGENT_NAMESPACE, "proxy-entrypoint"))
        self.assertEqual(server["entrypoint"]["port"], 8091)
        self.assertEqual(server["entrypoint"]["loadBalancerService"]["name"], "proxy-agent-entrypoint")
        self.assertEqual(spec["deploy"]["ports"], {"proxyServer": 8090, "agentServer": 8091, "healthServer": 8092, "adminServer": 8095})

    def test_no_defaults_of_what_is_absent(self):
        spec = self.make({"authentication": {}, "proxyServer": {"image": "server"}, "proxyAgent": {"image": "agent"}})
        self.assertEqual(spec["authentication"], {})
        self.assertNotIn("entrypoint", spec["proxyServer"])
        self.assertNotIn("userServer", spec)

    def test_status_and_spec_are_written_apart(self):
        self.make(chart.configuration()["spec"])
        condition = {"type": "Ready", "status": "True", "reason": "Test", "message": "", "lastTransitionTime": "2026-01-02T03:04:05Z"}
        status = {"conditions": [condition], "lastObservedGeneration": 1}
        stored = self.hub.api.patch("managedproxyconfigurations", chart.ADDON, {"status": status, "spec": {"userServer": {}}}, sub="/status")
        self.assertEqual(stored["status"], status)
        self.assertNotIn("userServer", stored["spec"])
        self.assertEqual(stored["metadata"]["generation"], 1)

    def test_resolvers_need_both_selectors(self):
        self.add_resolvers()
        body = {"apiVersion": "proxy.open-cluster-management.io/v1alpha1", "kind": "ManagedProxyServiceResolver", "metadata": {"name": "test"}}
        self.addCleanup(self.hub.api.delete, "managedproxyserviceresolvers", "test")
        with self.assertRaises(ApiError):
            self.hub.api.create("managedproxyserviceresolvers", {**body, "spec": {"serviceSelector": {}}})
        spec = {"managedClusterSelector": {"managedClusterSet": {"name": "global"}}, "serviceSelector": {"serviceRef": {"namespace": "a", "name": "b"}}}
        stored = self.hub.api.create("managedproxyserviceresolvers", {**body, "spec": spec})["spec"]
        self.assertEqual((stored["managedClusterSelector"]["type"], stored["serviceSelector"]["type"]), ("ManagedClusterSet", "ServiceRef"))
