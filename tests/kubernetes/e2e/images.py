"""The images of the clusters, as archives that containerd imports. There is no registry: what is not imported cannot be pulled."""

from __future__ import annotations

import concurrent.futures
import pathlib
import shutil
import subprocess

import yaml
from harness.processes import run
from image import oci

HERE = pathlib.Path(__file__).resolve().parents[1]
ROOT = HERE.parents[1]
BUSYBOX = pathlib.Path("/bin/busybox")
TAG = "1"  # not `latest`, which would be pulled


def name(image: str, tag: str = TAG) -> str:
    return f"localhost/{image}:{tag}"


def version() -> str:
    """The chart's tag for every image."""
    chart = yaml.safe_load((ROOT / "charts/cluster-proxy/Chart.yaml").read_text())
    return f"v{chart['version']}"


class Images:
    """All in `folder`. `program` is ours."""

    def __init__(self, folder: pathlib.Path, peers: pathlib.Path, program: pathlib.Path):
        self.folder, self.peers, self.program = folder, peers, program
        folder.mkdir(parents=True)
        self.pause_program = folder / "pause"
        run("clang-19", "-Os", "-static", "-s", "-o", self.pause_program, HERE / "node/pause.c")
        with concurrent.futures.ThreadPoolExecutor() as pool:
            made = [pool.submit(make) for make in (self.pause, self.busybox, self.coredns, self.cluster_proxy)]
        self.archives = [each.result() for each in made]

    def pause(self) -> pathlib.Path:
        return self.write("pause", {"pause": self.pause_program}, {"Entrypoint": ["/pause"], "User": "65535:65535"})

    def coredns(self) -> pathlib.Path:
        return self.write("coredns", {"coredns": self.peers / "coredns"}, {"Entrypoint": ["/coredns"]})

    def busybox(self) -> pathlib.Path:
        applets = subprocess.run([BUSYBOX, "--list"], check=True, capture_output=True, text=True).stdout.split()
        links = {f"bin/{applet}": "busybox" for applet in applets if applet != "busybox"}
        return self.write("busybox", {"bin/busybox": BUSYBOX}, {"Cmd": ["sh"]}, {**links, "usr/bin": "../bin", "usr/sbin": "../bin"})

    def cluster_proxy(self) -> pathlib.Path:
        """As `make image` makes it, but for the program that it holds."""
        folder = self.folder / "cluster-proxy"
        run(ROOT / "scripts/image/build", "--program", self.program, "--output", folder)
        return folder / "cluster-proxy.oci.tar"

    def go(self) -> pathlib.Path:
        """The reference's two ends of the tunnel, under the names that pods call them by."""
        files = {end: self.peers / f"go-{end}" for end in ("proxy-server", "proxy-agent")}
        return self.write("go-proxy", files, {"User": "65532:65532"}, tag=version())

    def write(self, image: str, files: dict[str, pathlib.Path], settings: dict, links: dict[str, str] | None = None, tag: str = TAG) -> pathlib.Path:
        root, archive = self.folder / f"{image}.root", self.folder / f"{image}.tar"
        for path in ("dev", "proc", "sys", "tmp", "etc", "usr"):
            (root / path).mkdir(parents=True, exist_ok=True)
        for path, source in files.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, root / path)
        for path, target in (links or {}).items():
            (root / path).symlink_to(target)
        oci.write(archive, oci.Image(name(image, tag), tag, "", 0, settings, (image,)), [root], level=0)
        shutil.rmtree(root)
        return archive
