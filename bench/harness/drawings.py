"""Which plots there are. Each draws one file from one case."""

from __future__ import annotations

import pathlib

from . import plots
from .plots import plt
from .sections import kept
from .stats import Case, cpu_per_gb, median, pick

USUAL = ("connect-unix", "unix", "tcp")


def draw(cases: dict[str, Case], folder: pathlib.Path) -> None:
    for name, drawing in DRAWINGS.items():
        if name in cases:
            figure = drawing(cases[name])
            figure.tight_layout()
            plots.save(figure, folder, f"{name}.svg")


def usual(case: Case, without: tuple[str, ...] = ("direct",), **parameters) -> list[dict]:
    """Without `no proxy`, beside which nothing else could be told apart."""
    return [row for row in case.with_parameters(**parameters) if row["contender"] not in without and row["via"] in USUAL]


def two(height: float = 3.4):
    return plt.subplots(1, 2, figsize=(10, height))


def throughput(case: Case):
    figure, (speed, price) = two()
    rows = usual(case, tunnels=1)
    plots.bars(speed, rows, "mb_per_s", f"{case.name.capitalize()}, one tunnel", "MB/s, more is better")
    plots.bars(price, rows, both_sides, "Processor time, server and agent", "CPU seconds per GB, less is better", names=False)
    return figure


def both_sides(sample: dict) -> float | None:
    sides = [cpu_per_gb(role)(sample) for role in ("server", "agent")]
    return sum(sides) if None not in sides else None


def rtt(case: Case):
    figure, axes = two()
    for place, (load, title) in zip(axes, (("alone", "64-byte round trip, alone"), ("bulk", "beside four downloads"))):
        plots.ranges(place, usual(case, (), load=load), ("p50_ms", "p99_ms"), title, "ms: median and 99th percentile, less is better")
    return figure


def connect(case: Case):
    figure, axes = two()
    for place, (count, title) in zip(axes, ((1, "Connects, one after another"), (16, "Connects, 16 at once"))):
        plots.bars(place, usual(case, at_once=count), "connects_per_s", title, "a second, more is better", names=count == 1)
    return figure


def idle(case: Case):
    figure, axes = two(2.8)
    for place, side in zip(axes, ("server", "agent")):
        plots.bars(place, case.rows, f"kb_per_tunnel.{side}", f"Idle tunnel, {side}", "KB a tunnel, less is better", names=side == "server")
    return figure


def stall(case: Case):
    neighbours = case.values("neighbours")
    figure, axes = plt.subplots(1, len(neighbours), figsize=(10, 2.6), squeeze=False)
    for place, name in zip(axes[0], neighbours):
        plots.bars(place, case.with_parameters(neighbours=name), kept, name, "% of throughput that the others keep", names=name == neighbours[0])
    return figure


def link(case: Case):
    figure, axes = two()
    for place, way in zip(axes, ("download", "upload")):
        plots.bars(place, usual(case, (), way=way), "mb_per_s", f"1 Gb/s link, {way}", "MB/s, more is better", names=way == "download")
    return figure


def delay(case: Case):
    figure, axes = plt.subplots(figsize=(7, 3.6))
    rows = case.with_parameters(way="download", loss=0.0)
    plots.lines(axes, rows, lambda row: row["parameters"]["round_trip_ms"], lambda row: median(row, "mb_per_s"))
    axes.set_xlabel("ms there and back")
    axes.set_ylabel("MB/s")
    axes.set_yscale("log")
    plots.plain_log(axes.yaxis)
    axes.set_title("Download, one stream, 1 Gb/s and a delay")
    return figure


def agents(case: Case):
    figure, (back, memory) = two(2.6)
    most = max(case.values("agents"))
    rows = case.with_parameters(agents=most)
    plots.bars(back, rows, "back_s", f"{most:,} agents, all back after a restart", "seconds, less is better")
    plots.bars(memory, rows, "kb_per_agent", "Memory of the server", "KB an agent, less is better", names=False)
    return figure


def soak(case: Case):
    figure, axes = two(3)
    for place, role in zip(axes, ("server", "agent")):
        for row in case.rows:
            for sample in row["samples"][-1:]:
                memory = [kb * 1024 / 1e6 for kb in pick(sample, f"memory_kb.{role}")]
                plots.line(place, row["contender"], range(1, len(memory) + 1), memory)
        place.set_title(f"Soak, memory of the {role}")
        place.set_xlabel("part")
        place.set_ylabel("MB when all has ended")
        place.set_ylim(bottom=0)
        plots.whole_numbers(place.xaxis)
        place.legend(frameon=False)
    return figure


DRAWINGS = {
    "download": throughput, "upload": throughput, "rtt": rtt, "connect": connect, "idle": idle, "stall": stall,
    "link": link, "delay": delay, "agents": agents, "soak": soak,
}
