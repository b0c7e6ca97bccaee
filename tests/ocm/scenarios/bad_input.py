"""Input that cannot be served is answered where its author looks, and disturbs nothing that is installed."""

import base64
import json
import re
import tempfile

from harness import chart
from harness.kube import Api, condition, is_true
from harness.processes import eventually, run
from harness.scenario import HOSTNAME, KUBE_SIGNER, OUR_SIGNER, Scenario

AGENT_GROUP = "open-cluster-management:cluster-proxy"
AGENT_USER = f"{AGENT_GROUP}:addon-agent"
USAGES = ["digital signature", "key encipherment", "client auth"]
GENERATION = re.compile(r'"proxy.open-cluster-management.io/configuration-generation": "[0-9]+"')
ADC = {"group": "addon.open-cluster-management.io", "resource": "addondeploymentconfigs"}


class Installed(Scenario):
    """An installation that must stay as it is."""

    def setUp(self):
        super().setUp()
        self.install("cluster1")
        self.manager = self.start_manager()
        self.expect_completed("cluster1")
        self.before = self.state()

    def state(self) -> dict:
        """What runs, but for the note from which generation of the configuration it is."""
        hub = [self.hub.api.get(plural, name, chart.NAMESPACE) for plural, name in (("deployments", chart.ADDON), ("services", "proxy-entrypoint"))]
        managed = self.world.cluster("cluster1").api.get("deployments", "cluster-proxy-proxy-agent", chart.AGENT_NAMESPACE)
        certificates = [self.hub.api.get("secrets", name, chart.NAMESPACE)["data"] for name in ("proxy-server", "agent-server", "proxy-client")]
        specs = [GENERATION.sub("", json.dumps(one["spec"], sort_keys=True)) for one in (*hub, managed)]
        return {"specs": specs, "certificates": certificates}

    def expect_undisturbed(self) -> None:
        self.assertTrue(self.manager.process.alive(), self.manager.process.last_words())
        self.assertEqual(self.state(), self.before)


class Configuration(Installed):
    def test_what_the_schema_lets_through(self):
        """Each is told in a condition that names the field, and taken back."""
        cases = {
            "entrypoint": {"entrypoint": None},
            "hostname": {"entrypoint": {"type": "Hostname", "hostname": None}},
            "loadBalancerService": {"entrypoint": {"type": "LoadBalancerService", "hostname": None, "loadBalancerService": None}},
        }
        for field, change in cases.items():
            with self.subTest(field):
                self.configure({"proxyServer": change})
                eventually(f"a condition speaks of {field}", lambda f=field: self.complaint(f))
                self.expect_undisturbed()
                self.configure({"proxyServer": {"entrypoint": {**HOSTNAME, "loadBalancerService": None}}})
                eventually("no condition complains", lambda f=field: not self.complaint(f))

    def complaint(self, field: str) -> bool:
        found = self.hub.api.get("managedproxyconfigurations", chart.ADDON)["status"]["conditions"]
        return any(one["status"] == "False" and field in one["message"] for one in found)


class DeploymentConfig(Installed):
    def refer(self, name: str, resource: dict | None = None) -> None:
        reference = {**(resource or ADC), "namespace": "cluster1", "name": name}
        self.hub.api.patch("managedclusteraddons", chart.ADDON, {"spec": {"configs": [reference]}}, "cluster1")

    def make(self, name: str, spec: dict) -> None:
        self.hub.api.create("addondeploymentconfigs", {
            "apiVersion": "addon.open-cluster-management.io/v1beta1", "kind": "AddOnDeploymentConfig", "metadata": {"name": name, "namespace": "cluster1"},
            "spec": {"agentInstallNamespace": chart.AGENT_NAMESPACE, **spec},
        }, "cluster1")  # fmt: skip
        self.addCleanup(self.hub.api.delete, "addondeploymentconfigs", name, "cluster1")

    def expect_refused(self, text: str) -> None:
        def told() -> bool:
            found = condition(self.addon("cluster1"), "ManifestApplied")
            refused = found.get("status") == "False" and found["reason"] == "ManifestWorkApplyFailed"
            return refused and found["message"].startswith("failed to get manifest from agent interface: ") and text in found["message"]

        eventually(f"ManifestApplied is False because of {text}", told)
        self.expect_undisturbed()
        self.hub.api.patch("managedclusteraddons", chart.ADDON, {"spec": {"configs": None}}, "cluster1")
        self.expect_completed("cluster1")

    def test_that_does_not_exist(self):
        self.refer("missing")
        self.expect_refused("hash is empty")

    def test_with_a_variable_of_the_wrong_type(self):
        self.make("words", {"customizedVariables": [{"name": "includeNamespaceCreation", "value": "no"}]})
        self.refer("words")
        self.expect_refused("/includeNamespaceCreation")

    def test_with_replicas_that_are_no_number(self):
        self.make("replicas", {"customizedVariables": [{"name": "replicas", "value": "many"}]})
        self.refer("replicas")
        self.expect_refused("replicas")

    def test_of_a_kind_that_is_not_supported(self):
        self.refer("other", {"group": "", "resource": "configmaps"})
        told = lambda: condition(self.addon("cluster1"), "Progressing").get("reason") == "ConfigurationUnsupported"  # noqa: E731
        eventually("Progressing says that the kind is not supported", told)
        self.expect_undisturbed()


