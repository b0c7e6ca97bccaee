"""Our manager with the arguments and the account of its pod: what it does for a cluster needs no right that the chart does not give."""

import base64
import contextlib
import json
import os
import pathlib
import subprocess
import tempfile
import unittest

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from harness import cluster, helm, image, net

ACCOUNT = "cluster-proxy-addon-manager"
PROXY = "proxy.open-cluster-management.io/v1alpha1"
ADDON = "addon.open-cluster-management.io/v1beta1"
CLUSTER = "cluster1"
AGENT = f"system:open-cluster-management:{CLUSTER}:agent1"
INSIDE = "services,secrets,serviceaccounts,deployments,configmaps,leases,roles,rolebindings,networkpolicies,poddisruptionbudgets"
EVERYWHERE = "managedproxyconfigurations,clustermanagementaddons,clusterroles,clusterrolebindings"
# docs/install.md, Uninstall
STAYS = {
    "service/proxy-agent-entrypoint", f"lease.coordination.k8s.io/{ACCOUNT}",
    "clusterrole.rbac.authorization.k8s.io/cluster-proxy-addon-agent-tokenreview",
    "clusterrolebinding.rbac.authorization.k8s.io/cluster-proxy-addon-agent-tokenreview",
}
VALUES = {
    "featureGates": {"clusterProfile": True}, "userServer": {"enabled": True}, "replicas": 2,
    "proxyServer": {"entrypointLoadBalancer": True, "replicas": 1},
}


