"""Libraries include only libraries below them (tools/layers.toml)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from . import Finding, Tree

INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"/]+)/')


def closure(uses: dict[str, list[str]]) -> dict[str, set[str]]:
    """For each library all libraries below it; raises ValueError for a circle or an unknown name."""
    below: dict[str, set[str]] = {}

    def visit(library: str, way: tuple[str, ...]) -> set[str]:
        if library in way:
            raise ValueError(f"layers.toml: circle: {' -> '.join([*way, library])}")
        if library not in uses:
            raise ValueError(f"layers.toml: {way[-1]} uses {library}, which has no line of its own")
        if library not in below:
            direct = uses[library]
            below[library] = set(direct).union(*(visit(d, (*way, library)) for d in direct))
        return below[library]

    for library in uses:
        visit(library, ())
    return below


def check(tree: Tree, uses: dict[str, list[str]]) -> Iterator[Finding]:
    below = closure(uses)
    for path, text in tree.files("src/*/**/*.h", "src/*/**/*.cc", "src/*/**/*.inc", "bin/**/*.cc"):
        library = path.split("/")[1] if path.startswith("src/") else "bin"
        if library not in below:
            yield Finding(path, 1, "layers", f"library {library} is not in tools/layers.toml; add what it may use")
            continue
        for number, line in enumerate(text.splitlines(), start=1):
            match = INCLUDE.match(line)
            if match and match[1] not in below[library] | {library}:
                may = ", ".join(sorted(below[library])) or "no other library"
                yield Finding(path, number, "layers", f"{library} must not include {match[1]}; it may use: {may}")
