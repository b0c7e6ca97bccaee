"""What a real API server lets each account do, beside the tables of docs/security.md: no more and no less."""

import re
import unittest

from harness import cluster, helm, tables

PAGE = (helm.ROOT / "docs/security.md").read_text()
ELSEWHERE = "default"
OPTIONS = {
    "enableImpersonation": {"enableImpersonation": True},
    "featureGates.clusterProfile": {"featureGates": {"clusterProfile": True}},
}


class Permissions(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.hub = cluster.hub()
        cls.hub.make_namespace()
        cls.everybody = cls.allowed("nobody", helm.NAMESPACE)

    @classmethod
    def tearDownClass(cls):
        cls.hub.kubectl("delete", "clusterroles,clusterrolebindings", "-l", "app.kubernetes.io/name=cluster-proxy")
        cls.hub.remove_namespace()

    @classmethod
    def allowed(cls, account, namespace):
        """(resource, name, verb) for all that the account may do in the namespace."""
        user = f"system:serviceaccount:{helm.NAMESPACE}:{account}"
        listing = cls.hub.kubectl("auth", "can-i", "--list", "-n", namespace, f"--as={user}")
        rows = re.findall(r"^(\S+)\s+\[.*?\]\s+\[(.*?)\]\s+\[(.*?)\]$", listing, re.MULTILINE)
        return {(resource, name, verb) for resource, names, verbs in rows
                for name in names.split() or [""] for verb in verbs.split()}

    def check(self, account, values, options):
        objects = [each for each in helm.render(values) if each["kind"] in ("ServiceAccount", "ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding")]
        self.hub.apply(*objects)
        everywhere, inside = tables.rights(PAGE, account, options)
        self.assertEqual(self.own(account, ELSEWHERE), everywhere)
        self.assertEqual(self.own(account, helm.NAMESPACE), everywhere | inside)

    def own(self, account, namespace):
        mine = self.allowed(account, namespace) - self.everybody
        # The manager names it in a rule of its own; everybody has it on an ordinary hub.
        shared = {each for each in self.everybody if each[0] == "selfsubjectaccessreviews.authorization.k8s.io"}
        return mine | shared if account == "cluster-proxy-addon-manager" else mine

    def test_manager_with_every_option(self):
        self.check("cluster-proxy-addon-manager", merged(*OPTIONS.values()), set(OPTIONS))

    def test_manager_with_no_option(self):
        self.check("cluster-proxy-addon-manager", {"enableImpersonation": False}, set())

    def test_manager_with_defaults(self):
        self.check("cluster-proxy-addon-manager", {}, {"enableImpersonation"})

    def test_https_entry(self):
        self.check("cluster-proxy-addon-user", {"enableServiceProxy": True}, set())

    def test_proxy_servers_have_none(self):
        self.hub.apply(*helm.render({})[:1])
        self.assertEqual(self.own("cluster-proxy", helm.NAMESPACE), set())

    def test_manager_in_an_additional_namespace(self):
        self.hub.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "elsewhere"}})
        self.addCleanup(self.hub.kubectl, "delete", "namespace", "elsewhere")
        account = "cluster-proxy-addon-manager"
        self.check(account, {"proxyServer": {"additionalNamespaces": ["elsewhere"]}}, {"enableImpersonation"})
        self.assertEqual(self.own(account, "elsewhere"), self.own(account, helm.NAMESPACE))


def merged(*parts):
    return {key: value for part in parts for key, value in part.items()}