class Manager(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.hub = cluster.hub()
        cls.folder = pathlib.Path(cls.enterClassContext(tempfile.TemporaryDirectory(prefix="cluster-proxy-manager-test-")))

    def tearDown(self):
        self.hub.kubectl("delete", "-n", helm.NAMESPACE, *STAYS, "--ignore-not-found")
        self.hub.kubectl("delete", "namespace", CLUSTER)
        self.hub.kubectl("delete", "managedcluster", CLUSTER)

    def test_every_right_that_it_needs_is_there(self):
        self.check(VALUES, self.follow)

    def test_without_impersonation_it_asks_for_less(self):
        self.check({"enableImpersonation": False}, self.follow_without_impersonation)

    def check(self, values, follow):
        before = len(self.hub.requests_of(ACCOUNT))
        self.hub.run_helm("install", "cluster-proxy", str(helm.CHART), "--create-namespace", values=values)
        self.join_cluster()
        with self.manager() as log:
            try:
                follow()
            except AssertionError as error:
                raise AssertionError(f"{error}\n{log.read_text()[-4000:]}") from None
        requests = self.hub.requests_of(ACCOUNT)[before:]
        refused = {(each["verb"], each["requestURI"].partition("?")[0]) for each in requests
                   if each["responseStatus"]["code"] in (401, 403)}
        self.assertEqual(refused, set())
        self.hub.run_helm("uninstall", "cluster-proxy")
        self.hub.wait("all but what docs/install.md says is gone", lambda: self.left() <= STAYS)

    def left(self):
        inside = self.hub.kubectl("get", INSIDE, "-n", helm.NAMESPACE, "-o", "name").split()
        everywhere = self.hub.kubectl("get", EVERYWHERE, "-o", "name").split()
        common = {"serviceaccount/default", "configmap/kube-root-ca.crt"}
        return {each for each in inside if each not in common} | {each for each in everywhere if "cluster-proxy" in each}

    def follow_without_impersonation(self):
        def registered():
            conditions = self.hub.get("managedclusteraddon", "cluster-proxy", CLUSTER)["status"]["conditions"]
            return any((each["type"], each["status"]) == ("RegistrationApplied", "True") for each in conditions)

        self.hub.wait("the agents' Role", lambda: self.hub.get("rolebinding", "cluster-proxy-addon-agent", CLUSTER))
        self.hub.wait("RegistrationApplied", registered)
        self.assertIsNone(self.hub.get("clusterrolebinding", "cluster-proxy-addon-agent-tokenreview"))

    def follow(self):
        hub = self.hub
        hub.wait("the Service of the load balancer", lambda: hub.get("service", "proxy-agent-entrypoint"))
        address = {"status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}}}
        hub.kubectl("patch", "service", "proxy-agent-entrypoint", "-n", helm.NAMESPACE, "--subresource=status", "--type=merge", "-p", json.dumps(address))
        hub.wait("the proxy servers' Deployment", lambda: hub.get("deployment", "cluster-proxy"))
        hub.wait("the agents' Role", lambda: hub.get("rolebinding", "cluster-proxy-addon-agent", CLUSTER))
        hub.wait("the right to have tokens reviewed", lambda: hub.get("clusterrolebinding", "cluster-proxy-addon-agent-tokenreview"))
        hub.wait("the work", lambda: hub.get("manifestwork", "addon-cluster-proxy-deploy-0", CLUSTER))
        hub.wait("a signed certificate", self.enrol())
        hub.wait("the ClusterProfile's access provider", lambda: "status" in hub.get("clusterprofile", CLUSTER, CLUSTER))
        hub.wait("the resolver's condition", lambda: "status" in hub.get("managedproxyserviceresolver", "web"))
        self.check_pods()
        # Repairs: what it made and somebody removed or changed.
        for kind, name, namespace in [("secret", "proxy-server", helm.NAMESPACE), ("service", "proxy-entrypoint", helm.NAMESPACE),
                                      ("deployment", "cluster-proxy", helm.NAMESPACE), ("role", "cluster-proxy-addon-agent", CLUSTER),
                                      ("rolebinding", "cluster-proxy-addon-agent:portforward", helm.NAMESPACE)]:
            hub.kubectl("delete", kind, name, "-n", namespace)
            hub.wait(f"{kind} {name} is back", lambda: hub.get(kind, name, namespace))
        hub.run_helm("upgrade", "cluster-proxy", str(helm.CHART), values=VALUES | {"proxyServer": {"entrypointAddress": "hub.example.com"}})
        hub.wait("the new address in the work", lambda: "hub.example.com" in json.dumps(hub.get("manifestwork", "addon-cluster-proxy-deploy-0", CLUSTER)))

    def check_pods(self):
        """The pods that the manager has made, on the hub and on the managed cluster, under Pod Security `restricted`."""
        self.hub.make_namespace()
        work = self.hub.get("manifestwork", "addon-cluster-proxy-deploy-0", CLUSTER)["spec"]["workload"]["manifests"]
        deployments = [self.hub.get("deployment", "cluster-proxy"), *[each for each in work if each["kind"] == "Deployment"]]
        self.assertEqual(len(deployments), 2)
        for each in deployments:
            pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "judged", "namespace": helm.NAMESPACE},
                   "spec": each["spec"]["template"]["spec"]}
            self.hub.kubectl("create", "--dry-run=server", "-f", "-", stdin=json.dumps(pod))

    @contextlib.contextmanager
    def manager(self):
        container = self.hub.get("deployment", ACCOUNT)["spec"]["template"]["spec"]["containers"][0]
        health, metrics = net.free_ports(2)
        arguments = [*container["args"], f"--health-probe-bind-address=127.0.0.1:{health}", f"--metrics-bind-address=127.0.0.1:{metrics}"]
        program = self.folder / "manager"
        program.unlink(missing_ok=True)
        program.symlink_to(image.PROGRAM)
        environment = {"POD_NAMESPACE": helm.NAMESPACE, "KUBECONFIG": str(self.hub.kubeconfig_of(ACCOUNT)), "PATH": os.environ["PATH"]}
        log = self.folder / "manager.log"
        with log.open("w") as output:
            process = subprocess.Popen([program, *arguments], stdout=output, stderr=output, env=environment)
            try:
                yield log
            finally:
                process.terminate()
                process.wait()

    # What OCM would do for a cluster that has joined, as far as the manager waits for it.
    def join_cluster(self):
        api = "cluster.open-cluster-management.io/v1"
        self.hub.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": CLUSTER}},
                       {"apiVersion": api, "kind": "ManagedCluster", "metadata": {"name": CLUSTER}, "spec": {"hubAcceptsClient": True}})
        owner = self.hub.get("clustermanagementaddon", "cluster-proxy")
        reference = {"apiVersion": ADDON, "kind": "ClusterManagementAddOn", "name": "cluster-proxy", "uid": owner["metadata"]["uid"]}
        self.hub.apply({"apiVersion": ADDON, "kind": "ManagedClusterAddOn",
                        "spec": {}, "metadata": {"name": "cluster-proxy", "namespace": CLUSTER, "ownerReferences": [reference]}})
        status = {"status": {"conditions": [{"type": "Configured", "status": "True", "reason": "ConfigurationsConfigured", "message": "",
                                             "lastTransitionTime": "2026-01-01T00:00:00Z"}],
                             "kubeClientDriver": "csr"}}
        self.hub.kubectl("patch", "managedclusteraddon", "cluster-proxy", "-n", CLUSTER, "--subresource=status", "--type=merge", "-p", json.dumps(status))
        labels = {"x-k8s.io/cluster-manager": "open-cluster-management", "open-cluster-management.io/cluster-name": CLUSTER}
        self.hub.apply({"apiVersion": "multicluster.x-k8s.io/v1alpha1", "kind": "ClusterProfile",
                        "metadata": {"name": CLUSTER, "namespace": CLUSTER, "labels": labels},
                        "spec": {"displayName": CLUSTER, "clusterManager": {"name": "open-cluster-management"}}},
                       {"apiVersion": PROXY, "kind": "ManagedProxyServiceResolver", "metadata": {"name": "web"},
                        "spec": {"managedClusterSelector": {"type": "ManagedClusterSet", "managedClusterSet": {"name": "all"}},
                                 "serviceSelector": {"type": "ServiceRef", "serviceRef": {"namespace": "default", "name": "web"}}}})

    def enrol(self):
        """Asks for a tunnel certificate as the cluster's klusterlet does; returns whether it has one."""
        def registration():
            addon = self.hub.get("managedclusteraddon", "cluster-proxy", CLUSTER)
            return next((each["customSigner"] for each in addon["status"].get("registrations", []) if each["type"] == "customSigner"), None)

        self.hub.wait("the registration", registration)
        subject = registration()["subject"]
        request = certificate_request(subject)
        body = {"apiVersion": "certificates.k8s.io/v1", "kind": "CertificateSigningRequest",
                "metadata": {"generateName": f"addon-{CLUSTER}-cluster-proxy-",
                             "labels": {"open-cluster-management.io/cluster-name": CLUSTER, "open-cluster-management.io/addon-name": "cluster-proxy"}},
                "spec": {"signerName": registration()["signerName"], "request": base64.b64encode(request).decode(),
                         "usages": ["digital signature", "key encipherment", "client auth"]}}
        role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "test-agent"},
                "rules": [{"apiGroups": ["certificates.k8s.io"], "resources": ["certificatesigningrequests"], "verbs": ["create", "get"]}]}
        binding = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": "test-agent"},
                   "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "test-agent"},
                   "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": AGENT}]}
        self.hub.apply(role, binding)
        made = json.loads(self.hub.kubectl("create", f"--as={AGENT}", "-o", "json", "-f", "-", stdin=yaml.safe_dump(body)))
        return lambda: "certificate" in self.hub.get("csr", made["metadata"]["name"]).get("status", {})


def certificate_request(subject):
    """Not by openssl, which holds an organizational unit to 64 characters; the signer's has 95."""
    names = [(NameOID.ORGANIZATION_NAME, subject["groups"]), (NameOID.ORGANIZATIONAL_UNIT_NAME, subject["organizationUnits"]),
             (NameOID.COMMON_NAME, [subject["user"]])]
    name = x509.Name([x509.NameAttribute(kind, value) for kind, values in names for value in values])
    builder = x509.CertificateSigningRequestBuilder().subject_name(name)
    return builder.sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
