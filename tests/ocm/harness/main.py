"""Runs the scenarios, or the demo, or measures, or opens a shell beside a hub and its clusters. Started by run.sh."""

from __future__ import annotations

import argparse
import os
import pathlib
import shutil
import subprocess
import sys
import time
import unittest

from . import demo, scale
from .hub import HERE
from .scenario import Scenario
from .world import World


def main() -> int:
    options = arguments()
    shutil.rmtree(options.logs, ignore_errors=True)
    options.logs.mkdir(parents=True)
    if options.demo:
        return demo.run(options.ours, options.peers, options.logs)
    if options.scale:
        return scale.run(options.ours, options.peers, options.logs, options.scale, options.json)
    began = time.monotonic()
    world = World(options.ours, options.peers, options.logs)
    print(f"hub: up after {time.monotonic() - began:.1f} s", flush=True)
    if options.shell is not None:
        return shell(world, options.shell)
    Scenario.world = world
    passed = unittest.TextTestRunner(stream=sys.stdout, verbosity=2, resultclass=Result).run(suite(options.tests)).wasSuccessful()
    if not passed:
        print(f"what the programs wrote is in {options.logs}")
    return 0 if passed else 1


class Result(unittest.TextTestResult):
    """Says at once why a test failed, since the rest may take minutes."""

    def addFailure(self, test, err):
        self.stream.writeln(f"\n  {err[1]}")
        super().addFailure(test, err)

    def addError(self, test, err):
        self.stream.writeln(f"\n  {err[0].__name__}: {err[1]}")
        super().addError(test, err)

    def addSubTest(self, test, subtest, err):
        if err:
            self.stream.writeln(f"\n  {err[1]}")
        super().addSubTest(test, subtest, err)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="run.sh")
    for name in ("ours", "peers", "logs"):
        parser.add_argument(f"--{name}", type=pathlib.Path, required=True)
    parser.add_argument("--shell", type=int, metavar="N")
    parser.add_argument("--demo", action="store_true")
    parser.add_argument("--scale", type=int, metavar="N")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE")
    parser.add_argument("tests", nargs="*", metavar="TEST")
    return parser.parse_args()


def suite(names: list[str]) -> unittest.TestSuite:
    files = sorted(file.stem for file in (HERE / "scenarios").glob("[a-z]*.py"))
    return unittest.defaultTestLoader.loadTestsFromNames([f"scenarios.{name}" for name in names or files])


def shell(world: World, clusters: int) -> int:
    places = [world.hub, *(world.cluster(f"cluster{number}") for number in range(1, clusters + 1))]
    for place in places:
        print(f"{place.name}: {place.folder}/kubectl, or {place.admin}")
    print(f"logs: {world.logs}; all ends with this shell", flush=True)
    return subprocess.call([os.environ.get("SHELL", "bash")], env={**os.environ, "KUBECONFIG": str(world.hub.admin)})


if __name__ == "__main__":
    sys.exit(main())
