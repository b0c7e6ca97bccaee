"""One section of benchmarks.md for each case."""

from __future__ import annotations

from .stats import REFERENCE, Case, between, cpu_per_gb, median, number, peak_mb, ratio, spread, times
from .tables import WAY, WHO, Column, table


def against_reference(case: Case, what, **fixed) -> Column:
    """The ratio to the reference in the same way, or in its usual one where the contender has another."""

    def cell(row: dict) -> str:
        same = {name: value for name, value in row["parameters"].items()}
        reference = case.find(REFERENCE, row["via"], **same) or case.find(REFERENCE, None, **same)
        return times(ratio(median(row, what), median(reference, what)))

    return Column("x reference", cell)


def value(head: str, what) -> Column:
    return Column(head, lambda row: number(median(row, what)))


def around(what) -> Column:
    return Column("least - most", lambda row: between(spread(row, what)))


def throughput(case: Case) -> str:
    columns = [WHO, WAY, value("MB/s", "mb_per_s"), around("mb_per_s"), against_reference(case, "mb_per_s")]
    for role in ("server", "agent"):
        columns.append(value(f"{role} CPU s/GB", cpu_per_gb(role)))
    for role in ("server", "agent"):
        columns.append(value(f"{role} peak MB", peak_mb(role)))
    parts = []
    for count in case.values("tunnels"):
        parts.append(f"### {plural(count)}\n\n" + table(case.with_parameters(tunnels=count), columns))
    return "\n".join(parts)


def plural(count: int) -> str:
    return "One tunnel" if count == 1 else f"{count} tunnels at once"


SECTIONS = {
    "download": ("Download", "From a service in the cluster to a client at the hub.", throughput),
    "upload": ("Upload", "The other way; counted where it arrives.", throughput),
}
