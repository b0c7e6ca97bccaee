"""Which plots there are. Each draws one file from one or two cases."""

from __future__ import annotations

import pathlib

from . import plots
from .plots import plt
from .stats import Case, cpu_per_gb


def draw(cases: dict[str, Case], folder: pathlib.Path) -> None:
    for name in ("download", "upload"):
        if name in cases:
            throughput(cases[name], folder, f"{name}.svg")


def throughput(case: Case, folder: pathlib.Path, file: str) -> None:
    """Speed and price of one tunnel in the usual way, without `no proxy`, beside which nothing else could be told apart."""
    rows = [row for row in case.with_parameters(tunnels=1)
            if row["contender"] != "direct" and row["via"] in ("connect-unix", "unix", "tcp")]
    figure, (speed, price) = plt.subplots(1, 2, figsize=(10, 3.4), sharey=False)
    plots.bars(speed, rows, "mb_per_s", f"{case.name.capitalize()}, one tunnel", "MB/s, more is better")
    plots.bars(price, rows, lambda sample: cpu_per_gb("server")(sample) + cpu_per_gb("agent")(sample),
               "Processor time, server and agent", "CPU seconds per GB, less is better")
    price.set_yticklabels([])
    save_tight(figure, folder, file)


def save_tight(figure, folder: pathlib.Path, file: str) -> None:
    figure.tight_layout()
    plots.save(figure, folder, file)
