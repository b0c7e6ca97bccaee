"""Programs of a run: each in a network namespace, with its output in a file."""

from __future__ import annotations

import os
import pathlib
import signal
import subprocess
import time
from collections.abc import Callable, Mapping

PATIENCE = 120  # seconds for anything that has to happen; a deadline, not a wait
STOP = 10  # seconds for a program to end after SIGTERM
POLL = 0.05


class Failure(AssertionError):
    """Something that had to happen did not; the text says what."""


class Process:
    """A running program. `netns` is the name of a namespace, or None for the hub's."""

    def __init__(self, name: str, command: list, log: pathlib.Path, netns: str | None = None, env: Mapping[str, str] | None = None):
        self.name, self.log = name, log
        log.parent.mkdir(parents=True, exist_ok=True)
        with open(log, "ab") as output:
            self.child = subprocess.Popen(
                [str(word) for word in (*inside(netns), *command)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={**os.environ, **(env or {})},
            )
        self.began = time.monotonic()

    def alive(self) -> bool:
        return self.child.poll() is None

    def require(self) -> None:
        if not self.alive():
            raise Failure(f"{self.name} ended with {self.child.returncode}: {self.last_words()} ({self.log})")

    def last_words(self) -> str:
        lines = self.log.read_text(errors="replace").strip().splitlines()
        return " | ".join(lines[-3:]) or "it said nothing"

    def kill(self) -> None:
        """As a power cut does it."""
        self.signal(signal.SIGKILL)
        self.child.wait(STOP)

    def stop(self) -> int:
        """Asks it to end; returns its exit code. An agent takes the first request as a wish to drain, so it is asked twice."""
        for _ in range(2):
            self.signal(signal.SIGTERM)
            try:
                return self.child.wait(STOP / 2)
            except subprocess.TimeoutExpired:
                continue
        self.kill()
        return self.child.returncode

    def signal(self, number: int) -> None:
        if self.alive():
            self.child.send_signal(number)

    def memory_kib(self) -> int:
        """Resident set."""
        for line in pathlib.Path(f"/proc/{self.child.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
        return 0

    def cpu_seconds(self) -> float:
        fields = pathlib.Path(f"/proc/{self.child.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def inside(netns: str | None) -> list[str]:
    """The words before a command that put it there."""
    return ["nsenter", f"--net=/run/netns/{netns}"] if netns else []


def run(*command, netns: str | None = None, text: str | None = None) -> str:
    """A command that ends by itself; its output."""
    done = subprocess.run([str(word) for word in (*inside(netns), *command)], input=text, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Failure(f"{' '.join(map(str, command))} ended with {done.returncode}: {(done.stderr or done.stdout).strip()}")
    return done.stdout


def eventually(what: str, happened: Callable[[], object], limit: float = PATIENCE, of: Process | None = None):
    """Waits until `happened` returns something true, and returns it; as long as the process that it depends on lives."""
    deadline = time.monotonic() + limit
    while True:
        if result := happened():
            return result
        if of:
            of.require()
        if time.monotonic() > deadline:
            raise Failure(f"waited {limit:.0f} s in vain until {what}")
        time.sleep(POLL)
