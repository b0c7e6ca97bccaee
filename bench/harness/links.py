"""Cases link, delay and parallel: streams over a wire that is narrow, or long, or loses packets."""

from __future__ import annotations

import contextlib

from .bench import Bench, Entry
from .lineups import DIRECT, FRP, OURS, OURS_COMPATIBLE, RATHOLE, REFERENCE, usual
from .sites import LongLink, ShapedLink, Site

WAYS = ("download", "upload")


def link(bench: Bench) -> None:
    """1 Gb/s between two namespaces, shaped by tbf."""
    lineup = usual([DIRECT, REFERENCE, OURS, OURS_COMPATIBLE, RATHOLE, FRP])
    with contextlib.closing(ShapedLink("1gbit")) as site:
        seconds = 1.5 if bench.settings.quick else 3.0
        for way in WAYS:
            over_link(bench, site, lineup, way, bench.settings.fewer, seconds, seconds / 3)


TARGET_ROUND_TRIP = 100  # ms; the others show the shape of the curve

# Round trip in ms, share of lost packets, ways.
QUICK_WIRES = ((TARGET_ROUND_TRIP, 0.0, WAYS[:1]),)
WIRES = ((10, 0.0, WAYS[:1]), (50, 0.0, WAYS[:1]), (100, 0.0, WAYS), (200, 0.0, WAYS[:1]), (50, 0.01, WAYS[:1]))


def delay(bench: Bench) -> None:
    """The same rate through the relay, with a round trip and losses."""
    lineup = usual([DIRECT, REFERENCE, OURS, OURS_COMPATIBLE, RATHOLE])
    for round_trip, loss, ways in QUICK_WIRES if bench.settings.quick else WIRES:
        log = bench.world.folder / bench.world.unique("delay.log")
        with contextlib.closing(LongLink(bench.world.programs["bench-delay"], round_trip, loss, log)) as site:
            for way in ways:
                # Slow start takes some twenty round trips to the rate of the link, and a congestion window swings.
                repeats = bench.settings.fewer if round_trip == TARGET_ROUND_TRIP else 1
                over_link(bench, site, lineup, way, repeats, 2.0 if bench.settings.quick else 4.0, 1 + 25 * round_trip / 1000,
                          round_trip_ms=round_trip, loss=loss)


STREAMS = 8
PARALLEL_WIRES = ((100, "upload"), (200, "download"))


def parallel(bench: Bench) -> None:
    """Several streams over the relay, opened for the second time: who has carried much may have taken measures."""
    lineup = usual([DIRECT, REFERENCE, OURS, RATHOLE])
    for round_trip, way in PARALLEL_WIRES:
        log = bench.world.folder / bench.world.unique("delay.log")
        place = {"way": way, "tunnels": STREAMS, "round_trip_ms": round_trip, "loss": 0.0}
        with contextlib.closing(LongLink(bench.world.programs["bench-delay"], round_trip, 0.0, log)) as site, bench.targets(site) as ports, \
                bench.lineup(site, ports, lineup, **place) as entries:
            def measure(entry: Entry) -> dict:
                return bench.measure(site, entry.running, way, tunnels=STREAMS, seconds=4.0, warmup=1 + 25 * round_trip / 1000)

            for entry in entries:
                measure(entry)
            bench.interleave(entries, measure, bench.settings.fewer, **place)


def over_link(bench: Bench, site: Site, lineup, way: str, repeats: int, seconds: float, warmup: float, **place) -> None:
    parameters = {"way": way, "tunnels": 1, **place}
    with bench.targets(site) as ports, bench.lineup(site, ports, lineup, **parameters) as entries:
        bench.interleave(
            entries, lambda entry: bench.measure(site, entry.running, way, tunnels=1, seconds=seconds, warmup=warmup),
            repeats, **parameters)
