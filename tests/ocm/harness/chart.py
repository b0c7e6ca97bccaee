"""Installing and removing the add-on, as Helm would: what our chart makes, or what the reference's made."""

from __future__ import annotations

import functools
import json
import pathlib

import yaml

from .hub import HERE, Hub
from .processes import eventually, run

NAMESPACE = "open-cluster-management-addon"
AGENT_NAMESPACE = "open-cluster-management-cluster-proxy"
ADDON = "cluster-proxy"
MANAGER = "cluster-proxy-addon-manager"
IMAGE = "quay.io/open-cluster-management/cluster-proxy:v0.11.0"
ADDON_LABEL = "open-cluster-management.io/addon-name=cluster-proxy"
CRDS = HERE.parents[1] / "deploy/crds"
CHART = HERE.parents[1] / "charts/cluster-proxy"
CLUSTER_SCOPED = [
    ("clustermanagementaddons", ADDON),
    ("clusterrolebindings", "open-cluster-management:cluster-proxy:addon-manager"),
    ("clusterroles", "open-cluster-management:cluster-proxy:addon-manager"),
]


def configuration(entrypoint: dict | None = None, **server) -> dict:
    """The ManagedProxyConfiguration of the chart; `server` goes into spec.proxyServer."""
    return {
        "apiVersion": "proxy.open-cluster-management.io/v1alpha1",
        "kind": "ManagedProxyConfiguration",
        "metadata": {"name": ADDON},
        "spec": {
            "authentication": {"dump": {"secrets": {}}, "signer": {"type": "SelfSigned"}},
            "proxyServer": {
                "image": IMAGE,
                "replicas": 1,
                "namespace": NAMESPACE,
                "entrypoint": entrypoint or {"type": "PortForward", "port": 8091},
                **server,
            },
            "proxyAgent": {"image": IMAGE, "replicas": 1},
        },
    }


def reference_manager() -> dict:
    flags = [
        "--leader-elect=true",
        f"--signer-secret-namespace={NAMESPACE}",
        "--enable-kube-api-proxy=true",
        "--enable-service-proxy=false",
        "--enable-network-policies=false",
        "--image-pull-policy=IfNotPresent",
        f"--agent-install-namespace={AGENT_NAMESPACE}",
        "--feature-gates=ClusterProfile=false",
    ]
    place = {"name": "POD_NAMESPACE", "valueFrom": {"fieldRef": {"fieldPath": "metadata.namespace"}}}
    container = {"name": "manager", "image": IMAGE, "command": ["/manager"], "args": flags, "env": [place]}
    labels = {"open-cluster-management.io/addon": ADDON, "component": "cluster-proxy-manager"}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": MANAGER, "namespace": NAMESPACE, "labels": {"component": "cluster-proxy-manager"}},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"serviceAccountName": ADDON, "containers": [container]}},
        },
    }


def install_crd(hub: Hub, plural: str = "managedproxyconfigurations") -> None:
    hub.apply((CRDS / f"{plural}.yaml").read_text())
    hub.kubectl("wait", "--for=condition=Established", "crd", f"{plural}.proxy.open-cluster-management.io", "--timeout=60s")


def install(hub: Hub, configured: dict | None = None) -> None:
    """Our chart but for its configuration, which tests vary."""
    hub.api.ensure("namespaces", {"metadata": {"name": NAMESPACE}})
    hub.apply(yaml.safe_dump_all(rendered(hub.programs / "helm")))
    hub.apply(json.dumps(configured or configuration()))


def install_reference(hub: Hub, configured: dict) -> None:
    hub.api.ensure("namespaces", {"metadata": {"name": NAMESPACE}})
    hub.apply((HERE / "reference.yaml").read_text())
    hub.apply(json.dumps(reference_manager()))
    hub.apply(json.dumps(configured))


@functools.cache
def rendered(helm: pathlib.Path, addon_api: str = "v1beta1") -> list[dict]:
    """A helm built as a module takes itself for one of an old Kubernetes, and knows of no hub."""
    known = ["--kube-version=1.34.3", f"--api-versions=addon.open-cluster-management.io/{addon_api}"]
    made = run(helm, "template", "cluster-proxy", CHART, f"--namespace={NAMESPACE}", "--no-hooks", *known)
    return [one for one in yaml.safe_load_all(made) if one and one["kind"] != "ManagedProxyConfiguration"]


def uninstall(hub: Hub) -> None:
    """What `helm uninstall` removes, and then the release's namespace, which takes the rest along."""
    for plural, name in CLUSTER_SCOPED:
        hub.api.delete(plural, name)
    hub.api.delete("managedproxyconfigurations", ADDON)
    eventually("every ManagedClusterAddOn is gone", lambda: not hub.api.list("managedclusteraddons"))
    eventually("every ManifestWork of the add-on is gone", lambda: not hub.api.list("manifestworks", labelSelector=ADDON_LABEL))
    hub.api.delete("namespaces", NAMESPACE)
    eventually("the release's namespace is gone", lambda: not hub.api.get("namespaces", NAMESPACE))
    for request in hub.api.list("certificatesigningrequests", labelSelector=ADDON_LABEL):
        hub.api.delete("certificatesigningrequests", request["metadata"]["name"])  # ten of them would stop an agent
