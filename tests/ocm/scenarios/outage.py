"""What the manager depends on goes away, comes back, or answers with errors."""

from harness import chart
from harness.faults import ErrorProxy, Request
from harness.fronts import Relay
from harness.kube import path
from harness.processes import eventually, run
from harness.scenario import Scenario


class Outage(Scenario):
    def installed(self, **options):
        self.install("cluster1")
        manager = self.keep_manager(**options)
        self.expect_completed("cluster1")
        return manager

    def change_arrives(self, argument: str) -> None:
        self.configure({"proxyAgent": {"additionalArgs": [argument]}})
        self.expect_configured("cluster1", argument)

    def test_api_server_away_and_back(self):
        manager = self.installed()
        before = self.requests("cluster1")
        self.hub.stop()
        eventually("the manager notices", lambda: "refused" in manager.process.log.read_text())
        self.hub.start()
        self.change_arrives("--sync-interval=2s")
        self.assertEqual(names(self.requests("cluster1")), names(before), "nobody asks for another certificate")

    def test_conversion_webhook_away_and_back(self):
        self.installed()
        self.hub.webhook.kill()
        self.configure({"proxyAgent": {"additionalArgs": ["--sync-interval=2s"]}})
        self.hub.start_webhook()
        self.expect_configured("cluster1", "--sync-interval=2s")
        self.assertEqual(len(self.pods), 1, "the manager never ended")

    def test_installation_without_conversion_webhook_waits_for_it(self):
        self.world.cluster("cluster1")
        self.install("cluster1")
        self.hub.webhook.kill()
        manager = self.keep_manager()
        eventually("the manager's calls fail", lambda: any(call.code >= 500 for call in self.world.audit.calls()), of=manager.process)
        self.hub.start_webhook()
        self.expect_completed("cluster1")

    def test_hub_with_new_certificate_and_new_token_key(self):
        """Old tokens are worthless then; the kubelet brings a new one."""
        manager = self.installed()
        self.hub.stop()
        self.hub.certificate("apiserver", "/CN=kube-apiserver", "serverAuth", API_NAMES)
        key = self.hub.pki / "service-account.key"
        run("openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", key)
        run("openssl", "pkey", "-in", key, "-pubout", "-out", self.hub.pki / "service-account.pub")
        self.hub.start()
        refused = lambda: any(call.code == 401 for call in self.world.audit.calls(""))  # noqa: E731
        eventually("the old token is refused", lambda: refused() or not manager.process.alive())
        manager.renew_account()
        self.change_arrives("--sync-interval=2s")


API_NAMES = "IP:198.51.100.1,IP:127.0.0.1,IP:10.0.0.1,DNS:kubernetes.default.svc"


class Connections(Scenario):
    """Through a relay, over HTTP/2 as without it."""

    relay: Relay | None = None

    def setUp(self):
        super().setUp()
        if Connections.relay is None:
            Connections.relay = Relay()
        self.install("cluster1")

    def start(self):
        return self.keep_manager(api_address=self.relay.address)

    def test_connections_cut_again_and_again(self):
        self.start()
        self.expect_completed("cluster1")
        for number in range(1, 6):
            self.assertGreater(self.relay.cut(), 0)
            self.configure({"proxyAgent": {"additionalArgs": [f"--sync-interval={number}s"]}})
            self.expect_configured("cluster1", f"--sync-interval={number}s")
        self.assertEqual(len(self.pods), 1, "the manager never ended")

    def test_connections_cut_during_installation(self):
        self.start()
        for kind in ("secrets", "certificatesigningrequests", "manifestworks"):
            ours = lambda plural=kind: any(chart.ADDON in name for name in names(self.hub.api.list(plural)))  # noqa: E731
            eventually(f"one of {kind} is ours", lambda found=ours: self.revive() and found())
            self.relay.cut()
        self.expect_completed("cluster1")

    def test_connections_that_go_silent(self):
        """As when a link breaks without a word: the leader ends when it cannot renew its lease, or finds a way again."""
        manager = self.start()
        self.expect_completed("cluster1")
        self.relay.silence()
        self.addCleanup(self.relay.resume)
        eventually("the manager gives up its lead", lambda: not manager.process.alive())
        self.relay.resume()
        self.relay.cut()
        self.configure({"proxyAgent": {"additionalArgs": ["--sync-interval=2s"]}})
        self.expect_configured("cluster1", "--sync-interval=2s")


class Faults(Scenario):
    """Through a proxy that answers with errors."""

    proxy: ErrorProxy | None = None

    def setUp(self):
        super().setUp()
        if Faults.proxy is None:
            Faults.proxy = ErrorProxy(self.hub)
        self.proxy.rule = lambda _: None
        self.proxy.injected.clear()
        self.install("cluster1")

    def start(self):
        return self.keep_manager(api_address=self.proxy.address)

    def test_every_write_conflicts_twice(self):
        self.refuse_writes(409)

    def test_every_write_is_throttled_twice(self):
        self.refuse_writes(429)

    def test_every_write_fails_twice(self):
        self.refuse_writes(500)

    def refuse_writes(self, code: int) -> None:
        """Each object's writes are refused two times, then let through: every step has to be tried again."""
        refused: dict[str, int] = {}

        def rule(request: Request) -> int | None:
            if request.verb not in ("PUT", "PATCH", "POST") or "/leases" in request.target:
                return None
            refused[request.target] = refused.get(request.target, 0) + 1
            return code if refused[request.target] <= 2 else None

        self.proxy.rule = rule
        self.start()
        self.expect_completed("cluster1")
        self.assertGreater(self.proxy.injected[code], 10)

    def test_watches_that_have_expired_are_begun_anew(self):
        self.start()
        self.expect_completed("cluster1")
        seen: dict[str, int] = {}

        def rule(request: Request) -> int | None:
            """The first resumption of each watch, which names a resource version, is too old."""
            kind = request.target.split("?")[0]
            if not request.watches or kind in seen:
                return None
            seen[kind] = 1
            return 410

        self.proxy.rule = rule
        self.proxy.cut()
        self.configure({"proxyAgent": {"additionalArgs": ["--sync-interval=2s"]}})
        self.expect_configured("cluster1", "--sync-interval=2s")
        self.assertIn(path("managedclusteraddons"), seen)
        self.assertEqual(len(self.pods), 1, "the manager never ended")

    def test_lists_that_fail_are_repeated(self):
        refused: dict[str, int] = {}

        def rule(request: Request) -> int | None:
            if request.verb != "GET" or "/leases" in request.target:
                return None
            kind = request.target.split("?")[0]
            refused[kind] = refused.get(kind, 0) + 1
            return (500, 429)[refused[kind] % 2] if refused[kind] <= 2 else None

        self.proxy.rule = rule
        self.start()
        self.expect_completed("cluster1")


def names(things: list[dict]) -> list[str]:
    return sorted(one["metadata"]["name"] for one in things)
