"""The soak under sanitizers: measures nothing, fails when a program of ours ends by itself or a sanitizer finds something."""

from __future__ import annotations

import argparse
import pathlib
import shutil
import sys
import tempfile

from . import certificates, results, soak
from .bench import Bench, Settings, say
from .contenders import World
from .lineups import OURS, OURS_COMPATIBLE
from .main import find_programs
from .processes import Failure, Ports

REPORTS = ("AddressSanitizer", "LeakSanitizer", "ThreadSanitizer", "runtime error:")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("bin", "programs"):
        parser.add_argument(f"--{name}", type=pathlib.Path, required=True)
    options = parser.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="cps-"))
    trusts = [certificates.create(folder / name) for name in ("frontend", "cluster")]
    world = World(find_programs(options.programs, options.bin), *trusts, Ports(), folder)
    try:
        for contender in (OURS, OURS_COMPATIBLE):
            soak.endure(Bench(world, Settings.choose(True, 1), results.Rows()), contender)
    except Failure as failure:
        say(f"{failure}; the logs are in {folder}")
        return 1
    found = [log for log in folder.glob("*.log") if any(report in log.read_text(errors="replace") for report in REPORTS)]
    if found:
        say(f"a sanitizer has found something, see {', '.join(map(str, found))}")
        return 1
    shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
