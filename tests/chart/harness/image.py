"""The image as its archive, and its containers without an engine."""

from __future__ import annotations

import contextlib
import dataclasses
import gzip
import hashlib
import io
import json
import os
import pathlib
import subprocess
import tarfile

from . import helm

BUILD = helm.ROOT / "scripts/image/build"
PROGRAM = pathlib.Path(os.environ["CHART_PROGRAM"])
USER = "65532:65532"
# What a container runtime lays over the image.
MOUNTED = ("etc/hosts", "etc/resolv.conf")


def build(folder: pathlib.Path, *arguments: str) -> str:
    command = [BUILD, "--program", PROGRAM, "--output", folder, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@dataclasses.dataclass
class Image:
    """An OCI archive, each blob checked against its digest."""

    config: dict
    layers: list[bytes]  # uncompressed tars
    index: dict
    size: int

    @classmethod
    def read(cls, archive: pathlib.Path) -> Image:
        with tarfile.open(archive) as tar:
            files = {each.name: tar.extractfile(each).read() for each in tar if each.isfile()}

        def blob(descriptor: dict) -> bytes:
            content = files[f"blobs/{descriptor['digest'].replace(':', '/')}"]
            assert f"sha256:{hashlib.sha256(content).hexdigest()}" == descriptor["digest"], "a blob is not what its name says"
            assert len(content) == descriptor["size"]
            return content

        index = json.loads(files["index.json"])
        manifest = json.loads(blob(index["manifests"][0]))
        layers = [gzip.decompress(blob(each)) for each in manifest["layers"]]
        return cls(json.loads(blob(manifest["config"])), layers, index, archive.stat().st_size)

    def unpack(self, folder: pathlib.Path) -> None:
        for layer in self.layers:
            with tarfile.open(fileobj=io.BytesIO(layer)) as tar:
                tar.extractall(folder)

    def digests(self) -> list[str]:
        return [f"sha256:{hashlib.sha256(layer).hexdigest()}" for layer in self.layers]


class Sandbox:
    """Runs programs of an unpacked image as a pod would: its user, no capabilities, a read-only root, name resolution by
    files that are laid over it. The network is that of the caller."""

    def __init__(self, root: pathlib.Path, hosts: str = "127.0.0.1 localhost\n", resolver: str = "", mounts: dict | None = None,
                 environment: dict | None = None):
        self.root = root
        self.environment = CONTAINER | (environment or {})
        self.mounts = {"etc/hosts": hosts, "etc/resolv.conf": resolver}
        self.folders = mounts or {}

    def command(self, *arguments: str) -> list[str]:
        where = str(self.root)
        steps = ["set -e", f"mount --bind {where} {where}"]
        for path, text in self.mounts.items():
            source = self.root.parent / path.replace("/", "-")
            source.write_text(text)
            steps.append(f"mount --bind {source} {where}/{path}")
        for path, source in self.folders.items():
            steps.append(f"mount --bind {source} {where}/{path}")
        steps += [f"mount -o remount,bind,ro {where}", f"mount -t proc proc {where}/proc", f"mount --bind /dev {where}/dev"]
        steps.append(f'exec chroot --userspec={USER} {where} "$@"')
        return ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", "\n".join(steps), "sh", *arguments]

    def prepare(self) -> None:
        """What a runtime would make before it lays files over the image."""
        for path in MOUNTED:
            (self.root / path).touch()
        for path in self.folders:
            (self.root / path).mkdir(exist_ok=True)

    def run(self, *arguments: str, timeout: int = 60) -> subprocess.CompletedProcess:
        return subprocess.run(self.command(*arguments), capture_output=True, text=True, timeout=timeout, env=self.environment)

    @contextlib.contextmanager
    def started(self, *arguments: str):
        log = self.root.parent / f"{pathlib.Path(arguments[0]).name}.log"
        with log.open("w") as output:
            process = subprocess.Popen(self.command(*arguments), stdout=output, stderr=output, env=self.environment)
            try:
                yield process, log
            finally:
                process.kill()
                process.wait()


CONTAINER = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin:/"}
