"""The cases by name, in the order of a whole run."""

from __future__ import annotations

from collections.abc import Callable

from . import throughput
from .bench import Bench

CASES: dict[str, Callable[[Bench], None]] = {
    "download": throughput.download,
    "upload": throughput.upload,
}
