"""Libraries that are part of the program itself."""

from __future__ import annotations

import dataclasses
import pathlib
import re
import subprocess

from . import ImageError

OPENSSL = pathlib.Path(__file__).resolve().parents[1] / "openssl"


@dataclasses.dataclass(frozen=True)
class Library:
    name: str
    version: str
    supplier: str
    source: str  # where its sources come from
    licence: str
    text: bytes  # of the licence


def linked_into(program: pathlib.Path) -> list[Library]:
    """Empty when `program` was built with -DCP_SYSTEM_OPENSSL=ON: then it is one of Debian's shared libraries."""
    inside = re.search(rb"OpenSSL (\d+\.\d+\.\d+) \d\d? [A-Z][a-z]{2} \d{4}\0", program.read_bytes())
    if not inside:
        return []
    version, expected = inside[1].decode(), ask("--version")
    if version != expected:
        raise ImageError(f"{program} has OpenSSL {version} inside, scripts/openssl builds {expected}: run `make build` first")
    text = (pathlib.Path(ask()) / "LICENSE.txt").read_bytes()
    return [Library("openssl", version, "OpenSSL", ask("--source"), "Apache-2.0", text)]


def ask(*arguments: str) -> str:
    answer = subprocess.run([OPENSSL, *arguments], capture_output=True, text=True)
    if answer.returncode:
        raise ImageError(answer.stderr.strip())
    return answer.stdout.strip()
