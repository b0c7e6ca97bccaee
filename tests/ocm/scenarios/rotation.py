"""The authority that signs everything between servers and agents is exchanged while the tunnel is in use."""

import base64
import pathlib
import subprocess
import tempfile
import time

from harness import chart
from harness.processes import eventually
from harness.scenario import Scenario

SIGNER = "cluster-proxy-signer"
ROTATE = "proxy.open-cluster-management.io/rotate-ca"
AGENT_CERTIFICATE = "cluster-proxy-open-cluster-management.io-proxy-agent-signer-client-cert"
ENROLMENT = 120  # seconds: the klusterlet looks at its subject now and then


class Rotation(Scenario):
    def test_a_new_authority_takes_over_without_a_failed_dial(self):
        self.install("cluster1")
        self.start_manager()
        self.expect_completed("cluster1")
        tunnel = [self.start_proxy_server(), *self.start_agents("cluster1")]
        self.expect_tunnel("cluster1")
        old, wanted, began = self.authority(), self.world.namespaces("cluster1"), time.monotonic()
        requests = len(self.requests("cluster1"))

        def goes_on() -> bool:
            """What kubelets do, and a client at any moment meanwhile."""
            for pod in tunnel:
                pod.refresh()
            self.assertEqual(self.world.namespaces_through_tunnel("cluster1"), wanted)
            return True

        self.hub.api.patch("secrets", SIGNER, {"metadata": {"annotations": {ROTATE: "now"}}}, chart.NAMESPACE)
        eventually("the next authority signs", lambda: goes_on() and self.authority() != old, ENROLMENT)
        self.report("the next authority signs", began)
        eventually("the agent has a certificate of it", lambda: goes_on() and self.agent_is_of(self.authority()), ENROLMENT)
        self.report("the agent has a certificate of it", began)
        eventually("the server has a certificate of it", lambda: goes_on() and self.is_of(self.authority(), self.secret("agent-server")["tls.crt"]))
        self.assertEqual(self.secret(SIGNER)["previous-ca.crt"], old)
        self.assertLessEqual(len(self.requests("cluster1")) - requests, 2)  # OCM's agent may lose one race against its own other writes
        for pod in tunnel:
            pod.process.kill()
        self.start_proxy_server()
        self.start_agents("cluster1")
        self.expect_tunnel("cluster1")
        self.assertEqual(self.world.namespaces_through_tunnel("cluster1"), wanted)

    def secret(self, name: str) -> dict[str, bytes]:
        return {key: base64.b64decode(value) for key, value in self.hub.api.get("secrets", name, chart.NAMESPACE)["data"].items()}

    def authority(self) -> bytes:
        return self.secret(SIGNER)["ca.crt"]

    def agent_is_of(self, authority: bytes) -> bool:
        held = self.world.cluster("cluster1").api.get("secrets", AGENT_CERTIFICATE, chart.AGENT_NAMESPACE)
        return held is not None and self.is_of(authority, base64.b64decode(held["data"]["tls.crt"]))

    def is_of(self, authority: bytes, certificate: bytes) -> bool:
        with tempfile.TemporaryDirectory() as folder:
            trusted, held = (pathlib.Path(folder) / name for name in ("ca.crt", "tls.crt"))
            trusted.write_bytes(authority)
            held.write_bytes(certificate)
            command = ["openssl", "verify", "-no-CApath", "-no-CAstore", "-CAfile", trusted, held]
            return subprocess.run(command, capture_output=True, check=False).returncode == 0
