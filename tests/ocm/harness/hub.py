"""The hub: a control plane with Open Cluster Management's controllers and its conversion webhook."""

from __future__ import annotations

import base64
import dataclasses
import pathlib
import socket

from . import network
from .cluster import Cluster
from .processes import Process, eventually

HUB_NAMESPACE = "open-cluster-management-hub"
HERE = pathlib.Path(__file__).resolve().parents[1]
WEBHOOK_PORT = 9443
CONTROLLERS = {
    "registration": ["--feature-gates=DefaultClusterSet=true"],
    "placement": [],
    "addon": [],
}


@dataclasses.dataclass(frozen=True)
class Seat:
    """Where a cluster's control plane listens. `options` are more of kube_apiserver.sh."""

    place: network.Place
    bind: str
    options: tuple[str, ...] = ()


class Hub(Cluster):
    """`flags` are more flags of Open Cluster Management's controllers. The webhook's ports are fixed and are those of our programs
    too, so it wants a place without them."""

    def __init__(self, state: pathlib.Path, logs: pathlib.Path, programs: pathlib.Path, flags: list[str], seat: Seat, webhook: network.Place):
        policy = HERE / "audit-policy.yaml"
        options = ["--port", str(network.API_PORT), "--audit-policy", str(policy), *seat.options]
        super().__init__("hub", seat.place, seat.bind, state / "hub", logs, options)
        self.programs, self.flags, self.webhook_place = programs, flags, webhook
        self.start_webhook()
        self.install_crds()
        self.kubectl("create", "namespace", HUB_NAMESPACE)
        self.apply((HERE / "bootstrap.yaml").read_text())
        self.make_bootstrap_kubeconfig()
        self.controllers = {name: self.start_controller(name) for name in CONTROLLERS}
        eventually("the global cluster set exists", lambda: self.api.get("managedclustersets", "global"), of=self.controllers["registration"])

    @property
    def audit(self) -> pathlib.Path:
        return self.log("audit")

    def start_webhook(self) -> None:
        folder = self.folder / "webhook"
        folder.mkdir(exist_ok=True)
        if not (folder / "tls.key").exists():
            self.certificate("tls", "/CN=webhook", "serverAuth", f"IP:{self.webhook_place.address}")
            for end in ("crt", "key"):
                (self.pki / f"tls.{end}").rename(folder / f"tls.{end}")
        command = [self.programs / "ocm-addon", "webhook-server", f"--port={WEBHOOK_PORT}", f"--certdir={folder}"]
        self.webhook = Process("webhook", command, self.logs / "ocm-webhook", self.webhook_place.name, {"KUBECONFIG": str(self.admin)})
        eventually("the webhook listens", self.webhook_listens, of=self.webhook)

    def webhook_listens(self) -> bool:
        try:
            socket.create_connection((self.webhook_place.address, WEBHOOK_PORT), 1).close()
        except OSError:
            return False
        return True

    def install_crds(self) -> None:
        """Open Cluster Management's own, with the webhook reached by URL, since no Service leads to a process."""
        authority = base64.b64encode((self.pki / "ca.crt").read_bytes()).decode()
        holes = {"{{ .AddonAPIServiceCABundle }}": authority, "{{ .ClusterManagerNamespace }}": HUB_NAMESPACE}
        for file in sorted((self.programs / "ocm-manifests/cluster-manager/hub/crds").glob("*.yaml")):
            text = file.read_text()
            for hole, value in holes.items():
                text = text.replace(hole, value)
            self.apply(text)
        for crd in self.api.list("customresourcedefinitions"):
            if crd["spec"].get("conversion", {}).get("strategy") == "Webhook":
                self.reach_webhook(crd["metadata"]["name"], authority)
        self.kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=60s")

    def reach_webhook(self, crd: str, authority: str) -> None:
        url = f"https://{self.webhook_place.address}:{WEBHOOK_PORT}/convert"
        client = {"service": None, "url": url, "caBundle": authority}
        self.api.patch("customresourcedefinitions", crd, {"spec": {"conversion": {"webhook": {"clientConfig": client}}}})

    def start_controller(self, name: str) -> Process:
        verb = "manager" if name == "addon" else "controller"
        listen = f"--listen=127.0.0.1:{19101 + list(CONTROLLERS).index(name)}"
        command = [self.programs / f"ocm-{name}", verb, f"--kubeconfig={self.admin}", f"--namespace={HUB_NAMESPACE}", listen]
        return Process(name, [*command, "--disable-leader-election", *CONTROLLERS[name], *self.flags], self.logs / f"ocm-hub-{name}", self.place.name)

    def make_bootstrap_kubeconfig(self) -> None:
        self.certificate("bootstrap", "/O=bootstrap-group/CN=bootstrap", "clientAuth")
        self.bootstrap = self.folder / "bootstrap.kubeconfig"
        self.write_kubeconfig(self.bootstrap, "bootstrap")
