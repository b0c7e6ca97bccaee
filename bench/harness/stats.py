"""Medians, spreads and ratios of what results.json holds."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable

REFERENCE = "reference"


class Case:
    """The rows of one case, looked up by contender, way and parameters."""

    def __init__(self, name: str, data: dict):
        self.name, self.data = name, data
        self.rows: list[dict] = data["rows"]

    def find(self, contender: str, via: str | None = None, **parameters) -> dict | None:
        """The first row that fits and has samples."""
        for row in self.rows:
            if row["contender"] == contender and via in (None, row["via"]) and row["samples"]:
                if parameters.items() <= row["parameters"].items():
                    return row
        return None

    def values(self, parameter: str) -> list:
        """The values that a parameter takes, in the order of the rows."""
        return list(dict.fromkeys(row["parameters"][parameter] for row in self.rows if parameter in row["parameters"]))

    def with_parameters(self, **parameters) -> list[dict]:
        return [row for row in self.rows if parameters.items() <= row["parameters"].items()]


def pick(sample: dict, path: str):
    """pick(sample, "cpu_s.server"); None where there is no such thing."""
    for name in path.split("."):
        sample = sample.get(name) if isinstance(sample, dict) else None
    return sample


def values(row: dict | None, what: str | Callable[[dict], float | None]) -> list[float]:
    read = (lambda sample: pick(sample, what)) if isinstance(what, str) else what
    found = [read(sample) for sample in row["samples"]] if row else []
    return [value for value in found if value is not None]


def median(row: dict | None, what) -> float | None:
    found = values(row, what)
    return statistics.median(found) if found else None


def spread(row: dict | None, what) -> tuple[float, float] | None:
    found = values(row, what)
    return (min(found), max(found)) if found else None


def ratio(over: float | None, under: float | None) -> float | None:
    return over / under if over is not None and under else None


def cpu_per_gb(role: str) -> Callable[[dict], float | None]:
    def read(sample: dict) -> float | None:
        spent, moved = pick(sample, f"cpu_s.{role}"), pick(sample, "bytes")
        return spent / (moved / 1e9) if spent is not None and moved else None

    return read


def peak_mb(role: str) -> Callable[[dict], float | None]:
    def read(sample: dict) -> float | None:
        peak = pick(sample, f"peak_kb.{role}")
        return peak * 1024 / 1e6 if peak is not None else None

    return read


def number(value: float | None) -> str:
    """Three digits, as many as a benchmark deserves."""
    if value is None:
        return ""
    if abs(value) >= 100 or float(value).is_integer():
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}" if abs(value) >= 0.1 or value == 0 else f"{value:.3f}"


def between(pair: Iterable[float] | None) -> str:
    if pair is None:
        return ""
    low, high = pair
    return f"{number(low)} - {number(high)}"


def times(value: float | None) -> str:
    return f"{number(value)}x" if value is not None else ""
