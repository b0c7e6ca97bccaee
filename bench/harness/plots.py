"""Plots of results.json. Three colours have a meaning: the reference, ours, and all others."""

from __future__ import annotations

import pathlib

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt  # noqa: E402

from .stats import Case, median, number, spread  # noqa: E402

COLOURS = {"reference": "#8a8f98", "ours": "#0b6e4f", "ours-konnectivity": "#57b894"}
OTHER, FAINT, INK = "#d9a441", "#e3e5e8", "#22252a"
NAMES = {
    "direct": "no proxy", "reference": "reference", "ours": "ours, native", "ours-konnectivity": "ours, konnectivity",
    "our-server-go-agent": "our server, Go agent", "go-server-our-agent": "Go server, our agent",
    "haproxy": "HAProxy", "rathole": "rathole", "frp": "frp",
}

plt.rcParams.update({
    "svg.hashsalt": "cluster-proxy", "svg.fonttype": "path", "font.size": 10, "font.family": "DejaVu Sans",
    "axes.spines.top": False, "axes.spines.right": False, "axes.edgecolor": "#b8bcc2", "axes.titleweight": "bold",
    "axes.titlelocation": "left", "axes.titlesize": 11, "text.color": INK, "axes.labelcolor": INK,
    "xtick.color": INK, "ytick.color": INK, "figure.facecolor": "white", "savefig.facecolor": "white",
})


def colour(contender: str) -> str:
    return COLOURS.get(contender, "#b9d9cc" if contender in ("our-server-go-agent", "go-server-our-agent") else OTHER)


def save(figure, folder: pathlib.Path, file: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    figure.savefig(folder / file, metadata={"Date": None}, bbox_inches="tight")
    plt.close(figure)


def bars(axes, rows: list[dict], what, title: str, unit: str) -> None:
    """One bar a contender, the least and the most as a line through its end."""
    rows = [row for row in rows if median(row, what) is not None][::-1]
    heights = [median(row, what) for row in rows]
    errors = [[height - spread(row, what)[0] for row, height in zip(rows, heights)],
              [spread(row, what)[1] - height for row, height in zip(rows, heights)]]
    axes.barh([NAMES[row["contender"]] for row in rows], heights, color=[colour(row["contender"]) for row in rows],
              xerr=errors, error_kw={"ecolor": INK, "elinewidth": 0.8, "capsize": 2}, height=0.7)
    room = max((spread(row, what)[1] for row in rows), default=1)
    for place, (row, height) in enumerate(zip(rows, heights)):
        axes.text(spread(row, what)[1] + room * 0.02, place, number(height), va="center", fontsize=9)
    axes.set_xlim(0, room * 1.18)
    axes.set_title(title)
    axes.set_xlabel(unit)
    axes.tick_params(axis="y", length=0)
