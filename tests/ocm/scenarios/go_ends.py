"""Go's konnectivity server and agent with the certificates and the arguments that our manager made, beside ours."""

from harness.scenario import Scenario


class GoEnds(Scenario):
    def test_every_pairing_serves_the_cluster(self):
        self.install("cluster1")
        self.start_manager()
        self.expect_completed("cluster1")
        go = {"server": self.world.peers / "go-proxy-server", "agent": self.world.peers / "go-proxy-agent"}
        wanted = self.world.namespaces("cluster1")
        for server in (None, go["server"]):
            for agent in (None, go["agent"]):
                with self.subTest(server=server or "ours", agent=agent or "ours"):
                    self.serve(server, agent, wanted)

    def serve(self, server, agent, wanted: list[str]) -> None:
        pods = [self.start_proxy_server(server), *self.start_agents("cluster1", agent)]
        try:
            self.expect_tunnel("cluster1")
            self.assertEqual(self.world.namespaces_through_tunnel("cluster1"), wanted)
        finally:
            for pod in pods:
                pod.process.kill()
