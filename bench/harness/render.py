"""Renders results.json: benchmarks.md and the plots beside the JSON. Needs matplotlib."""

from __future__ import annotations

import argparse
import pathlib

from . import drawings, report, results
from .stats import Case


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", type=pathlib.Path)
    parser.add_argument("report", type=pathlib.Path)
    options = parser.parse_args()
    measured = results.load(options.results)
    options.report.write_text(report.render(measured))
    drawings.draw({name: Case(name, data) for name, data in measured["cases"].items()}, options.results.parent)
    print(f"wrote {options.report}")


if __name__ == "__main__":
    main()
