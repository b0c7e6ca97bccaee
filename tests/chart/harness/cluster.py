"""A real kube-apiserver with the definitions of Open Cluster Management, as a hub without anybody at work on it."""

from __future__ import annotations

import atexit
import functools
import json
import os
import pathlib
import subprocess
import tempfile
import time

import yaml

from . import helm

DEADLINE = 30  # seconds
APISERVER = helm.ROOT / "tests/peers/kube_apiserver.sh"


@functools.cache
def hub() -> Cluster:
    """The one that all tests share; it ends with them."""
    cluster = Cluster()
    cluster.start()
    atexit.register(cluster.stop)
    cluster.install_ocm()
    return cluster


class Cluster:
    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="cluster-proxy-chart-")
        self.folder = pathlib.Path(self._folder.name)
        # What helm and kubectl keep of servers would outlive this one in the caller's home.
        os.environ["KUBECACHEDIR"] = str(self.folder / "cache")

    def start(self) -> None:
        policy = helm.ROOT / "tests/chart/audit-policy.yaml"
        subprocess.run([APISERVER, "start", self.folder, "--controllers", "yes", "--audit-policy", policy], check=True)

    def stop(self) -> None:
        subprocess.run([APISERVER, "stop", self.folder], check=True)
        self._folder.cleanup()

    def kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        answer = subprocess.run([self.folder / "kubectl", *arguments], input=stdin, capture_output=True, text=True)
        if answer.returncode:
            raise helm.HelmError(answer.stderr)
        return answer.stdout

    def run_helm(self, *arguments: str, values: dict | None = None) -> str:
        where = ["--kubeconfig", str(self.folder / "admin.kubeconfig"), "-n", helm.NAMESPACE]
        given = [] if values is None else ["-f", "-"]
        return helm.helm(*arguments, *where, *given, stdin=None if values is None else yaml.safe_dump(values))

    def get(self, kind: str, name: str, namespace: str = helm.NAMESPACE) -> dict | None:
        text = self.kubectl("get", kind, name, "-n", namespace, "--ignore-not-found", "-o", "json")
        return json.loads(text) if text else None

    def apply(self, *objects: dict) -> None:
        self.kubectl("apply", "-f", "-", stdin=yaml.safe_dump_all(objects))

    def make_namespace(self) -> None:
        """That of the release, where every pod has to be admitted."""
        level = {"pod-security.kubernetes.io/enforce": "restricted", "pod-security.kubernetes.io/enforce-version": "latest"}
        self.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": helm.NAMESPACE, "labels": level}})

    def install_ocm(self) -> None:
        """The definitions only. There is no webhook to convert between versions, so the newest is what is stored."""
        definitions = list(ocm_definitions())
        self.apply(*definitions)
        names = [f"crd/{each['metadata']['name']}" for each in definitions]
        self.kubectl("wait", "--for=condition=Established", f"--timeout={DEADLINE}s", *names)

    def has_definitions(self) -> bool:
        return bool(self._definitions())

    def clean(self) -> None:
        """No release. The namespace and our definitions may stay: to remove them takes seconds."""
        if self.run_helm("list", "-q", "--all"):
            self.run_helm("uninstall", "cluster-proxy")

    def remove_namespace(self) -> None:
        self.kubectl("delete", "namespace", helm.NAMESPACE)

    def remove_definitions(self) -> None:
        if ours := self._definitions():
            self.kubectl("delete", *ours)

    def _definitions(self) -> list[str]:
        return [each for each in self.kubectl("get", "crd", "-o", "name").split() if "proxy.open-cluster-management.io" in each]

    def requests_of(self, account: str) -> list[dict]:
        """What the ServiceAccount asked for, as audit events, in order."""
        user = f"system:serviceaccount:{helm.NAMESPACE}:{account}"
        lines = (self.folder / "log/audit").read_text().splitlines()
        return [each for each in map(json.loads, lines) if each["user"].get("username") == user]

    def kubeconfig_of(self, account: str) -> pathlib.Path:
        """With a token as a pod's."""
        token = self.kubectl("create", "token", account, "-n", helm.NAMESPACE).strip()
        config = yaml.safe_load((self.folder / "admin.kubeconfig").read_text())
        config["users"] = [{"name": "user", "user": {"token": token}}]
        file = self.folder / f"{account}.kubeconfig"
        file.write_text(yaml.safe_dump(config))
        return file

    def wait(self, what: str, condition) -> None:
        """Until `condition()` is true."""
        deadline = time.monotonic() + DEADLINE
        while not condition():
            if time.monotonic() > deadline:
                raise AssertionError(f"not within {DEADLINE} s: {what}")
            time.sleep(0.1)


def ocm_definitions():
    folder = helm.PEERS / "ocm-manifests/cluster-manager/hub/crds"
    for file in sorted(folder.glob("*.yaml")):
        text = file.read_text().replace("{{ .AddonAPIServiceCABundle }}", "").replace("{{ .ClusterManagerNamespace }}", "none")
        definition = yaml.safe_load(text)
        definition["metadata"].pop("creationTimestamp", None)
        definition.pop("status", None)
        spec = definition["spec"]
        spec.pop("conversion", None)
        served = [each for each in spec["versions"] if each["served"]]
        for version in spec["versions"]:
            version["storage"] = version is served[-1]
        yield definition


def reference_chart(folder: pathlib.Path, case: str) -> pathlib.Path:
    """A chart whose objects are those recorded from the reference's, to make a release of it. Its definition lies in crds/ as the
    reference's does; ours has the same schema."""
    recorded = yaml.safe_load((helm.GOLDEN / f"{case}.yaml").read_text())
    chart = folder / f"reference-{case}"
    (chart / "templates").mkdir(parents=True)
    (chart / "crds").mkdir()
    (chart / "Chart.yaml").write_text(yaml.safe_dump({"apiVersion": "v2", "name": "cluster-proxy", "version": "0.11.0"}))
    (chart / "templates/all.yaml").write_text(yaml.safe_dump_all(recorded["objects"]))
    name = "managedproxyconfigurations.yaml"
    (chart / "crds" / name).write_text((helm.CHART / "crds" / name).read_text())
    return chart
