"""The tables of docs/security.md."""

from __future__ import annotations

import re
from collections.abc import Iterator


def rights(page: str, account: str, options: set[str]) -> tuple[set, set]:
    """What the page says that `account` may do: in all namespaces, and besides in that of the release; as (resource, name, verb).
    Rows with a word in their last column count only when it is among `options`."""
    section = re.search(rf"^### `{account}`.*?(?=^##)", page, re.MULTILINE | re.DOTALL)[0]
    everywhere, _, inside = section.partition("\nBesides, in R")
    return set(_rows(everywhere, options)), set(_rows(inside, options))


def _rows(text: str, options: set[str]) -> Iterator[tuple[str, str, str]]:
    for line in text.splitlines():
        cells = [each.strip() for each in line.strip().strip("|").split("|")]
        if len(cells) != 5 or cells[0] == "resource" or cells[0].startswith("---"):
            continue
        resource, names, verbs, _, only_with = cells
        if only_with and only_with not in options:
            continue
        yield from ((resource, name, verb) for name in names.split() or [""] for verb in verbs.split())
