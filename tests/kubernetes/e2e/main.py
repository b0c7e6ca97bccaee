"""Runs the cases, the demo or the bench, or opens a shell beside the clusters. Started by run.sh."""

from __future__ import annotations

import argparse
import os
import pathlib
import shutil
import subprocess
import sys
import time
import unittest

from harness.main import Result

from . import bench, demo, timeline
from .images import HERE
from .scenario import Case
from .world import World


def main() -> int:
    options = arguments()
    shutil.rmtree(options.logs, ignore_errors=True)
    options.logs.mkdir(parents=True)
    if options.bench:
        return bench.run_bench(options)
    if options.timeline:
        return timeline.run_timeline(options)
    if options.demo:
        return demo.run(options, keep=bool(os.environ.get("KEEP")))
    began = time.monotonic()
    world = World(options.program, options.peers, options.state, options.logs)
    print(f"hub: up after {time.monotonic() - began:.1f} s", flush=True)
    if options.shell is not None:
        return shell(world, options.shell)
    Case.world = world
    passed = unittest.TextTestRunner(stream=sys.stdout, verbosity=2, resultclass=TimedResult).run(suite(options.tests)).wasSuccessful()
    if not passed:
        print(f"what the programs wrote is in {options.logs}")
    return 0 if passed else 1


class TimedResult(Result):
    """Says how long each test took."""

    def startTest(self, test):
        self.began = time.monotonic()
        super().startTest(test)

    def addSuccess(self, test):
        self.stream.write(f"{time.monotonic() - self.began:.1f} s ")
        super().addSuccess(test)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="run.sh")
    for name in ("program", "peers", "state", "logs"):
        parser.add_argument(f"--{name}", type=pathlib.Path, required=True)
    parser.add_argument("--shell", type=int, metavar="N")
    for what in ("demo", "bench", "timeline"):
        parser.add_argument(f"--{what}", action="store_true")
    parser.add_argument("tests", nargs="*", metavar="TEST")
    return parser.parse_args()


def suite(names: list[str]) -> unittest.TestSuite:
    files = sorted(file.stem for file in (HERE / "cases").glob("[a-z]*.py"))
    return unittest.defaultTestLoader.loadTestsFromNames([f"cases.{name}" for name in names or files])


def shell(world: World, clusters: int) -> int:
    began = time.monotonic()
    world.join(*(f"cluster{number}" for number in range(1, clusters + 1)))
    print(f"clusters: joined after {time.monotonic() - began:.1f} s")
    for place in (world.hub, *world.clusters.values()):
        print(f"{place.name}: {place.folder}/kubectl")
    print(f"logs: {world.logs}; all ends with this shell", flush=True)
    return subprocess.call([os.environ.get("SHELL", "bash")], env={**os.environ, "KUBECONFIG": str(world.hub.admin)})


if __name__ == "__main__":
    sys.exit(main())
