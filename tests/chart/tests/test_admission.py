"""Every pod of the chart under Pod Security `restricted` of a real API server, and every object before it."""

import json
import unittest

import yaml

from harness import cluster, helm
from tests import test_render


class Admission(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.hub = cluster.hub()
        cls.hub.make_namespace()
        priority = {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": "high"}, "value": 1000}
        cls.hub.apply(priority)
        cls.addClassCleanup(cls.hub.remove_namespace)

    def admit(self, name, template, objects):
        """Lets the API server judge the pod as it would be made, and forget it again."""
        account = template["spec"]["serviceAccountName"]
        self.hub.apply(helm.find(objects, "ServiceAccount", account))
        pod = {"apiVersion": "v1", "kind": "Pod", "spec": template["spec"],
               "metadata": {"name": name, "namespace": helm.NAMESPACE, "labels": template["metadata"]["labels"]}}
        return self.hub.kubectl("create", "--dry-run=server", "-f", "-", stdin=json.dumps(pod))

    def test_every_pod_is_admitted(self):
        for combination, values in test_render.matrix():
            objects = helm.render(values)
            for name, template in helm.pods(objects):
                with self.subTest(f"{combination}: {name}"):
                    self.assertIn("created", self.admit(name, template, objects))

    # Else the test above could not fail.
    def test_a_pod_that_asks_for_more_is_refused(self):
        objects = helm.render({})
        name, template = helm.pods(objects)[0]
        del template["spec"]["containers"][0]["securityContext"]["allowPrivilegeEscalation"]
        with self.assertRaisesRegex(helm.HelmError, "violates PodSecurity"):
            self.admit(name, template, objects)

    def test_the_api_server_accepts_every_object(self):
        self.hub.apply(*[yaml.safe_load(each.read_text()) for each in sorted((helm.CHART / "crds").glob("*.yaml"))])
        foreign = ("monitoring.coreos.com/v1",)  # Prometheus' operator is not here
        for combination, values in test_render.matrix():
            with self.subTest(combination):
                objects = [each for each in helm.render(values) if each["apiVersion"] not in foreign]
                self.hub.kubectl("apply", "--dry-run=server", "--validate=strict", "-f", "-", stdin=yaml.safe_dump_all(objects))
