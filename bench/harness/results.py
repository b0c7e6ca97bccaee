"""results.json: what was measured, by case. A run replaces the cases that it ran and keeps the others."""

from __future__ import annotations

import json
import pathlib
import re


class Rows:
    """Rows of one case. A row is a contender in one way under one set of parameters, with a sample for each repeat."""

    def __init__(self):
        self._rows: dict[str, dict] = {}

    def add(self, contender: str, via: str, sample: dict, **parameters) -> None:
        self._row(contender, via, parameters)["samples"].append(rounded(sample))

    def fail(self, contender: str, via: str, reason: str, **parameters) -> None:
        self._row(contender, via, parameters).setdefault("failures", []).append(without_places(reason))

    def skip(self, contender: str, via: str, reason: str, **parameters) -> None:
        self._row(contender, via, parameters)["skipped"] = without_places(reason)

    def list(self) -> list[dict]:
        return list(self._rows.values())

    def _row(self, contender: str, via: str, parameters: dict) -> dict:
        key = json.dumps([contender, via, parameters], sort_keys=True)
        new = {"contender": contender, "via": via, "parameters": parameters, "samples": []}
        return self._rows.setdefault(key, new)


def without_places(reason: str) -> str:
    """Without the temporary folders of one run, which mean nothing to a reader."""
    return re.sub(r"/\S*/(?=[\w.-]+)", "", reason)


def rounded(value):
    """Six digits are more than any of this is worth."""
    if isinstance(value, dict):
        return {name: rounded(item) for name, item in value.items()}
    if isinstance(value, list):
        return [rounded(item) for item in value]
    return float(f"{value:.6g}") if isinstance(value, float) else value


def load(path: pathlib.Path) -> dict:
    return json.loads(path.read_text()) if path.exists() else {"cases": {}}


def save(path: pathlib.Path, results: dict) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(results, indent=1, sort_keys=True) + "\n")
    partial.replace(path)
