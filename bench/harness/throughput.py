"""Cases download and upload: bytes a second, processor time a gigabyte, peak memory, in every way in."""

from __future__ import annotations

from .bench import Bench
from .lineups import OUR_WAYS, everyone, members
from .sites import Site


def download(bench: Bench) -> None:
    throughput(bench, "download")


def upload(bench: Bench) -> None:
    throughput(bench, "upload")


def throughput(bench: Bench, case: str) -> None:
    site = Site()
    tunnels = (1, 8) if bench.settings.quick else (1, 8, 64)
    with bench.targets(site) as ports:
        run_group(bench, site, ports, case, everyone(), tunnels, bench.settings.repeats)
        for via in OUR_WAYS:
            run_group(bench, site, ports, case, members(via), tunnels[:1] if bench.settings.quick else tunnels, bench.settings.fewer)


def run_group(bench: Bench, site: Site, ports, case: str, group, tunnels: tuple[int, ...], repeats: int) -> None:
    for count in tunnels:
        # Fresh processes for each count: memory that a larger count left behind would be counted again.
        with bench.lineup(site, ports, group, tunnels=count) as entries:
            bench.interleave(
                entries, lambda entry, count=count: bench.measure(site, entry.running, case, tunnels=count), repeats, tunnels=count)
