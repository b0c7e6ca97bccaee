"""The command line of the harness."""

from __future__ import annotations

import argparse
import pathlib
import shutil
import signal
import sys
import tempfile

from . import certificates, machine, results, sites
from .bench import Bench, Settings, say
from .build import require_optimised
from .cases import CASES
from .contenders import World
from .machine import ROOT
from .processes import Failure, Ports



def main() -> int:
    options = parse()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # so that everything is ended and removed
    folder = pathlib.Path(tempfile.mkdtemp(prefix="cpb-"))  # short: a socket's path has at most 107 bytes
    failed: list[str] = []
    try:
        require_optimised(options.bin)
        sites.remove_leftovers()
        failed = measure(options, folder)
    except Failure as failure:
        say(f"nothing is measured: {failure}")
        return 1
    except KeyboardInterrupt:
        say("interrupted; the cases that were done are saved")
        return 128 + signal.SIGINT
    finally:
        if not failed:
            shutil.rmtree(folder)
    if failed:
        say(f"these cases broke off: {', '.join(failed)}; the logs are in {folder}")
    return 1 if failed else 0


def measure(options: argparse.Namespace, folder: pathlib.Path) -> list[str]:
    """Runs the cases; gives those that broke off."""
    programs = find_programs(options.programs, options.bin)
    trusts = [certificates.create(folder / name) for name in ("frontend", "cluster")]
    world = World(programs, *trusts, Ports(), folder)
    settings = Settings.choose(options.quick, options.repeats)
    return [name for name in options.cases if not run_case(name, world, settings, options.results)]


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measures tunnels side by side and writes results.json.")
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"all, or some of: {', '.join(CASES)}")
    parser.add_argument("--repeats", type=int, help="how often each is measured (default 3)")
    parser.add_argument("--quick", action="store_true", help="short and coarse, to see that it works")
    parser.add_argument("--bin", type=pathlib.Path, default=ROOT / "build/release/bin", help="folder of our programs")
    parser.add_argument("--programs", type=pathlib.Path, required=True, help="folder of the peers, see bench/programs.sh")
    parser.add_argument("--results", type=pathlib.Path, default=ROOT / "docs/benchmarks/results.json")
    options = parser.parse_args()
    unknown = set(options.cases) - set(CASES)
    if unknown:
        parser.error(f"no case called {', '.join(sorted(unknown))}; there are: {', '.join(CASES)}")
    options.cases = options.cases or list(CASES)
    return options


def find_programs(peers: pathlib.Path, ours: pathlib.Path) -> dict[str, pathlib.Path]:
    return {path.name: path for folder in (peers, ours) for path in folder.iterdir() if path.is_file()}


def run_case(name: str, world: World, settings: Settings, path: pathlib.Path) -> bool:
    """Every case is saved when it is done: an end in the middle loses one."""
    facts = machine.describe(world.programs, ROOT)
    say(f"case {name}, others use {facts['busy_before']:.0%} of the processors")
    rows = results.Rows()
    try:
        CASES[name](Bench(world, settings, rows))
    except Failure as failure:
        say(f"case {name}: {failure}")
        return False
    whole = results.load(path)
    whole["cases"][name] = {"machine": facts, "quick": settings.quick, "repeats": settings.repeats,
                            "seconds": settings.seconds, "rows": rows.list()}
    results.save(path, whole)
    return True


if __name__ == "__main__":
    sys.exit(main())
