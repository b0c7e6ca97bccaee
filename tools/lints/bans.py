"""Lines that must not stand in the sources (tools/bans.toml)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from . import Finding, Tree, matches

EVERYTHING = ["**"]
# The rules and their test have to spell out what they look for; the licence is not ours to word.
OWN = ["tools/bans.toml", "tools/test_lints", "LICENSE"]


def check(tree: Tree, bans: list[dict]) -> Iterator[Finding]:
    rules = [(ban, re.compile(ban["pattern"])) for ban in bans]
    for path, text in tree.files("**"):
        if path in OWN:
            continue
        holds = [(ban, pattern) for ban, pattern in rules if _holds(ban, path)]
        for number, line in enumerate(text.splitlines(), start=1):
            for ban, pattern in holds:
                match = pattern.search(line)
                if match and f"NOLINT({ban['name']}): " not in line:
                    yield Finding(path, number, ban["name"], f"`{match[0].strip()}`: {ban['reason']}")


def _holds(ban: dict, path: str) -> bool:
    inside = any(matches(path, glob) for glob in ban.get("in", EVERYTHING))
    return inside and not any(matches(path, glob) for glob in ban.get("except", []))
