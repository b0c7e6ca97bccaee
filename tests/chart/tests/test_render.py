"""What helm makes of values, good and bad ones, without a cluster."""

import itertools
import re
import unittest

import yaml

from harness import helm

ENTRYPOINTS = {
    "PortForward": {},
    "LoadBalancerService": {"entrypointLoadBalancer": True, "loadBalancerAnnotations": [{"key": "a.example.com/b", "value": "c"}]},
    "Hostname": {"entrypointAddress": "hub.example.com", "port": 443},
}
EVERYTHING = {
    "enableServiceProxy": True, "networkPolicies": {"enabled": True}, "featureGates": {"clusterProfile": True}, "replicas": 3,
    "exposedServices": [{"namespace": "a", "service": "b", "port": 9090}], "imagePullSecrets": ["pull"],
    "userServer": {"enabled": True, "additionalSANs": ["user.example.com"]}, "crds": {"manage": "always"},
    "monitoring": {each: {"enabled": True, "labels": {"release": "p"}} for each in ("serviceMonitor", "prometheusRule", "dashboard")},
    "nodeSelector": {"a": "b"}, "tolerations": [{"key": "a", "operator": "Exists"}], "priorityClassName": "high",
    "podLabels": {"team": "a"}, "podAnnotations": {"b": "c"}, "manager": {"extraArgs": ["--v=4"]},
}
NOTHING = {
    "enableKubeApiProxy": False, "enableImpersonation": False, "replicas": 0, "podDisruptionBudgets": {"enabled": False},
    "installByPlacement": {"placementName": "mine", "placementNamespace": "elsewhere"}, "crds": {"manage": "never"},
}
# A wrong value, and the name by which the refusal has to call it.
WRONG = [
    ({"replicas": "two"}, "/replicas"),
    ({"replicas": -1}, "/replicas"),
    ({"proxyserver": {}}, "proxyserver"),
    ({"proxyServer": {"adress": "x"}}, "adress"),
    ({"proxyServer": {"port": 0}}, "/proxyServer/port"),
    ({"proxyServer": {"port": "8091"}}, "/proxyServer/port"),
    ({"proxyServer": {"entrypointAddress": "https://hub.example.com"}}, "/proxyServer/entrypointAddress"),
    ({"proxyServer": {"entrypointAddress": "hub.example.com:443"}}, "/proxyServer/entrypointAddress"),
    ({"proxyServer": {"entrypointLoadBalancer": "yes"}}, "/proxyServer/entrypointLoadBalancer"),
    ({"proxyServer": {"imagePullPolicy": "Sometimes"}}, "/proxyServer/imagePullPolicy"),
    ({"proxyServer": {"loadBalancerAnnotations": [{"value": "a"}]}}, "/proxyServer/loadBalancerAnnotations/0"),
    ({"proxyServer": {"additionalArgs": "--v=2"}}, "/proxyServer/additionalArgs"),
    ({"proxyAgent": {"replicas": 1.5}}, "/proxyAgent/replicas"),
    ({"registry": ""}, "/registry"),
    ({"tag": 1.0}, "/tag"),
    ({"spokeAddonNamespace": "Agents"}, "/spokeAddonNamespace"),
    ({"enableServiceProxy": "true"}, "/enableServiceProxy"),
    ({"featureGates": {"clusterProfiles": True}}, "clusterProfiles"),
    ({"exposedServices": [{"name": "a"}]}, "/exposedServices/0"),
    ({"exposedServicesConfigMapName": "A B"}, "/exposedServicesConfigMapName"),
    ({"tolerations": [{"operator": "Is"}]}, "/tolerations/0/operator"),
    ({"crds": {"manage": True}}, "/crds/manage"),
    ({"monitoring": {"serviceMonitor": {"interval": "often"}}}, "/monitoring/serviceMonitor/interval"),
]


def matrix():
    for (kind, server), (name, rest) in itertools.product(ENTRYPOINTS.items(), {"nothing": NOTHING, "default": {}, "everything": EVERYTHING}.items()):
        yield f"{kind}, {name}", {**rest, "proxyServer": server}


