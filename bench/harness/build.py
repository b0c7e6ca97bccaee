"""Whether our programs were built to be measured."""

from __future__ import annotations

import pathlib
import re

from .processes import Failure


def require_optimised(programs: pathlib.Path) -> None:
    """A configuration that once began without its compiler keeps empty flags for ever, and nobody sees it."""
    cache = programs.parent / "CMakeCache.txt"
    if not cache.exists():
        return  # programs from elsewhere
    values = dict(re.findall(r"^(\w+):\w+=(.*)$", cache.read_text(), re.MULTILINE))
    kind = values.get("CMAKE_BUILD_TYPE", "")
    flags = f"{values.get('CMAKE_CXX_FLAGS', '')} {values.get(f'CMAKE_CXX_FLAGS_{kind.upper()}', '')}"
    if not re.search(r"-O[123sz]", flags):
        raise Failure(f"{programs} holds programs that were built without optimisation; "
                      f"to measure, build them anew: rm -r {cache.parent} && make")
