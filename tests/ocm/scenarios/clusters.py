"""Clusters that come and go while the manager runs, and the end of the add-on."""

from harness import chart
from harness.processes import eventually
from harness.scenario import WORK, Scenario


class Clusters(Scenario):
    def test_a_cluster_that_joins_later_gets_the_add_on(self):
        self.install("cluster1")
        self.start_manager()
        self.expect_completed("cluster1")
        before = self.work("cluster1")
        self.world.cluster("cluster3")
        self.addCleanup(self.world.drop, "cluster3")
        self.expect_completed("cluster3")
        self.assertEqual(self.work("cluster1")["metadata"]["resourceVersion"], before["metadata"]["resourceVersion"])

    def test_a_cluster_that_leaves_and_comes_back_is_served_again(self):
        self.install("cluster1", "cluster2")
        self.start_manager()
        self.expect_completed("cluster1", "cluster2")
        self.world.cluster("cluster2").leave()
        self.assertIsNone(self.addon("cluster2"))
        self.assertIsNone(self.work("cluster2"))
        self.world.cluster("cluster2").join()
        self.expect_completed("cluster2")

    def test_a_deleted_add_on_comes_back_as_it_was(self):
        self.install("cluster1")
        self.start_manager()
        self.expect_completed("cluster1")
        before = self.addon("cluster1")
        self.hub.api.delete("managedclusteraddons", chart.ADDON, "cluster1")

        def another() -> bool:
            addon = self.addon("cluster1")
            return addon is not None and addon["metadata"]["uid"] != before["metadata"]["uid"]

        eventually("there is another ManagedClusterAddOn", another)
        self.expect_completed("cluster1")
        self.assertEqual(self.addon("cluster1")["status"]["registrations"], before["status"]["registrations"])

    def test_uninstalling_leaves_nothing(self):
        self.install("cluster1")
        self.start_manager()
        self.expect_completed("cluster1")
        chart.uninstall(self.hub)
        eventually("nothing cluster-wide is left", lambda: not self.ours("clusterroles") + self.ours("clusterrolebindings"))
        eventually("Role and RoleBinding of the cluster are gone", lambda: not self.ours("roles", "cluster1") + self.ours("rolebindings", "cluster1"))
        eventually("the managed cluster is clean", self.managed_is_clean)

    def ours(self, plural: str, namespace: str | None = None) -> list[dict]:
        return [one for one in self.hub.api.list(plural, namespace) if chart.ADDON in one["metadata"]["name"]]

    def managed_is_clean(self) -> bool:
        """All but the namespace, which the contract leaves, and what Kubernetes itself puts into each."""
        api = self.world.cluster("cluster1").api
        works = [one for one in api.list("appliedmanifestworks") if one["metadata"]["name"].endswith(WORK)]
        found = [one for plural in ("deployments", "secrets", "roles", "rolebindings", "services") for one in api.list(plural, chart.AGENT_NAMESPACE)]
        accounts = [one["metadata"]["name"] for one in api.list("serviceaccounts", chart.AGENT_NAMESPACE)]
        return not works and not found and accounts == ["default"]
