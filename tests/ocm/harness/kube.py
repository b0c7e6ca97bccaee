"""A client of the Kubernetes API that does no more than tests need: JSON over one connection per thread, and watches."""

from __future__ import annotations

import base64
import contextlib
import ctypes
import http.client
import json
import pathlib
import ssl
import threading
import urllib.parse

MERGE_PATCH = "application/merge-patch+json"
TIMEOUT = 30  # seconds without a byte
CLONE_NEWNET = 0x40000000
LIBC = ctypes.CDLL(None, use_errno=True)

CORE, ADDON, CLUSTER = "/api/v1", "/apis/addon.open-cluster-management.io/v1beta1", "/apis/cluster.open-cluster-management.io"
RBAC, WORK = "/apis/rbac.authorization.k8s.io/v1", "/apis/work.open-cluster-management.io/v1"
PROXY = "/apis/proxy.open-cluster-management.io/v1alpha1"
GROUPS = {
    CORE: "namespaces nodes pods services serviceaccounts secrets configmaps events",
    "/apis/apps/v1": "deployments",
    RBAC: "roles rolebindings clusterroles clusterrolebindings",
    "/apis/coordination.k8s.io/v1": "leases",
    "/apis/certificates.k8s.io/v1": "certificatesigningrequests",
    "/apis/apiextensions.k8s.io/v1": "customresourcedefinitions",
    ADDON: "clustermanagementaddons managedclusteraddons addondeploymentconfigs",
    CLUSTER + "/v1": "managedclusters",
    CLUSTER + "/v1beta1": "placements placementdecisions",
    CLUSTER + "/v1beta2": "managedclustersets managedclustersetbindings",
    WORK: "manifestworks appliedmanifestworks",
    PROXY: "managedproxyconfigurations managedproxyserviceresolvers",
}
PREFIX = {plural: prefix for prefix, plurals in GROUPS.items() for plural in plurals.split()}


class ApiError(Exception):
    """What the API server answered in place of an object."""

    def __init__(self, request: str, code: int, status: dict):
        self.code, self.reason, self.message = code, status.get("reason", ""), status.get("message", "")
        super().__init__(f"{request}: {code} {self.reason}: {self.message}")


class Api:
    """Safe for several threads: each has a connection of its own, made from within the network namespace `netns`."""

    def __init__(self, address: str, ca: pathlib.Path, cert: pathlib.Path, key: pathlib.Path, netns: str | None = None):
        self.host, port = address.rsplit(":", 1)
        self.port, self.netns = int(port), netns
        self.tls = ssl.create_default_context(cafile=str(ca))
        self.tls.load_cert_chain(str(cert), str(key))
        self.connections = threading.local()

    def get(self, plural: str, name: str, namespace: str | None = None) -> dict | None:
        """None when there is no such object."""
        try:
            return self.call("GET", path(plural, name, namespace))
        except ApiError as error:
            if error.code == 404:
                return None
            raise

    def list(self, plural: str, namespace: str | None = None, **query: str) -> list[dict]:
        return self.call("GET", path(plural, None, namespace), query=query)["items"]

    def create(self, plural: str, body: dict, namespace: str | None = None) -> dict:
        return self.call("POST", path(plural, None, namespace), body)

    def ensure(self, plural: str, body: dict, namespace: str | None = None) -> dict:
        """Creates it unless it is there."""
        try:
            return self.create(plural, body, namespace)
        except ApiError as error:
            if error.reason == "AlreadyExists":
                return self.get(plural, body["metadata"]["name"], namespace)
            raise

    def patch(self, plural: str, name: str, body: dict, namespace: str | None = None, sub: str = "") -> dict:
        """A JSON merge patch."""
        return self.call("PATCH", path(plural, name, namespace) + sub, body, kind=MERGE_PATCH)

    def delete(self, plural: str, name: str, namespace: str | None = None) -> None:
        """Content when it is not there."""
        try:
            self.call("DELETE", path(plural, name, namespace))
        except ApiError as error:
            if error.code != 404:
                raise

    def call(self, verb: str, url: str, body: dict | None = None, kind: str = "application/json", query: dict | None = None) -> dict:
        if query:
            url += "?" + urllib.parse.urlencode(query)
        text = None if body is None else json.dumps(body)
        answer, data = self._exchange(verb, url, text, {"Content-Type": kind})
        document = json.loads(data) if data[:1] in (b"{", b"[") else {"message": data.decode(errors="replace")}
        if answer.status >= 400:
            raise ApiError(f"{verb} {url}", answer.status, document)
        return document

    def watch(self, url: str, **query: str):
        """Yields (type, object) until the server ends the watch. The connection belongs to this watch alone."""
        connection = self._connect()
        connection.sock.settimeout(None)
        connection.request("GET", url + "?" + urllib.parse.urlencode({"watch": "true", **query}))
        answer = connection.getresponse()
        if answer.status != 200:
            raise ApiError(f"watch {url}", answer.status, {"message": answer.read().decode(errors="replace")})
        with connection:
            for line in answer:
                event = json.loads(line)
                yield event["type"], event["object"]

    def _exchange(self, verb: str, url: str, text: str | None, headers: dict):
        fresh = not hasattr(self.connections, "one")
        if fresh:
            self.connections.one = self._connect()
        try:
            self.connections.one.request(verb, url, text, headers)
            answer = self.connections.one.getresponse()
            return answer, answer.read()
        except (http.client.HTTPException, OSError):
            self.connections.one.close()
            del self.connections.one
            if fresh:
                raise
            return self._exchange(verb, url, text, headers)  # it had been closed while it was idle

    def _connect(self) -> http.client.HTTPSConnection:
        connection = Connection(self.host, self.port, context=self.tls, timeout=TIMEOUT)
        with entered(self.netns):
            connection.connect()
        return connection


class Connection(http.client.HTTPSConnection):
    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


@contextlib.contextmanager
def entered(netns: str | None):
    """This thread in another network namespace. A socket stays in the one that it was made in."""
    if netns is None:
        yield
        return
    with open("/proc/thread-self/ns/net", "rb") as home, open(f"/run/netns/{netns}", "rb") as away:
        enter(away)
        try:
            yield
        finally:
            enter(home)


def enter(namespace) -> None:
    if LIBC.setns(namespace.fileno(), CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "cannot enter a network namespace")


def path(plural: str, name: str | None = None, namespace: str | None = None) -> str:
    parts = [PREFIX[plural]]
    if namespace:
        parts += ["namespaces", namespace]
    return "/".join([*parts, plural, *([name] if name else [])])


def condition(thing: dict | None, kind: str) -> dict:
    """The condition of that type, {} if there is none."""
    conditions = (thing or {}).get("status", {}).get("conditions", [])
    return next((one for one in conditions if one["type"] == kind), {})


def is_true(thing: dict | None, kind: str) -> bool:
    return condition(thing, kind).get("status") == "True"


def secret_value(secret: dict, key: str) -> bytes:
    return base64.b64decode(secret["data"][key])
