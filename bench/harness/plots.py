"""Plots of results.json. Three colours have a meaning: the reference, ours, and all others."""

from __future__ import annotations

import pathlib

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt  # noqa: E402
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator  # noqa: E402

from .stats import median, number, spread  # noqa: E402

COLOURS = {"direct": "#d3d6da", "reference": "#8a8f98", "ours": "#0b6e4f", "ours-konnectivity": "#57b894"}
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


def bars(axes, rows: list[dict], what, title: str, unit: str, names: bool = True) -> None:
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
    axes.set_xlim(0, room * 1.18 or 1)
    label(axes, title, unit)
    if not names:
        axes.set_yticklabels([])


def label(axes, title: str, unit: str) -> None:
    axes.set_title(title)
    axes.set_xlabel(unit)
    axes.tick_params(axis="y", length=0)


def ranges(axes, rows: list[dict], ends: tuple[str, str], title: str, unit: str) -> None:
    """From one percentile to another, on a logarithmic axis."""
    rows = [row for row in rows if row["samples"]][::-1]
    for place, row in enumerate(rows):
        low, high = (median(row, end) for end in ends)
        axes.plot([low, high], [place, place], color=colour(row["contender"]), linewidth=3, solid_capstyle="round")
        axes.plot([low], [place], "o", color=colour(row["contender"]), markersize=7)
        axes.text(low, place + 0.28, number(low), ha="center", fontsize=8)
        axes.text(high, place + 0.28, number(high), ha="center", fontsize=8)
    axes.set_yticks(range(len(rows)), [NAMES[row["contender"]] for row in rows])
    axes.set_ylim(-0.6, len(rows) - 0.1)
    axes.set_xscale("log")
    plain_log(axes.xaxis)
    label(axes, title, unit)


def plain_log(axis) -> None:
    """0.1, 1, 10 instead of powers."""
    axis.set_major_locator(LogLocator(10))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(FuncFormatter(lambda value, _: ""))


def whole_numbers(axis) -> None:
    axis.set_major_locator(MaxNLocator(integer=True))


def line(axes, contender: str, across, values) -> None:
    axes.plot(across, values, marker="o", markersize=4, linewidth=2, color=line_colour(contender), label=NAMES[contender])


def line_colour(contender: str) -> str:
    return INK if contender == "direct" else colour(contender)


def lines(axes, rows: list[dict], across, value) -> None:
    """One line a contender."""
    for contender in dict.fromkeys(row["contender"] for row in rows if row["samples"]):
        points = [(across(row), value(row)) for row in rows if row["contender"] == contender and row["samples"]]
        line(axes, contender, *zip(*points))
    axes.legend(frameon=False, fontsize=9)
    axes.grid(axis="y", color=FAINT)
