"""Programs under measurement: started with their output in a file, found dead or alive, ended in the end."""

from __future__ import annotations

import ctypes
import os
import pathlib
import signal
import socket
import subprocess
import time
from collections.abc import Callable

PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None)
LISTEN = "0A"  # in /proc/net/tcp
PATIENCE = 10  # seconds for a program to end


class Failure(Exception):
    """A measurement that did not come about, told to people as it is."""


class Process:
    """A running program. It ends with us, however we end."""

    def __init__(self, name: str, command: list[str], log: pathlib.Path):
        self.name, self.command, self.log = name, [str(word) for word in command], log
        with open(log, "ab") as output:
            self.child = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=clean_environment(),
                preexec_fn=_die_with_parent,
            )

    @property
    def pid(self) -> int:
        return self.child.pid

    def alive(self) -> bool:
        return self.child.poll() is None

    def require(self) -> None:
        if not self.alive():
            raise Failure(f"{self.name} ended with {self.child.returncode}: {self.last_words()}")

    def last_words(self) -> str:
        lines = self.log.read_text(errors="replace").strip().splitlines()
        return " | ".join(lines[-3:]) or "it said nothing"

    def kill(self) -> None:
        """The way of a power cut."""
        if self.alive():
            self.child.send_signal(signal.SIGKILL)
        self.child.wait(PATIENCE)

    def stop(self) -> None:
        if self.alive():
            self.child.terminate()
        try:
            self.child.wait(1)
        except subprocess.TimeoutExpired:
            self.kill()


def eventually(what: str, happened: Callable[[], bool], process: Process | None = None, limit: float = 20) -> None:
    """Waits for something, as long as the process that it depends on lives."""
    deadline = time.monotonic() + limit
    while not happened():
        if process:
            process.require()
        if time.monotonic() > deadline:
            raise Failure(f"waited {limit:.0f} s in vain until {what}")
        time.sleep(0.02)


def await_listener(process: Process, port: int) -> None:
    """Waits until somebody in the process's network listens there. A client that came sooner would back off."""

    def listening() -> bool:
        wanted = f":{port:04X}"
        for table in ("tcp", "tcp6"):
            for line in pathlib.Path(f"/proc/{process.pid}/net/{table}").read_text().splitlines()[1:]:
                fields = line.split()
                if fields[1].endswith(wanted) and fields[3] == LISTEN:
                    return True
        return False

    eventually(f"{process.name} listens on port {port}", listening, process)


def run(command: list[str], limit: float = 60) -> str:
    """Runs a command to its end and gives what it printed; what it complained of is the reason of a failure."""
    words = [str(word) for word in command]
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=limit, env=clean_environment(), check=False)
    except subprocess.TimeoutExpired:
        raise Failure(f"{os.path.basename(words[0])} did not end within {limit:.0f} s") from None
    if done.returncode:
        raise Failure(done.stderr.strip()[-400:] or f"{' '.join(words[:3])} ended with {done.returncode}")
    return done.stdout


def clean_environment() -> dict[str, str]:
    """Without proxies: the agents would honour them."""
    return {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}


def _die_with_parent() -> None:
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Ports:
    """Free ports below the range that the kernel hands out by itself."""

    def __init__(self, first: int = 21000, last: int = 29999):
        self._left = iter(range(first, last))

    def take(self) -> int:
        for port in self._left:
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind(("", port))
                    return port
                except OSError:
                    continue
        raise Failure("no free port between 21000 and 29999")
