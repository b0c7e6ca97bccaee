"""Runs a container of a live Deployment as a process, as its pod would: the container's command, arguments and environment,
Secrets and ConfigMaps where they are mounted, the ServiceAccount's token, and the names that the cluster's DNS would know.

Volumes are kept as a kubelet keeps them (a link to the current set of files, exchanged as one), so that refresh() shows the
program a rotated Secret.
"""

from __future__ import annotations

import base64
import dataclasses
import itertools
import pathlib
import shutil

from .cluster import Cluster
from .hub import HERE
from .kube import path
from .network import Place
from .processes import Failure, Process, eventually

numbers = itertools.count(1)
TOKEN_SECONDS = 3600
API_SERVICE = "kubernetes.default.svc.cluster.local"


@dataclasses.dataclass
class Origin:
    """Which container: of the Deployment `deployment` in `namespace` of `cluster`."""

    cluster: Cluster
    namespace: str
    deployment: str
    container: str


class Pod:
    """The process of one container. Containers of one pod share a place."""

    def __init__(self, origin: Origin, place: Place, program: pathlib.Path, logs: pathlib.Path):
        self.origin, self.place = origin, place
        self.name = f"{origin.deployment}-{next(numbers)}"
        self.root = origin.cluster.folder / "pods" / f"{self.name}-{origin.container}"
        template = eventually(f"Deployment {origin.deployment} exists", self._deployment)["spec"]["template"]["spec"]
        self.container = next(one for one in template["containers"] if one["name"] == origin.container)
        self.volumes = {volume["name"]: volume for volume in template.get("volumes", [])}
        self.account = template.get("serviceAccountName") or template.get("serviceAccount") or "default"
        self.aliases = template.get("hostAliases", [])
        self.renew_account()
        self._write_hosts()
        self.refresh()
        self.process = Process(f"{self.name} {origin.container}", self._command(program), logs / self._log_name(), place.name, self._environment())

    def refresh(self) -> None:
        """What a kubelet does within a minute of a change."""
        for mount in self.container.get("volumeMounts", []):
            files = self._content(self.volumes[mount["name"]])
            if files is not None:
                publish(self.root / "volumes" / mount["name"], files)

    def renew_account(self) -> None:
        """A new token, as a kubelet puts in place before the old one ends."""
        cluster, namespace = self.origin.cluster, self.origin.namespace
        request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": TOKEN_SECONDS}}
        eventually(f"ServiceAccount {self.account} exists", lambda: cluster.api.get("serviceaccounts", self.account, namespace))
        token = cluster.api.call("POST", path("serviceaccounts", self.account, namespace) + "/token", request)["status"]["token"]
        authority = (cluster.pki / "ca.crt").read_bytes()
        publish(self.root / "account", {"token": token.encode(), "namespace": namespace.encode(), "ca.crt": authority})

    def _log_name(self) -> str:
        return f"{self.origin.cluster.name}-{self.name}-{self.origin.container}"

    def _deployment(self) -> dict | None:
        return self.origin.cluster.api.get("deployments", self.origin.deployment, self.origin.namespace)

    def _content(self, volume: dict) -> dict[str, bytes] | None:
        """The files of a volume; None for an optional one that is not there. A pod waits for what it needs, so do we."""
        kind, source = next((kind, volume[kind]) for kind in ("secret", "configMap") if kind in volume)
        plural, name = ("secrets", source["secretName"]) if kind == "secret" else ("configmaps", source["name"])
        api = self.origin.cluster.api
        if source.get("optional") and not api.get(plural, name, self.origin.namespace):
            return None
        found = eventually(f"{plural}/{name} exists in {self.origin.cluster.name}", lambda: api.get(plural, name, self.origin.namespace))
        data = found.get("data", {})
        return {key: base64.b64decode(value) if kind == "secret" else value.encode() for key, value in data.items()}

    def _write_hosts(self) -> None:
        lines = ["127.0.0.1 localhost", f"{self.place.address} {self.name}"]
        lines += [f"{alias['ip']} {' '.join(alias['hostnames'])}" for alias in self.aliases]
        namespace, cluster = self.origin.namespace, self.origin.cluster
        for service in cluster.api.list("services", namespace):
            if service["spec"].get("externalName") == API_SERVICE:
                name = service["metadata"]["name"]
                lines.append(f"{cluster.bind} {name} {name}.{namespace} {name}.{namespace}.svc.cluster.local")
        publish(self.root / "etc", {"hosts": "".join(f"{line}\n" for line in lines).encode()})

    def _command(self, program: pathlib.Path) -> list:
        mounts = [f"{self.root}/volumes/{mount['name']}={mount['mountPath']}" for mount in self.container.get("volumeMounts", [])]
        called = pathlib.Path(self.container["command"][0]).name
        arguments = [*self.container["command"][1:], *self.container.get("args", [])]
        return ["unshare", "--mount", "--uts", HERE / "pod.sh", self.root, called, program, *mounts, "--", *arguments]

    def _environment(self) -> dict[str, str]:
        host, port = self.origin.cluster.address().rsplit(":", 1)
        known = {"metadata.namespace": self.origin.namespace, "metadata.name": self.name, "status.podIP": self.place.address}
        values = {"KUBERNETES_SERVICE_HOST": host, "KUBERNETES_SERVICE_PORT": port, "HOSTNAME": self.name}
        for one in self.container.get("env", []):
            values[one["name"]] = one["value"] if "value" in one else known[one["valueFrom"]["fieldRef"]["fieldPath"]]
        return values


def publish(folder: pathlib.Path, files: dict[str, bytes]) -> None:
    """Exchanges the files of a volume as one, as a kubelet does: each is a link through ..data to the current folder."""
    folder.mkdir(parents=True, exist_ok=True)
    current = folder / f"..{next(numbers)}"
    current.mkdir()
    for name, data in files.items():
        (current / name).write_bytes(data)
    data_link, fresh = folder / "..data", folder / "..data_tmp"
    previous = data_link.resolve() if data_link.is_symlink() else None
    fresh.symlink_to(current.name)
    fresh.replace(data_link)
    for name in files:
        if not (folder / name).is_symlink():
            (folder / name).symlink_to(f"..data/{name}")
    for link in folder.iterdir():
        if not link.name.startswith("..") and link.name not in files:
            link.unlink()
    if previous:
        shutil.rmtree(previous)


def program(folder: pathlib.Path, container: str) -> pathlib.Path:
    """Ours for a container. One program serves all, by the name that it is called by."""
    found = folder / "cluster-proxy"
    if not found.exists():
        raise Failure(f"no {found} for container {container}: build it first: make")
    return found
