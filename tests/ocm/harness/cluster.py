"""One Kubernetes control plane: etcd, API server, controller manager. Nothing runs pods."""

from __future__ import annotations

import pathlib

from .kube import Api
from .network import Place
from .processes import run

PEERS = pathlib.Path(__file__).resolve().parents[2] / "peers"


class Cluster:
    """Its state (data, keys, kubeconfigs) is under `folder`, its logs are under `logs`. It listens at `bind` in `place`."""

    def __init__(self, name: str, place: Place, bind: str, folder: pathlib.Path, logs: pathlib.Path, options: list[str]):
        self.name, self.place, self.bind, self.folder, self.logs, self.options = name, place, bind, folder, logs, options
        self.pki = folder / "pki"
        self.admin = folder / "admin.kubeconfig"
        for one in (folder, logs / name):
            one.mkdir(parents=True, exist_ok=True)
        (folder / "log").symlink_to(logs / name)
        self.start()
        self.api = Api(self.address(), self.pki / "ca.crt", self.pki / "admin.crt", self.pki / "admin.key", place.name)

    def start(self) -> None:
        """Also after stop(): the same data, keys and address."""
        where = ["--netns", self.place.name] if self.place.name else []
        run(PEERS / "kube_apiserver.sh", "start", self.folder, *where, "--bind", self.bind, "--controllers", "yes", *self.options)

    def stop(self) -> None:
        run(PEERS / "kube_apiserver.sh", "stop", self.folder)

    def address(self) -> str:
        return (self.folder / "address").read_text().strip()

    def kubectl(self, *words, text: str | None = None) -> str:
        return run(self.folder / "kubectl", *words, text=text)

    def apply(self, documents: str) -> None:
        self.kubectl("apply", "--server-side", "-f", "-", text=documents)

    def log(self, name: str) -> pathlib.Path:
        return self.folder / "log" / name

    def certificate(self, name: str, subject: str, usage: str, names: str = "") -> None:
        """Signed by the cluster's authority, as pki/NAME.crt and pki/NAME.key."""
        self._pki("pki_cert", self.pki, name, "ca", subject, usage, names)

    def write_kubeconfig(self, file: pathlib.Path, certificate: str) -> None:
        self._pki("write_kubeconfig", file, f"https://{self.address()}", self.pki, certificate)

    def _pki(self, function: str, *words) -> None:
        run("bash", "-c", f'. "{PEERS}/lib/kube_pki.sh"; "$@"', "bash", function, *words)
