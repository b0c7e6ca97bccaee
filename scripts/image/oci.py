"""Writes an OCI image archive. The same input gives the same bytes."""

from __future__ import annotations

import dataclasses
import gzip
import hashlib
import io
import json
import pathlib
import tarfile
import time

from . import packages

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"


@dataclasses.dataclass(frozen=True)
class Image:
    name: str  # REGISTRY/NAME:TAG
    version: str
    revision: str
    epoch: int
    settings: dict  # of the image's configuration: User, Entrypoint ...
    comments: tuple[str, ...]  # one a layer


class Blobs:
    """The content-addressed half of an OCI layout."""

    def __init__(self) -> None:
        self.content: dict[str, bytes] = {}

    def add(self, media_type: str, content: bytes) -> dict:
        digest = hashlib.sha256(content).hexdigest()
        self.content[f"blobs/sha256/{digest}"] = content
        return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(content)}


def write(archive: pathlib.Path, image: Image, layers: list[pathlib.Path], level: int = 9) -> str:
    """Returns the digest of the image's manifest. Level 0 does not compress."""
    blobs = Blobs()
    tars = [layer_tar(folder, image.epoch) for folder in layers]
    compressed = [blobs.add(f"{LAYER}+gzip", gzip.compress(tar, level, mtime=0)) if level else blobs.add(LAYER, tar) for tar in tars]
    config = blobs.add(CONFIG, as_json(image_config(image, [hashlib.sha256(tar).hexdigest() for tar in tars])))
    manifest = blobs.add(MANIFEST, as_json({
        "schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": compressed, "annotations": labels(image),
    }))
    # The first name is containerd's, the second that of everybody else.
    names = {"io.containerd.image.name": image.name, "org.opencontainers.image.ref.name": image.name.rpartition(":")[2]}
    index = {"schemaVersion": 2, "mediaType": INDEX,
             "manifests": [{**manifest, "platform": platform(), "annotations": names}]}
    files = {"index.json": as_json(index), "oci-layout": as_json({"imageLayoutVersion": "1.0.0"}), **blobs.content}
    archive.write_bytes(files_tar(files, image.epoch))
    return manifest["digest"]


def image_config(image: Image, layers: list[str]) -> dict:
    created = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(image.epoch))
    return {
        "created": created,
        **platform(),
        "config": {"Env": ["PATH=/usr/sbin:/usr/bin:/sbin:/bin:/"], "WorkingDir": "/", "Labels": labels(image), **image.settings},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{layer}" for layer in layers]},
        "history": [{"created": created, "comment": comment} for comment in image.comments],
    }


def labels(image: Image) -> dict:
    prefix = "org.opencontainers.image."
    values = {"title": image.name.rpartition("/")[2].partition(":")[0], "version": image.version, "revision": image.revision, "licenses": "Apache-2.0"}
    return {prefix + name: value for name, value in values.items() if value}


def platform() -> dict:
    return {"architecture": packages.named("libc6").architecture, "os": "linux"}


def as_json(value: dict) -> bytes:
    return json.dumps(value, separators=(",", ":"), sort_keys=True).encode()


def layer_tar(folder: pathlib.Path, epoch: int) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for path in sorted(folder.rglob("*")):
            entry = tar.gettarinfo(path, arcname=str(path.relative_to(folder)))
            entry.mtime, entry.uid, entry.gid, entry.uname, entry.gname = epoch, 0, 0, "", ""
            entry.mode = mode_of(entry)
            if entry.isreg():
                with path.open("rb") as content:
                    tar.addfile(entry, content)
            else:
                tar.addfile(entry)
    return buffer.getvalue()


def mode_of(entry: tarfile.TarInfo) -> int:
    """Whatever the umask of the build was."""
    if entry.issym():
        return 0o777
    if entry.isdir():
        return 0o1777 if entry.name == "tmp" else 0o755
    return 0o755 if entry.mode & 0o100 else 0o644


def files_tar(files: dict[str, bytes], epoch: int) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name in sorted(files):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mtime, entry.mode = len(files[name]), epoch, 0o644
            tar.addfile(entry, io.BytesIO(files[name]))
    return buffer.getvalue()