class Requests(Installed):
    """Certificates that the cluster's own agent asks for, with all its rights, and must not get."""

    def test_only_the_registered_identity_is_approved(self):
        user = f"/O={AGENT_GROUP}/CN={AGENT_USER}"
        evil = {
            "other-user": (KUBE_SIGNER, f"/O={AGENT_GROUP}/CN=cluster-admin-wannabe", USAGES),
            "other-group": (KUBE_SIGNER, f"/O=other-group/CN={AGENT_USER}", USAGES),
            "one-group-more": (KUBE_SIGNER, f"/O=other-group{user}", USAGES),
            "tunnel-for-another": (OUR_SIGNER, f"/O={AGENT_GROUP}/CN=someone-else", USAGES),
            "without-unit": (OUR_SIGNER, f"/O={AGENT_GROUP}/CN={AGENT_GROUP}:proxy-agent", USAGES),
            "as-a-server": (OUR_SIGNER, f"/O={AGENT_GROUP}/CN={AGENT_GROUP}:proxy-agent", ["digital signature", "server auth"]),
            "unknown-signer": ("example.com/unknown", user, USAGES),
        }
        for name, (signer, subject, usages) in evil.items():
            self.ask(name, signer, subject, usages)
        good = self.ask("good", KUBE_SIGNER, user, USAGES)
        eventually("the one that is right is approved", lambda: is_true(self.request(good), "Approved"))
        for name in evil:
            self.assertFalse(is_true(self.request(f"addon-{name}"), "Approved"), name)
            self.assertFalse(self.request(f"addon-{name}").get("status", {}).get("certificate"), name)
        eventually("an event tells of a refusal", lambda: any("addon-other-user" in json.dumps(event) for event in self.hub.api.list("events", "default")))
        self.expect_undisturbed()

    def test_what_is_no_request_is_left_alone(self):
        """Labels and names that the manager does not answer for."""
        user = f"/O={AGENT_GROUP}/CN={AGENT_USER}"
        self.ask("not-labelled", KUBE_SIGNER, user, USAGES, labels={})
        self.ask("other-add-on", KUBE_SIGNER, user, USAGES, labels={"open-cluster-management.io/addon-name": "other"})
        self.ask("no-such-cluster", KUBE_SIGNER, user, USAGES, labels=labels("cluster9"))
        good = self.ask("good", KUBE_SIGNER, user, USAGES)
        eventually("the one that is right is approved", lambda: is_true(self.request(good), "Approved"))
        for name in ("not-labelled", "other-add-on", "no-such-cluster"):
            self.assertFalse(self.request(f"addon-{name}").get("status", {}).get("conditions"), name)
        self.expect_undisturbed()

    def request(self, name: str) -> dict:
        return self.hub.api.get("certificatesigningrequests", name)

    def ask(self, name: str, signer: str, subject: str, usages: list[str], **metadata) -> str:
        """As cluster1's registration agent; returns the request's name."""
        folder = self.world.cluster("cluster1").folder / "hub-credentials"
        agent = Api(self.hub.address(), self.hub.pki / "ca.crt", folder / "tls.crt", folder / "tls.key")
        body = {
            "apiVersion": "certificates.k8s.io/v1",
            "kind": "CertificateSigningRequest",
            "metadata": {"name": f"addon-{name}", "labels": labels("cluster1"), **metadata},
            "spec": {"request": request_for(subject), "signerName": signer, "usages": usages},
        }
        self.addCleanup(self.hub.api.delete, "certificatesigningrequests", f"addon-{name}")
        return agent.create("certificatesigningrequests", body)["metadata"]["name"]


def labels(cluster: str) -> dict:
    return {"open-cluster-management.io/addon-name": chart.ADDON, "open-cluster-management.io/cluster-name": cluster}


def request_for(subject: str) -> str:
    """A PKCS #10 request, as the API takes it."""
    with tempfile.NamedTemporaryFile() as key:
        name = f"subjectAltName=DNS:{chart.ADDON}.addon.open-cluster-management.io"
        new = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key.name]
        return base64.b64encode(run("openssl", "req", "-new", *new, "-subj", subject, "-addext", name).encode()).decode()
