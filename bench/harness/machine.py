"""What it was measured on, and with which versions."""

from __future__ import annotations

import os
import pathlib
import platform
import re
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]


def describe(programs: dict[str, pathlib.Path], root: pathlib.Path) -> dict:
    return {
        "cpu": _field("/proc/cpuinfo", "model name"),
        "cores": os.cpu_count(),
        "memory_gib": round(int(_field("/proc/meminfo", "MemTotal").split()[0]) / 2**20, 1),
        "kernel": platform.release(),
        "congestion": pathlib.Path("/proc/sys/net/ipv4/tcp_congestion_control").read_text().strip(),
        "date": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
        "busy_before": busy_share(),
        "versions": _versions(programs, root),
    }


def busy_share(seconds: float = 0.5) -> float:
    """The share of the processors that others use, while nothing of ours runs."""
    first = _processor_times()
    time.sleep(seconds)
    busy, idle = (after - before for before, after in zip(first, _processor_times()))
    return round(busy / max(1, busy + idle), 2)


def _processor_times() -> tuple[int, int]:
    user, nice, system, idle, waiting, *rest = map(int, pathlib.Path("/proc/stat").read_text().split("\n")[0].split()[1:8])
    return user + nice + system + sum(rest), idle + waiting


def _versions(programs: dict[str, pathlib.Path], root: pathlib.Path) -> dict[str, str]:
    return {
        "ours": _commit(root),
        "reference": "apiserver-network-proxy " + _go_module(programs.get("go-proxy-server"), "sigs.k8s.io/apiserver-network-proxy"),
        "frp": _go_module(programs.get("frps"), "github.com/fatedier/frp"),
        "rathole": _first((root / "tests/peers/rathole/Cargo.toml").read_text(), r'rathole = .*"=([\d.]+)"'),
        "haproxy": _first(_output(["/usr/sbin/haproxy", "-v"]), r"version (\S+)"),
        "openssl": _first(_output(["openssl", "version"]), r"OpenSSL (\S+)"),
        "our_openssl": _first(_output([programs.get("cluster-proxy", "false"), "version"]), r"OpenSSL ([\d.]+)"),
        "go": _first(_output(["go", "version"]), r"go([\d.]+)"),
    }


def _commit(root: pathlib.Path) -> str:
    commit = _output(["git", "-C", root, "rev-parse", "--short=10", "HEAD"]).strip()
    changed = _output(["git", "-C", root, "status", "--porcelain", "--", "src", "bin", "CMakeLists.txt"]).strip()
    return commit + (" with changes not committed" if changed else "")


def _go_module(program: pathlib.Path | None, module: str) -> str:
    if program is None:
        return "not built"
    return _first(_output(["go", "version", "-m", program]), rf"{re.escape(module)}\s+(v\S+)")


def _output(command: list) -> str:
    try:
        return subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False).stdout
    except FileNotFoundError:
        return ""


def _first(text: str, pattern: str) -> str:
    found = re.search(pattern, text)
    return found[found.lastindex or 0] if found else "unknown"


def _field(path: str, name: str) -> str:
    for line in pathlib.Path(path).read_text().splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return "unknown"