class Render(unittest.TestCase):
    def test_lint_finds_nothing(self):
        for name, values in matrix():
            with self.subTest(name):
                report = helm.helm("lint", "--strict", "--quiet", str(helm.CHART), *helm.OFFLINE, "-f", "-", stdin=yaml.safe_dump(values))
                self.assertNotRegex(report, r"\[(WARNING|ERROR)\]")

    def test_objects_of_every_combination_fit_together(self):
        for name, values in matrix():
            with self.subTest(name):
                objects = helm.render(values)
                self.check_names(objects)
                self.check_workloads(objects)
                self.check_budgets(objects)

    def check_names(self, objects):
        names = [(each["apiVersion"], each["kind"], each["metadata"].get("namespace"), each["metadata"]["name"]) for each in objects]
        self.assertEqual(len(names), len(set(names)), "an object is there twice")

    def check_workloads(self, objects):
        for name, pod in helm.pods(objects):
            self.assertIsNotNone(helm.find(objects, "ServiceAccount", pod["spec"]["serviceAccountName"]), name)
            volumes = {each["name"] for each in pod["spec"].get("volumes", [])}
            for container in pod["spec"]["containers"]:
                self.assertLessEqual({each["name"] for each in container.get("volumeMounts", [])}, volumes)
                self.assertRegex(container["image"], r"^[a-z][^\s]*/cluster-proxy:[^\s:]+$")
                self.assertIn("memory", container["resources"]["limits"])
        for each in objects:
            if each["kind"] == "Deployment":
                wanted = each["spec"]["selector"]["matchLabels"]
                self.assertLessEqual(wanted.items(), each["spec"]["template"]["metadata"]["labels"].items())

    def check_budgets(self, objects):
        for each in objects:
            if each["kind"] == "PodDisruptionBudget":
                self.assertEqual(each["spec"]["maxUnavailable"], 1, "a budget that keeps a node from being drained")

    def test_entrypoint_kinds(self):
        for kind, server in ENTRYPOINTS.items():
            with self.subTest(kind):
                configuration = helm.find(helm.render({"proxyServer": server}), "ManagedProxyConfiguration", "cluster-proxy")
                entrypoint = configuration["spec"]["proxyServer"]["entrypoint"]
                self.assertEqual(entrypoint["type"], kind)
                self.assertEqual(entrypoint["port"], server.get("port", 8091))
        both = helm.render({"proxyServer": {"entrypointLoadBalancer": True, "entrypointAddress": "a"}})
        spec = helm.find(both, "ManagedProxyConfiguration", "cluster-proxy")["spec"]
        self.assertEqual(spec["proxyServer"]["entrypoint"]["type"], "Hostname", "as in the reference, the address wins")

    def test_replicas_of_each_end(self):
        objects = helm.render({"replicas": 2, "proxyServer": {"replicas": 3}, "proxyAgent": {"replicas": 0}})
        spec = helm.find(objects, "ManagedProxyConfiguration", "cluster-proxy")["spec"]
        self.assertEqual((spec["proxyServer"]["replicas"], spec["proxyAgent"]["replicas"]), (3, 0))
        self.assertEqual(helm.find(objects, "Deployment", "cluster-proxy-addon-manager")["spec"]["replicas"], 2)

    # Its pod needs a certificate that is made for `spec.userServer` only.
    def test_service_proxy_has_its_certificate_made(self):
        spec = helm.find(helm.render({"enableServiceProxy": True}), "ManagedProxyConfiguration", "cluster-proxy")["spec"]
        self.assertIn("userServer", spec)

    def test_hub_with_the_older_addon_api(self):
        objects = helm.render({}, "--api-versions", "addon.open-cluster-management.io/v1alpha1")
        addon = helm.find(objects, "ClusterManagementAddOn", "cluster-proxy")
        self.assertEqual(addon["apiVersion"], "addon.open-cluster-management.io/v1alpha1")
        self.assertEqual(addon["spec"]["supportedConfigs"][0]["defaultConfig"], {"name": "cluster-proxy"})

    def test_images(self):
        def images(values):
            objects = helm.render(values)
            spec = helm.find(objects, "ManagedProxyConfiguration", "cluster-proxy")["spec"]
            manager = helm.find(objects, "Deployment", "cluster-proxy-addon-manager")["spec"]["template"]["spec"]["containers"][0]
            return {manager["image"], spec["proxyServer"]["image"], spec["proxyAgent"]["image"]}

        version = yaml.safe_load((helm.CHART / "Chart.yaml").read_text())["version"]
        self.assertEqual(images({}), {f"localhost/cluster-proxy:v{version}"})
        self.assertEqual(images({"registry": "r.example.com:5000/team", "tag": "t"}), {"r.example.com:5000/team/cluster-proxy:t"})
        own = images({"proxyServerImage": "s/cluster-proxy", "proxyAgentImage": "a/cluster-proxy", "tag": "t"})
        self.assertEqual(own, {"localhost/cluster-proxy:t", "s/cluster-proxy:t", "a/cluster-proxy:t"})

    def test_wrong_values_are_called_by_name(self):
        for values, name in WRONG:
            with self.subTest(values):
                with self.assertRaises(helm.HelmError) as refused:
                    helm.render(values)
                self.assertIn(name, str(refused.exception))
                self.assertIn("don't meet the specifications of the schema", str(refused.exception))

    def test_alerts_and_dashboard_ask_for_metrics_that_exist(self):
        sources = "".join(each.read_text() for each in sorted((helm.ROOT / "src").rglob("*metrics.cc")) + [helm.ROOT / "src/metrics/process.cc"])
        for file in ("alerts.yaml", "dashboard.json"):
            text = (helm.CHART / "files" / file).read_text()
            for name in set(re.findall(r"\b(?:konnectivity|controller_runtime|process)_[a-z_]+", text)):
                known = re.sub(r"^konnectivity_network_proxy_(server|agent)_|_(bucket|sum|count)$", "", name)
                self.assertIn(f'"{known}', sources, f"{file}: {name}")
            self.assertGreater(len(text), 500)

    def test_every_value_has_a_schema(self):
        values = yaml.safe_load((helm.CHART / "values.yaml").read_text())
        schema = yaml.safe_load((helm.CHART / "values.schema.json").read_text())
        self.assertEqual(sorted(values), sorted(schema["properties"]))
