"""Case stall: what innocent tunnels lose when a neighbour stops reading, or reads slowly."""

from __future__ import annotations

from .bench import Bench
from .lineups import FRP, RATHOLE, TUNNELS, usual
from .sites import Site

NEIGHBOURS = {
    "1 stalled reader": {"stalled": 1},
    "100 slow readers": {"slow": 100},
    "1 stalled target": {"deaf": 1},
}
INNOCENT = 4


def stall(bench: Bench) -> None:
    """Fresh processes for every measurement: whoever was stopped by a neighbour may not recover."""
    site = Site()
    with bench.targets(site) as ports:
        for name, flags in list(NEIGHBOURS.items())[: 1 if bench.settings.quick else None]:
            for _ in range(bench.settings.fewer):
                for member in usual([*TUNNELS, RATHOLE, FRP]):
                    with bench.lineup(site, ports, [member], neighbours=name) as entries:
                        bench.interleave(
                            entries,
                            lambda entry, flags=flags: bench.measure(site, entry.running, "isolation", tunnels=INNOCENT, **flags),
                            repeats=1, neighbours=name)
