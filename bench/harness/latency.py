"""Cases rtt and connect: what one small message costs, and one short connection."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from .bench import Bench, Entry
from .lineups import everyone
from .processes import Failure, Process, eventually
from .sites import Site

BULK_TUNNELS = 4


def rtt(bench: Bench) -> None:
    """64 bytes there and back on one tunnel: alone, and beside downloads that take all they can get."""
    site = Site()
    with bench.targets(site) as ports, bench.lineup(site, ports, everyone()) as entries:
        bench.interleave(entries, lambda entry: bench.measure(site, entry.running, "rtt", "small"), load="alone")

        def loaded(entry: Entry) -> dict:
            with bulk_load(bench, site, entry):
                return bench.measure(site, entry.running, "rtt", "small")

        bench.interleave(entries, loaded, load="bulk")


@contextlib.contextmanager
def bulk_load(bench: Bench, site: Site, entry: Entry) -> Iterator[None]:
    """Downloads that run until the measurement beside them is over."""
    before = bench.counters(site, "bulk")
    command = bench.load_command(site, entry.running, "download", "bulk", {"tunnels": BULK_TUNNELS, "seconds": 3600})
    log = bench.world.folder / bench.world.unique("bulk.log")
    process = Process("the bulk load", command, log)
    try:
        eventually("the bulk load runs", lambda: bench.counters(site, "bulk")["opened"] >= before["opened"] + BULK_TUNNELS)
        yield
        process.require()
    finally:
        process.kill()
        # Whoever keeps dead connections to the target pays for it in its next measurement, not in this one.
        with contextlib.suppress(Failure):
            eventually("the bulk load has ended", lambda: bench.counters(site, "bulk")["open"] <= before["open"], limit=5)


def connect(bench: Bench) -> None:
    """Whole short connections: dial, a byte there and back, close."""
    site = Site()
    with bench.targets(site) as ports, bench.lineup(site, ports, everyone()) as entries:
        for count in (1, 16):
            bench.interleave(
                entries, lambda entry, count=count: bench.measure(site, entry.running, "connect", "small", tunnels=count),
                at_once=count)
