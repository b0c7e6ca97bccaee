"""Helm, as a person would call it."""

from __future__ import annotations

import functools
import os
import pathlib
import subprocess

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[3]
PEERS = pathlib.Path(os.environ["CHART_PEERS"])
CHART = ROOT / "charts/cluster-proxy"
GOLDEN = ROOT / "tests/chart/golden"
NAMESPACE = "open-cluster-management-addon"
# A helm built as a module takes itself for one of Kubernetes 1.20.
OFFLINE = ["--kube-version", "1.34.3"]


class HelmError(Exception):
    """What helm wrote when it failed."""


def helm(*arguments: str, stdin: str | None = None) -> str:
    """Helm's output."""
    environment = {**os.environ, **{f"HELM_{each}_HOME": "/nonexistent" for each in ("CACHE", "CONFIG", "DATA")}}
    answer = subprocess.run([PEERS / "helm", *arguments], input=stdin, capture_output=True, text=True, env=environment)
    if answer.returncode:
        raise HelmError(answer.stderr + answer.stdout)
    return answer.stdout


def render(values: dict, *arguments: str) -> list[dict]:
    """The objects that the chart makes of `values`."""
    return [each for each in yaml.load_all(_template(yaml.safe_dump(values), *arguments), yaml.CSafeLoader) if each]


@functools.cache
def _template(values: str, *arguments: str) -> str:
    return helm("template", "cluster-proxy", str(CHART), "-n", NAMESPACE, *OFFLINE, "-f", "-", *arguments, stdin=values)


def find(objects: list[dict], kind: str, name: str) -> dict | None:
    return next((each for each in objects if each["kind"] == kind and each["metadata"]["name"] == name), None)


def pods(objects: list[dict]) -> list[tuple[str, dict]]:
    """Name and template of each pod that these objects would start."""
    found = [(each["metadata"]["name"], each["spec"]["template"]) for each in objects if each["kind"] == "Deployment"]
    return found + [(each["metadata"]["name"], each) for each in objects if each["kind"] == "Pod"]
