"""One node: containerd, kubelet and kube-proxy in namespaces and control groups of their own."""

from __future__ import annotations

import concurrent.futures
import json
import os
import pathlib
import shutil

import yaml
from harness.cluster import Cluster
from harness.kube import is_true
from harness.network import Place
from harness.processes import Failure, Process, eventually, run

from . import images, network
from .images import HERE, Images

GROUPS = os.environ["E2E_GROUPS"]  # name of the run's control groups; run.sh removes them
HIERARCHIES = ("cpu", "cpuacct", "cpuset", "memory", "devices", "freezer", "blkio", "pids", "systemd")
CGROUPS = pathlib.Path("/sys/fs/cgroup")
PLUGINS = "/usr/lib/cni"  # Debian's containernetworking-plugins


class Node:
    """Made before its cluster's API server is there, since images take as long to import; join() makes it a node of the cluster.
    Everything that it writes is under `folder`, which must be no overlay, for containerd lays its own upon it."""

    def __init__(self, name: str, place: Place, made: Images, folder: pathlib.Path, logs: pathlib.Path):
        self.name, self.place, self.images, self.folder, self.logs = name, place, made, folder, logs
        folder.mkdir(parents=True)
        self.groups = [make_group(hierarchy, name) for hierarchy in HIERARCHIES]
        self.pid = self._make_namespaces()
        self._write_settings()
        self.containerd = self.start("containerd", "containerd", "--config", folder / "containerd.toml")
        eventually("containerd answers", self._containerd_answers, of=self.containerd)
        for archive in made.archives:
            self.load(archive)

    def join(self, cluster: Cluster) -> None:
        """Returns when the node is ready and names resolve."""
        self.cluster = cluster
        kubelet, proxy = self._credentials("kubelet", f"/O=system:nodes/CN=system:node:{self.name}"), self._credentials("proxy", "/CN=system:kube-proxy")
        cluster.certificate(f"{self.name}-serving", f"/O=system:nodes/CN=system:node:{self.name}", "serverAuth", f"IP:{self.place.address}")
        self._write("kubelet.yaml", self._kubelet_settings())
        self._write("proxy.yaml", self._proxy_settings(proxy))
        where = [f"--root-dir={self.folder}/kubelet", f"--hostname-override={self.name}", f"--node-ip={self.place.address}"]
        self.start("kube-proxy", self.images.peers / "kube-proxy", "--config", self.folder / "proxy.yaml")
        self.kubelet = self.start("kubelet", self.images.peers / "kubelet", "--config", self.folder / "kubelet.yaml", "--kubeconfig", kubelet, *where)
        eventually(f"node {self.name} is ready", lambda: is_true(cluster.api.get("nodes", self.name), "Ready"), of=self.kubelet)

    def start(self, name: str, *command) -> Process:
        words = [HERE / "node/in_cgroups.sh", *self.groups, "--", *self._enter(), *command]
        return Process(f"{name} of {self.name}", words, self.logs / self.name / name)

    def run(self, *command) -> str:
        """A command on the node, in all its namespaces but the control groups."""
        return run(*self._enter(), *command)

    def keep_logs(self, folder: pathlib.Path) -> None:
        """Those of the pods that are there."""
        shutil.copytree(self.folder / "upper/var/log/pods", folder / self.name, dirs_exist_ok=True)

    def load(self, archive: pathlib.Path) -> None:
        self.run("ctr", "-n", "k8s.io", "images", "import", archive)

    def _enter(self) -> list:
        return ["nsenter", f"--target={self.pid}", "--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup", "--"]

    def _make_namespaces(self) -> int:
        apart = ["unshare", "--mount", "--uts", "--ipc", "--pid", "--cgroup", "--fork", "--kill-child", "--propagation=private", "--"]
        init = [HERE / "node/init.sh", self.name, self.folder, self.images.pause_program, *HIERARCHIES]
        words = [HERE / "node/in_cgroups.sh", *self.groups, "--", "nsenter", f"--net=/run/netns/{self.place.name}", *apart, *init]
        self.namespaces = Process(f"namespaces of {self.name}", words, self.logs / self.name / "init")
        eventually(f"the namespaces of {self.name} are there", (self.folder / "ready").exists, of=self.namespaces)
        return int(run("pgrep", "--parent", self.namespaces.child.pid))

    def _containerd_answers(self) -> bool:
        try:
            return bool(self.run("ctr", "version"))
        except Failure:
            return False

    def _credentials(self, name: str, subject: str) -> pathlib.Path:
        certificate = f"{self.name}-{name}"
        self.cluster.certificate(certificate, subject, "clientAuth")
        self.cluster.write_kubeconfig(self.folder / f"{name}.kubeconfig", certificate)
        return self.folder / f"{name}.kubeconfig"

    def _write(self, file: str, settings: dict) -> None:
        (self.folder / file).write_text(yaml.safe_dump(settings))

    def _write_settings(self) -> None:
        (self.folder / "resolv.conf").touch()
        (self.folder / "cni").mkdir()
        ranges = [[{"subnet": network.POD_NETWORK}]]
        addresses = {"type": "host-local", "dataDir": "/run/addresses", "ranges": ranges, "routes": [{"dst": "0.0.0.0/0"}]}
        bridge = {"type": "bridge", "bridge": "pods", "isGateway": True, "hairpinMode": True, "ipMasq": False, "ipam": addresses}
        plugins = {"cniVersion": "1.0.0", "name": "pods", "plugins": [bridge]}
        (self.folder / "cni/pods.conflist").write_text(json.dumps(plugins))
        (self.folder / "containerd.toml").write_text(self._containerd_settings())

    def _containerd_settings(self) -> str:
        """Nobody here has CAP_SYS_RESOURCE in a container, without which containerd could not lower what the kernel's killer of
        processes thinks of a pod."""
        off = [f"io.containerd.snapshotter.v1.{name}" for name in ("btrfs", "zfs", "devmapper", "aufs")]
        off += ["io.containerd.tracing.processor.v1.otlp", "io.containerd.internal.v1.tracing"]
        return f"""
            version = 2
            root = "{self.folder}/containerd"
            oom_score = 0
            disabled_plugins = {json.dumps(off)}
            [plugins."io.containerd.grpc.v1.cri"]
              sandbox_image = "{images.name("pause")}"
              restrict_oom_score_adj = true
              [plugins."io.containerd.grpc.v1.cri".cni]
                bin_dir = "{PLUGINS}"
                conf_dir = "{self.folder}/cni"
        """

    def _kubelet_settings(self) -> dict:
        pki = self.cluster.pki
        never = {f"{what}.{kind}": "0%" for what in ("nodefs", "imagefs") for kind in ("available", "inodesFree")}
        return {
            "apiVersion": "kubelet.config.k8s.io/v1beta1",
            "kind": "KubeletConfiguration",
            "authentication": {"anonymous": {"enabled": False}, "webhook": {"enabled": True}, "x509": {"clientCAFile": f"{pki}/ca.crt"}},
            "authorization": {"mode": "Webhook"},
            "tlsCertFile": f"{pki}/{self.name}-serving.crt",
            "tlsPrivateKeyFile": f"{pki}/{self.name}-serving.key",
            "containerRuntimeEndpoint": "unix:///run/containerd/containerd.sock",
            "cgroupDriver": "cgroupfs",
            "failCgroupV1": False,
            "failSwapOn": False,
            "oomScoreAdj": 0,
            "maxOpenFiles": 20000,
            "clusterDomain": "cluster.local",
            "clusterDNS": [network.DNS_SERVICE],
            "resolvConf": f"{self.folder}/resolv.conf",
            "makeIPTablesUtilChains": False,
            "evictionHard": {"memory.available": "0%", **never},
            "imageGCHighThresholdPercent": 100,
            "imageGCLowThresholdPercent": 99,
            "syncFrequency": "10s",  # of mounted Secrets too; a minute by default
        }

    def _proxy_settings(self, kubeconfig: pathlib.Path) -> dict:
        """The limits of connection tracking are the machine's, and cannot be written from another network namespace."""
        unlimited = {"maxPerCore": 0, "min": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"}
        return {
            "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
            "kind": "KubeProxyConfiguration",
            "mode": "nftables",
            "clientConnection": {"kubeconfig": str(kubeconfig)},
            "hostnameOverride": self.name,
            "clusterCIDR": network.POD_NETWORK,
            "oomScoreAdj": 0,
            "conntrack": unlimited,
        }


def make_group(hierarchy: str, node: str) -> pathlib.Path:
    """Within our own, so that its limits hold."""
    group = CGROUPS / hierarchy / own_group(hierarchy).lstrip("/") / GROUPS / node
    for folder in (group.parent, group):
        folder.mkdir(exist_ok=True)
        for setting in ("cpuset.cpus", "cpuset.mems") if hierarchy == "cpuset" else ():
            (folder / setting).write_text((folder.parent / setting).read_text())
    return group


def own_group(hierarchy: str) -> str:
    for line in pathlib.Path("/proc/self/cgroup").read_text().splitlines():
        _, names, path = line.split(":", 2)
        if names.removeprefix("name=") == hierarchy or hierarchy in names.split(","):
            return path
    raise Failure(f"this machine has no control group hierarchy {hierarchy}: the test's nodes need version 1 of control groups")


def bring_up(make_node, make_cluster):
    """Both at once, since each takes seconds; returns the cluster with its node."""
    with concurrent.futures.ThreadPoolExecutor() as pool:
        node = pool.submit(make_node)
        cluster = make_cluster()
        cluster.node = node.result()
    cluster.node.join(cluster)
    cluster.apply((HERE / "node/dns.yaml").read_text())
    cluster.kubectl("-n", "kube-system", "wait", "--for=condition=Available", "deployment/coredns", "--timeout=120s")
    return cluster
