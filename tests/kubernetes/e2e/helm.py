"""Helm on the hub, as a person would call it, with our chart."""

from __future__ import annotations

import os
import subprocess

from harness import chart
from harness.processes import Failure, inside

from .images import ROOT
from .world import World

CHART = ROOT / "charts/cluster-proxy"
RELEASE = "cluster-proxy"


class HelmError(Failure):
    """What helm wrote when it failed."""


class Helm:
    """`cluster`: the hub unless given."""

    def __init__(self, world: World, cluster=None):
        self.world, self.cluster = world, cluster or world.hub

    def __call__(self, *words: object) -> str:
        home = {f"HELM_{each}_HOME": str(self.world.state / "helm") for each in ("CACHE", "CONFIG", "DATA")}
        where = [f"--kubeconfig={self.cluster.admin}", f"--namespace={chart.NAMESPACE}"]
        command = [*inside(self.cluster.place.name), self.world.peers / "helm", *words, *where]
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False, env={**os.environ, **home})
        if done.returncode:
            raise HelmError(done.stderr + done.stdout)
        return done.stdout

    def install(self, *values: str, flags: tuple[str, ...] = ()) -> str:
        return self("install", RELEASE, CHART, "--create-namespace", *flags, *settings(values))

    def upgrade(self, *values: str) -> str:
        return self("upgrade", RELEASE, CHART, *settings(values))

    def uninstall(self, *flags: str) -> str:
        return self("uninstall", RELEASE, *flags)


def settings(values: tuple[str, ...]) -> list[str]:
    return [f"--set={value}" for value in values]
