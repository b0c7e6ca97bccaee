"""Our objects beside those recorded from the reference's chart 0.11.0, for each recorded set of values."""

import unittest

import yaml

from harness import compare, helm

ALLOWED = helm.ROOT / "tests/chart/differences.yaml"
CHART_OF_REFERENCE = {"registry": "quay.io/open-cluster-management", "tag": "v0.11.0"}


class Golden(unittest.TestCase):
    def test_every_difference_is_listed_and_every_listed_one_is_met(self):
        allowed = compare.Allowed(yaml.safe_load(ALLOWED.read_text()))
        for case in sorted(helm.GOLDEN.glob("*.yaml")):
            recorded = yaml.safe_load(case.read_text())
            ours = helm.render(CHART_OF_REFERENCE | recorded["values"])
            with self.subTest(case.stem):
                unlisted = [str(each) for each in compare.differences(recorded["objects"], ours) if not allowed.allows(each)]
                self.assertEqual(unlisted, [])
        self.assertEqual(allowed.unmet(), [], "these entries of differences.yaml are about nothing")

    def test_values_of_the_reference_have_their_defaults(self):
        ours = yaml.safe_load((helm.CHART / "values.yaml").read_text())
        recorded = yaml.safe_load((helm.ROOT / "tests/chart/default-values.yaml").read_text())
        differing = sorted(name for name, value in recorded.items() if flat(ours).get(name, "missing") != value)
        # Where the program comes from; an empty image means registry/image.
        self.assertEqual(differing, ["proxyAgentImage", "proxyServerImage", "registry"])


def flat(values: dict, prefix: str = "") -> dict:
    found = {}
    for name, value in values.items():
        found[prefix + name] = value
        if isinstance(value, dict):
            found.update(flat(value, f"{prefix}{name}."))
    return found
