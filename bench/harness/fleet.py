"""Case agents: thousands of agents on one server, and what its restart does to them."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator

from .bench import Bench, pss_kb, say, settled
from .contenders import Konnectivity
from .lineups import TUNNELS
from .processes import Failure, Process, await_listener, eventually
from .sites import Site

CONNECT_LIMIT = 240  # seconds for all agents


def agents(bench: Bench) -> None:
    for count in (500,) if bench.settings.quick else (1000, 10000):
        for contender in TUNNELS:
            measure(bench, contender, count)


def measure(bench: Bench, contender: Konnectivity, count: int) -> None:
    reason = contender.missing(bench.world)
    if reason:
        bench.skip(contender, contender.ways[0], reason, agents=count)
        return
    try:
        sample = storm(bench, contender, count)
    except Failure as failure:
        say(f"{contender.key}, {count} agents: {failure}")
        bench.rows.fail(contender.key, contender.ways[0], str(failure), agents=count)
        return
    bench.rows.add(contender.key, contender.ways[0], sample, agents=count)
    say(f"{contender.key}, {count} agents: {sample}")


def storm(bench: Bench, contender: Konnectivity, count: int) -> dict:
    """All connect; the server is killed and started again on its port; all come back by themselves."""
    site, via = Site(), contender.ways[0]
    server, _, port = contender.start_server(bench.world, site, via)
    try:
        await_listener(server, port)
        before = settled(server.pid)
        with simulated(bench, contender, port, count) as fleet:
            first = fleet.all_connected(after=0)
            held = settled(server.pid)
            server.kill()
            server, _, _ = contender.start_server(bench.world, site, via, port)
            restarted = time.time()
            back = fleet.all_connected(after=restarted)
            return {"connect_s": first["seconds"], "back_s": back["unix"] - restarted,
                    "kb_per_agent": (held - before) / count, "pss_kb": held, "pss_kb_after": pss_kb(server.pid)}
    finally:
        server.kill()


class Fleet:
    """A process that is many agents."""

    def __init__(self, process: Process):
        self.process = process

    def all_connected(self, after: float) -> dict:
        """Waits for the moment in which the last agent is connected, later than `after`."""
        found: list[dict] = []

        def happened() -> bool:
            lines = self.process.log.read_text().splitlines()
            events = [json.loads(line) for line in lines if line.startswith("{") and line.endswith("}")]
            found[:] = [event for event in events if event["unix"] > after]
            return bool(found)

        eventually("all agents are connected", happened, self.process, CONNECT_LIMIT)
        return found[0]


@contextlib.contextmanager
def simulated(bench: Bench, contender: Konnectivity, port: int, count: int) -> Iterator[Fleet]:
    trust = bench.world.cluster
    command = [bench.load, "agents", "--server", f"127.0.0.1:{port}", "--count", count, "--ca", trust.ca,
               "--cert", trust.cert("client"), "--key", trust.key("client"), *(["--native"] if contender.native else [])]
    process = Process("the agents", command, bench.world.folder / bench.world.unique("agents.log"))
    try:
        yield Fleet(process)
    finally:
        process.kill()
