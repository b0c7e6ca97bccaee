"""Case idle: what a tunnel costs that nobody uses."""

from __future__ import annotations

from .bench import Bench
from .lineups import OTHERS, TUNNELS, usual
from .sites import Site


def idle(bench: Bench) -> None:
    site = Site()
    count = 500 if bench.settings.quick else 5000
    with bench.targets(site) as ports:
        for member in usual([*TUNNELS, *OTHERS]):
            # One at a time: five thousand tunnels are ten thousand descriptors and some memory in each of them.
            with bench.lineup(site, ports, [member], tunnels=count) as entries:
                bench.interleave(
                    entries, lambda entry: bench.measure(site, entry.running, "idle", "small", limit=200, tunnels=count),
                    repeats=1, tunnels=count)
