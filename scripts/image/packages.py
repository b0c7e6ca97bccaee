"""Debian packages: which one a file comes from, and under what licence."""

from __future__ import annotations

import dataclasses
import pathlib
import re
import subprocess

from . import ImageError

DOCUMENTS = pathlib.Path("/usr/share/doc")
COMMON_LICENCE = re.compile(rb"/usr/share/common-licenses/([A-Za-z0-9.+-]*[A-Za-z0-9])")

# Debian's copyright files are prose; these are their licences as SPDX expressions, of the files that we ship.
LICENCES = {
    "busybox-static": "GPL-2.0-only",
    "ca-certificates": "MPL-2.0",
    "libboost-container1.81.0": "BSL-1.0",
    "libboost-json1.81.0": "BSL-1.0",
    "libboost1.81-dev": "BSL-1.0",
    "libc6": "LGPL-2.1-or-later",
    "libfmt9": "MIT",
    "libgcc-s1": "GPL-3.0-or-later WITH GCC-exception-3.1",
    "libnghttp2-14": "MIT",
    "libprometheus-cpp-core1.0": "MIT",
    "libspdlog1.10": "MIT",
    "libssl3": "Apache-2.0",
    "libstdc++6": "GPL-3.0-or-later WITH GCC-exception-3.1",
    "libyaml-cpp0.7": "MIT",
    "zlib1g": "Zlib",
}


@dataclasses.dataclass(frozen=True, order=True)
class Package:
    name: str
    version: str
    architecture: str
    source: str
    source_version: str
    licence: str

    def copyright(self) -> bytes:
        return (DOCUMENTS / self.name / "copyright").read_bytes()

    def common_licences(self) -> list[str]:
        return sorted({name.decode() for name in COMMON_LICENCE.findall(self.copyright())})


def named(name: str) -> Package:
    form = "${Version}\t${Architecture}\t${source:Package}\t${source:Version}"
    answer = subprocess.run(["dpkg-query", "-W", f"-f={form}", name], capture_output=True, text=True)
    if answer.returncode:
        raise ImageError(f"the Debian package {name} is not installed: run scripts/install-deps image")
    if name not in LICENCES:
        raise ImageError(f"the licence of the Debian package {name} is not known: add it to scripts/image/packages.py")
    return Package(name, *answer.stdout.split("\t"), LICENCES[name])


def owner(path: pathlib.Path) -> str:
    """The name of the package that `path` belongs to. /usr/lib and /lib are one folder, of which dpkg knows either name."""
    real = str(path.resolve())
    for candidate in (real, real.removeprefix("/usr"), f"/usr{real}"):
        answer = subprocess.run(["dpkg-query", "-S", candidate], capture_output=True, text=True)
        if answer.returncode == 0:
            return answer.stdout.split(": ")[0].split(":")[0]
    raise ImageError(f"{path} belongs to no Debian package: link the program with Debian's libraries only")
