"""Case clusters: one manager on a real Open Cluster Management hub with many managed clusters, which are objects only."""

from __future__ import annotations

import json

from .bench import Bench, say
from .lineups import OURS
from .machine import ROOT
from .processes import Failure, run

COUNT, QUICK_COUNT = 1000, 50
LIMIT = 3600  # seconds


def clusters(bench: Bench) -> None:
    count = QUICK_COUNT if bench.settings.quick else COUNT
    file = bench.world.folder / "clusters.json"
    try:
        run([ROOT / "tests/ocm/run.sh", "--scale", str(count), "--json", file], LIMIT)
    except Failure as failure:
        say(f"clusters: {failure}")
        bench.rows.fail(OURS.key, "tcp", str(failure), clusters=count)
        return
    bench.rows.add(OURS.key, "tcp", json.loads(file.read_text()), clusters=count)
