"""Objects beside those of the reference: what differs has to be in the list of differences, with a reason."""

from __future__ import annotations

import dataclasses
import fnmatch
from collections.abc import Iterator

MISSING = object()
# List items that Kubernetes tells apart by a name, so that one more does not shift the others.
NAMED = {"containers", "env", "ports", "volumes", "volumeMounts"}


@dataclasses.dataclass(frozen=True)
class Difference:
    """One place where an object is not as the reference's; `kind` is added, removed or changed."""

    object: str  # Kind/name
    path: str  # a.b.c
    kind: str

    def __str__(self) -> str:
        return f"{self.kind} {self.object} {self.path}".rstrip()


def key(each: dict) -> str:
    return f"{each['kind']}/{each['metadata']['name']}"


def differences(reference: list[dict], ours: list[dict]) -> Iterator[Difference]:
    theirs = {key(each): each for each in reference}
    mine = {key(each): each for each in ours}
    for name in sorted({*theirs, *mine}):
        if name not in mine:
            yield Difference(name, "", "removed")
        elif name not in theirs:
            yield Difference(name, "", "added")
        else:
            yield from _values(name, "", theirs[name], mine[name])


def _values(name: str, path: str, theirs: object, mine: object) -> Iterator[Difference]:
    if isinstance(theirs, dict) and isinstance(mine, dict):
        for member in sorted({*theirs, *mine}):
            below = f"{path}.{member}" if path else member
            yield from _values(name, below, theirs.get(member, MISSING), mine.get(member, MISSING))
    elif isinstance(theirs, list) and isinstance(mine, list) and path.rpartition(".")[2] in NAMED:
        yield from _values(name, path, _by_name(theirs), _by_name(mine))
    elif theirs is MISSING:
        yield Difference(name, path, "added")
    elif mine is MISSING:
        yield Difference(name, path, "removed")
    elif theirs != mine:
        yield Difference(name, path, "changed")


def _by_name(items: list[dict]) -> dict:
    return {str(each.get("name", each.get("port"))): each for each in items}


class Allowed:
    """The list of differences, and which of its entries were met."""

    def __init__(self, entries: list[dict]):
        self.entries = entries
        self.met: set[str] = set()

    def allows(self, difference: Difference) -> bool:
        matching = [each for each in self.entries if self._matches(each, difference)]
        self.met.update(each["id"] for each in matching)
        return bool(matching)

    def unmet(self) -> list[str]:
        return [each["id"] for each in self.entries if each["id"] not in self.met]

    @staticmethod
    def _matches(entry: dict, difference: Difference) -> bool:
        return (
            difference.kind == entry["kind"]
            and any(fnmatch.fnmatchcase(difference.object, each) for each in entry["objects"])
            and any(fnmatch.fnmatchcase(difference.path, each) for each in entry.get("paths", [""]))
        )
