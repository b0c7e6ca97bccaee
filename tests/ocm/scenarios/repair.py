"""What the manager made and somebody else damaged is put right; how fast is printed."""


from harness import chart
from harness.scenario import WORK, Scenario

LEAF_SECRETS = ["proxy-server", "agent-server", "proxy-client"]


class Repair(Scenario):
    def setUp(self):
        super().setUp()
        self.install("cluster1")
        self.start_manager()
        self.expect_completed("cluster1")

    def repaired(self, plural: str, name: str, namespace: str, right, damage) -> None:
        """Damages the object and waits until `right` holds for it again."""
        with self.record(plural) as recorder:
            mine = lambda change: change.name == name and change.namespace == namespace  # noqa: E731
            recorder.first("it is seen", lambda change: mine(change) and right(change.thing))
            before = len(recorder.changes)
            damage()
            broken = recorder.first("it is broken", lambda change: mine(change) and (change.what == "DELETED" or not right(change.thing)))
            whole = lambda change: mine(change) and change.time > broken.time and change.what != "DELETED" and right(change.thing)  # noqa: E731
            mended = recorder.first(f"{plural}/{name} is repaired", whole)
            self.assertGreater(len(recorder.changes), before)
            print(f"  {plural}/{name}: repaired after {mended.time - broken.time:.2f} s", flush=True)

    def test_deleted_objects_come_back(self):
        exists = lambda _: True  # noqa: E731
        made = [("secrets", name) for name in (*LEAF_SECRETS, "proxy-server-ca")]
        made += [("services", "proxy-entrypoint"), ("deployments", chart.ADDON), ("roles", "cluster-proxy-addon-agent:portforward")]
        made += [("rolebindings", "cluster-proxy-addon-agent:portforward")]
        for plural, name in made:
            with self.subTest(f"{plural}/{name}"):
                self.repaired(plural, name, chart.NAMESPACE, exists, lambda p=plural, n=name: self.hub.api.delete(p, n, chart.NAMESPACE))

    def test_the_work_and_the_permissions_of_a_cluster_come_back(self):
        exists = lambda thing: not thing["metadata"].get("deletionTimestamp")  # noqa: E731
        for plural, name in (("roles", "cluster-proxy-addon-agent"), ("rolebindings", "cluster-proxy-addon-agent"), ("manifestworks", WORK)):
            with self.subTest(f"{plural}/{name}"):
                self.repaired(plural, name, "cluster1", exists, lambda p=plural, n=name: self.hub.api.delete(p, n, "cluster1"))
        self.expect_completed("cluster1")

    def test_damaged_certificates_are_made_anew(self):
        for name in LEAF_SECRETS:
            with self.subTest(name):
                right = lambda secret: "tls.crt" in secret["data"] and "tls.key" in secret["data"]  # noqa: E731
                self.repaired("secrets", name, chart.NAMESPACE, right, lambda n=name: self.replace_certificate(n))

    def replace_certificate(self, name: str) -> None:
        secret = self.hub.api.get("secrets", name, chart.NAMESPACE)
        del secret["data"]["tls.key"]
        secret["data"]["tls.crt"] = "bm8gY2VydGlmaWNhdGU="
        secret["type"] = "Opaque"
        self.hub.api.delete("secrets", name, chart.NAMESPACE)
        for key in ("uid", "resourceVersion", "creationTimestamp"):
            secret["metadata"].pop(key)
        self.hub.api.ensure("secrets", secret, chart.NAMESPACE)

    def test_changed_objects_are_changed_back(self):
        scaled = lambda deployment: deployment["spec"]["replicas"] == 1  # noqa: E731
        ported = lambda service: {port["port"] for port in service["spec"]["ports"]} == {8090, 8091}  # noqa: E731
        cases = [
            ("deployments", chart.ADDON, scaled, {"spec": {"replicas": 4}}),
            ("services", "proxy-entrypoint", ported, {"spec": {"ports": [{"name": "other", "port": 1234}]}}),
        ]
        for plural, name, right, change in cases:
            with self.subTest(f"{plural}/{name}"):
                damage = lambda p=plural, n=name, c=change: self.hub.api.patch(p, n, c, chart.NAMESPACE)  # noqa: E731
                self.repaired(plural, name, chart.NAMESPACE, right, damage)

    def test_a_foreign_label_on_the_work_stays_and_starts_no_fight(self):
        self.hub.api.patch("manifestworks", WORK, {"metadata": {"labels": {"foreign": "yes"}}}, "cluster1")
        self.world.audit.mark()
        self.configure({"proxyAgent": {"additionalArgs": ["--sync-interval=2s"]}})
        self.expect_configured("cluster1", "--sync-interval=2s")
        self.assertEqual(self.work("cluster1")["metadata"]["labels"].get("foreign"), "yes")
        patches = [call for call in self.world.audit.writes() if call.resource == "manifestworks" and call.code == 200]
        self.assertLessEqual(len(patches), 2, [str(call) for call in patches])  # the content, then its hash
