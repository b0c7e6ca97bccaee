"""The commands of docs/install.md and docs/upgrade.md, in their order, as a person would type them."""

import os
import pathlib
import re
import subprocess
import tempfile
import unittest

import yaml

from harness import cluster, helm

# They need pods, a registry or an engine.
NOT_HERE = re.compile(r"rollout status|helm test|^(skopeo|podman|ctr|openssl) ")
KNOWN = {"Ingress", "Service"}  # kinds of an API server by itself


def blocks(page, language):
    return re.findall(rf"^```{language}\n(.*?)^```", (helm.ROOT / "docs" / page).read_text(), re.MULTILINE | re.DOTALL)


def commands(page):
    for block in blocks(page, "sh"):
        for line in block.replace("\\\n", "").splitlines():
            if line.strip() and not NOT_HERE.search(line):
                yield line


class Docs(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.hub = cluster.hub()
        cls.folder = pathlib.Path(cls.enterClassContext(tempfile.TemporaryDirectory(prefix="cluster-proxy-docs-test-")))
        (cls.folder / "charts").symlink_to(helm.ROOT / "charts")

    def setUp(self):
        self.hub.clean()
        self.addCleanup(self.hub.clean)

    def run_command(self, line):
        environment = {**os.environ, "PATH": f"{helm.PEERS}:{os.environ['PATH']}", "KUBECONFIG": str(self.hub.folder / "admin.kubeconfig")}
        answer = subprocess.run(["bash", "-o", "pipefail", "-c", line], cwd=self.folder, env=environment, capture_output=True, text=True)
        self.assertEqual(answer.returncode, 0, f"{line}\n{answer.stderr}")

    def make_secrets(self):
        """The manager's work, which nobody does here."""
        self.addCleanup(self.hub.kubectl, "delete", "secrets", "--all", "-n", helm.NAMESPACE)
        for name, keys in {"proxy-client": ["tls.crt", "tls.key"], "proxy-server-ca": ["ca.crt"]}.items():
            self.hub.apply({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": helm.NAMESPACE},
                            "stringData": dict.fromkeys(keys, "content")})

    def test_install(self):
        lines = list(commands("install.md"))
        self.assertGreaterEqual(sum(line.startswith("helm install") for line in lines), 3)
        for line in lines:
            if line.startswith("helm install"):
                self.hub.clean()
            if "secret" in line:
                self.make_secrets()
            self.run_command(line)
        self.assertIsNone(self.hub.get("managedproxyconfiguration", "cluster-proxy") if self.hub.has_definitions() else None)

    def test_upgrade(self):
        self.hub.run_helm("install", "cluster-proxy", str(cluster.reference_chart(self.hub.folder, "n7-restart-and-n6-leader")), "--create-namespace")
        for line in commands("upgrade.md"):
            self.run_command(line.replace("REVISION", "1"))
        self.assertIn("take-ownership", "".join(commands("upgrade.md")))

    def test_manifests(self):
        self.hub.make_namespace()
        manifests = [each for block in blocks("install.md", "yaml") for each in yaml.safe_load_all(block)]
        self.assertGreaterEqual({each["kind"] for each in manifests}, KNOWN)
        for each in manifests:
            if each["kind"] in KNOWN:
                self.hub.kubectl("apply", "--dry-run=server", "--validate=strict", "-f", "-", stdin=yaml.safe_dump(each))
