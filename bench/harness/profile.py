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
    parts = dict.fromkeys(PARTS, 0.0)
    for object_, symbol, share in report(file, "--no-children", "dso,sym"):
        parts[part_of(object_, symbol)] += share
    parts = {name: round(share, 1) for name, share in parts.items()}
    symbols = dict(report(file, "--children", "sym"))
    calls = {call: symbols.get(f"__x64_sys_{call}", 0.0) for call in CALLS}
    return {"parts": parts, "calls": {call: share for call, share in calls.items() if share >= 0.5}}


def part_of(object_: str, symbol: str) -> str:
    """OpenSSL is linked into the program: its functions are those without a namespace."""
    name = next((name for name, starts in PARTS.items() if object_.startswith(starts)), "ours")
    inside = name == "ours" and "::" not in symbol and not symbol.startswith("0x")
    return "TLS" if inside else name


def report(file: pathlib.Path, children: str, by: str) -> list[tuple]:
    """The lines of perf's report: what `by` asks for, then percent."""
    command = ["perf", "report", "-i", file, children, "-g", "none", "--sort", by, "--stdio", "--percent-limit", "0.01", "--field-separator", "\t"]
    lines = (line.strip().split("\t") for line in run(command, 120).splitlines() if line.strip() and not line.startswith("#"))
    keys = by.count(",") + 1
    return [(*(field.strip().removeprefix("[k] ").removeprefix("[.] ") for field in fields[-keys:]), float(fields[0].rstrip("% "))) for fields in lines]
