"""One run of the harness: the world, the settings, and the loops that cases are made of."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import pathlib
import socket
import sys
import time
from collections.abc import Callable, Iterator

from .contenders import Contender, Running, World
from .processes import Failure, Process, run
from .results import Rows
from .sites import Site

TARGETS = ("bulk", "small")  # two processes, so that an echo does not wait for a core that a source keeps busy


@dataclasses.dataclass(frozen=True)
class Settings:
    repeats: int = 3
    seconds: float = 1.5
    warmup: float = 0.4
    quick: bool = False

    @property
    def fewer(self) -> int:
        """Repeats of what takes long or matters less: a whole run has to end within half an hour."""
        return max(1, self.repeats * 2 // 3)

    @staticmethod
    def choose(quick: bool, repeats: int | None) -> Settings:
        chosen = Settings(1, 0.8, 0.3, True) if quick else Settings()
        return dataclasses.replace(chosen, repeats=repeats) if repeats else chosen


@dataclasses.dataclass
class Entry:
    """One contender in one of its ways, started."""

    contender: Contender
    via: str
    running: Running


class Bench:
    """Owns the targets of a site while a case runs on it."""

    def __init__(self, world: World, settings: Settings, rows: Rows):
        self.world, self.settings, self.rows = world, settings, rows
        self._services: dict[pathlib.Path, int] = {}  # their processes, by control socket

    @property
    def load(self) -> pathlib.Path:
        return self.world.programs["bench-load"]

    @contextlib.contextmanager
    def targets(self, site: Site) -> Iterator[dict[str, int]]:
        """The services behind the tunnels; gives their ports."""
        started, ports = [], {name: self.world.ports.take() for name in TARGETS}
        try:
            for name, port in ports.items():
                command = [self.load, "target", "--listen", site.target_listen(port), "--control", self.control(site, name)]
                log = self.world.folder / self.world.unique(f"target-{name}.log")
                started.append(Process(f"target {name}", site.in_cluster(command), log))
                self._services[self.control(site, name)] = started[-1].pid
            yield ports
        finally:
            for process in started:
                process.kill()

    def control(self, site: Site, target: str) -> pathlib.Path:
        return self.world.folder / f"control-{target}-{site.name.replace(' ', '-').replace('%', '')}"

    def counters(self, site: Site, target: str) -> dict:
        """What a target has seen so far: bytes sunk, connections opened and open."""
        with socket.socket(socket.AF_UNIX) as asked:
            asked.settimeout(5)
            asked.connect(str(self.control(site, target)))
            return json.loads(asked.makefile().readline())

    @contextlib.contextmanager
    def lineup(self, site: Site, ports: dict[str, int], members: list[tuple[Contender, str]], **row) -> Iterator[list[Entry]]:
        """Starts all and waits until each works; who does not is recorded with the reason and left out."""
        entries: list[Entry] = []
        try:
            for contender, via in members:
                reason = contender.missing(self.world)
                if reason:
                    self.skip(contender, via, reason, **row)
                    continue
                try:
                    entries.append(Entry(contender, via, contender.start(self.world, site, via, ports)))
                except Failure as failure:
                    self.skip(contender, via, str(failure), **row)
            yield [entry for entry in entries if self._ready(site, entry, row)]
        finally:
            for entry in entries:
                entry.running.stop()

    def _ready(self, site: Site, entry: Entry, row: dict) -> bool:
        try:
            self.wait(site, entry.running)
            return True
        except Failure as failure:
            self.skip(entry.contender, entry.via, str(failure), **row)
            return False

    def wait(self, site: Site, running: Running, limit: float = 15) -> None:
        for target in running.fronts:
            command = [self.load, "wait", "--limit", f"{limit}s", *running.route(target, self.world.frontend)]
            try:
                run(site.in_hub(command), limit + 10)
            except Failure as failure:
                running.require()
                raise failure

    def skip(self, contender: Contender, via: str, reason: str, **row) -> None:
        say(f"{contender.key} over {via}: left out, {reason}")
        self.rows.skip(contender.key, via, reason, **row)

    def interleave(self, entries: list[Entry], measure: Callable[[Entry], dict], repeats: int | None = None, **row) -> None:
        """Each repeat visits every entry once, so that a slow minute of the machine hits all alike."""
        for repeat in range(repeats or self.settings.repeats):
            for entry in entries:
                try:
                    entry.running.require()
                    sample = measure(entry)
                except Failure as failure:
                    say(f"{entry.contender.key} over {entry.via}: {failure}")
                    self.rows.fail(entry.contender.key, entry.via, str(failure), **row)
                    continue
                self.rows.add(entry.contender.key, entry.via, sample, **row)
                say(f"{entry.contender.key:18} {entry.via:13} {words(row)}#{repeat + 1}: {gist(sample)}")

    def measure(self, site: Site, running: Running, case: str, target: str = "bulk", limit: float = 0, **flags) -> dict:
        """Runs the load once and gives its result."""
        arguments = {"seconds": self.settings.seconds, "warmup": self.settings.warmup, **flags}
        command = self.load_command(site, running, case, target, arguments)
        patience = limit or 90 + 4 * (arguments["seconds"] + arguments["warmup"])
        return json.loads(run(command, patience))

    def load_command(self, site: Site, running: Running, case: str, target: str, arguments: dict) -> list[str]:
        control = self.control(site, target)
        words = [self.load, "run", "--case", case, "--control", control, *running.watch(service=self._services[control]),
                 *running.route(target, self.world.frontend)]
        for name, value in arguments.items():
            words += [f"--{name}", str(value)]
        return site.in_hub(words)


def words(row: dict) -> str:
    return "".join(f"{name}={value} " for name, value in row.items())


GIST = ("mb_per_s", "p50_ms", "p99_ms", "max_ms", "connects_per_s", "failed", "failed_dials", "ended", "kb_per_tunnel",
        "server", "agent", "with", "without")


def gist(sample: dict) -> str:
    """The numbers that matter, for people who watch."""
    parts = [f"{name} ({gist(value)})" if isinstance(value, dict) else f"{name} {value:.4g}"
             for name, value in sample.items() if name in GIST]
    return ", ".join(parts)


def pss_kb(pid: int) -> int:
    """Memory that a process has for itself, with its share of what it shares."""
    for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    return 0


def settled(pid: int, limit: float = 5, still: float = 1) -> int:
    """The memory once it has not changed by more than 1 % for so many seconds, at most after the limit."""
    end = time.monotonic() + limit
    memory, since = pss_kb(pid), time.monotonic()
    while time.monotonic() < end and time.monotonic() - since < still:
        time.sleep(0.1)
        now = pss_kb(pid)
        if abs(now - memory) * 100 > memory:
            memory, since = now, time.monotonic()
    return pss_kb(pid)


STARTED = time.monotonic()


def say(text: str) -> None:
    print(f"[{time.monotonic() - STARTED:6.1f}] {text}", file=sys.stderr, flush=True)
