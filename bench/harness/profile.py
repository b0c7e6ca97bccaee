"""Case profile: where the processor time of our server and agent goes, by perf's samples."""

from __future__ import annotations

import pathlib
import shutil
import subprocess
import threading

from .bench import Bench, Entry, say
from .lineups import OURS
from .processes import Failure, run
from .sites import Site

LOADS = {"download": ("download", "bulk", 1), "upload": ("upload", "bulk", 1), "connects, 16 at once": ("connect", "small", 16)}
SECONDS = 4.0
FREQUENCY = 1997  # samples a second; no divisor of anything periodic
PARTS = {"kernel": ("[kernel", "[vdso"), "TLS": ("libcrypto", "libssl"), "nghttp2": ("libnghttp2",), "libc": ("libc.so", "libstdc++", "ld-linux"),
         "ours": ("cluster-proxy",)}
CALLS = ("sendmsg", "recvfrom", "epoll_wait", "epoll_ctl", "connect", "accept", "socket", "close", "shutdown", "sched_yield")


def profile(bench: Bench) -> None:
    way = OURS.ways[0]
    if shutil.which("perf") is None:
        bench.skip(OURS, way, "perf is not installed")
        return
    site = Site()
    for load, (case, target, tunnels) in LOADS.items():
        with bench.targets(site) as ports, bench.lineup(site, ports, [(OURS, way)], load=load) as entries:
            for entry in entries:
                bench.rows.add(OURS.key, way, sampled(bench, site, entry, case, target, tunnels), load=load)
                say(f"profile of {load} taken")


def sampled(bench: Bench, site: Site, entry: Entry, case: str, target: str, tunnels: int) -> dict:
    """Runs the load, and perf beside it for the time between its warm-up and its end."""
    failures: list[Exception] = []

    def load() -> None:
        try:
            bench.measure(site, entry.running, case, target, tunnels=tunnels, seconds=SECONDS + 1)
        except Failure as failure:
            failures.append(failure)

    loading = threading.Thread(target=load)
    loading.start()
    files = {role: bench.world.folder / bench.world.unique(f"{role}.perf") for role in entry.running.roles}
    recorders = [record(entry.running.roles[role].pid, file) for role, file in files.items()]
    for recorder in recorders:
        recorder.wait(SECONDS + 20)
    loading.join()
    if failures:
        raise failures[0]
    return {role: shares(file) for role, file in files.items()}


def record(pid: int, file: pathlib.Path) -> subprocess.Popen:
    command = ["perf", "record", "-q", "-e", "cpu-clock", "-F", str(FREQUENCY), "-g", "-p", str(pid), "-o", file, "--", "sleep", str(SECONDS)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def shares(file: pathlib.Path) -> dict:
    """Percent of the samples: by part, each sample once; by system call, of the whole."""
    objects = report(file, "--no-children", "dso")
    parts = {name: round(sum(share for object_, share in objects if object_.startswith(starts)), 1) for name, starts in PARTS.items()}
    symbols = dict(report(file, "--children", "sym"))
    calls = {call: symbols.get(f"__x64_sys_{call}", 0.0) for call in CALLS}
    return {"parts": parts, "calls": {call: share for call, share in calls.items() if share >= 0.5}}


def report(file: pathlib.Path, children: str, by: str) -> list[tuple[str, float]]:
    """The lines of perf's report: name, percent."""
    command = ["perf", "report", "-i", file, children, "-g", "none", "--sort", by, "--stdio", "--percent-limit", "0.1", "--field-separator", "\t"]
    lines = (line.strip().split("\t") for line in run(command, 120).splitlines() if line.strip() and not line.startswith("#"))
    return [(fields[-1].split("] ")[-1] if by == "sym" else fields[-1].strip(), float(fields[0].rstrip("% "))) for fields in lines]
