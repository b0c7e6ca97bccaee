"""The project's own rules, each a function from a source tree to findings."""

from __future__ import annotations

import dataclasses
import pathlib
import subprocess
from collections.abc import Iterator


@dataclasses.dataclass(frozen=True)
class Finding:
    """One place that breaks (error) or strains (warning) a rule."""

    path: str
    line: int
    rule: str
    message: str
    error: bool = True

    def __str__(self) -> str:
        kind = "error" if self.error else "warning"
        return f"{self.path}:{self.line}: {kind}: {self.message} [{self.rule}]"


class Tree:
    """The text files of a source tree, by path from its root, in order."""

    def __init__(self, root: pathlib.Path, paths: list[str]):
        self.root = root
        self.paths = sorted(paths)

    @classmethod
    def of_git(cls, root: pathlib.Path) -> Tree:
        """All files that git tracks or would track."""
        command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
        output = subprocess.run(command, cwd=root, check=True, capture_output=True, text=True).stdout
        return cls(root, [p for p in output.split("\0") if p and (root / p).is_file()])

    def files(self, *globs: str) -> Iterator[tuple[str, str]]:
        """Path and text of each file that one of the globs matches; binary files are left out."""
        for path in self.paths:
            if any(matches(path, glob) for glob in globs):
                try:
                    yield path, (self.root / path).read_text(encoding="utf-8")
                except UnicodeDecodeError:
                    continue


def matches(path: str, glob: str) -> bool:
    """Like pathlib's match, where a leading or middle `**` stands for any number of folders."""
    return _match(path.split("/"), glob.split("/"))


def _match(parts: list[str], globs: list[str]) -> bool:
    if not globs:
        return not parts
    if globs[0] == "**":
        if len(globs) == 1:
            return bool(parts)
        return any(_match(parts[i:], globs[1:]) for i in range(len(parts)))
    return bool(parts) and pathlib.PurePath(parts[0]).match(globs[0]) and _match(parts[1:], globs[1:])
