"""Case soak: random use with kills, after which memory has to be what it was."""

from __future__ import annotations

import json
import statistics
import threading

from .bench import Bench, say, settled
from .contenders import Konnectivity, Running
from .lineups import OURS, OURS_COMPATIBLE
from .processes import Failure, Process, run
from .sites import Site

WORKERS = 40
ROUNDS, ROUND_SECONDS = 9, 3.0
QUICK_ROUNDS, QUICK_ROUND_SECONDS = 3, 1.5


def soak(bench: Bench) -> None:
    for contender in (OURS,) if bench.settings.quick else (OURS, OURS_COMPATIBLE):
        reason = contender.missing(bench.world)
        if reason:
            bench.skip(contender, contender.ways[0], reason)
            continue
        try:
            bench.rows.add(contender.key, contender.ways[0], endure(bench, contender))
        except Failure as failure:
            say(f"{contender.key}: {failure}")
            bench.rows.fail(contender.key, contender.ways[0], str(failure))


def endure(bench: Bench, contender: Konnectivity) -> dict:
    """A server with two agents: one lives to be weighed, the other is killed in every round."""
    site, rounds = Site(), QUICK_ROUNDS if bench.settings.quick else ROUNDS
    with bench.targets(site) as ports, bench.lineup(site, ports, [(contender, contender.ways[0])]) as entries:
        if not entries:
            raise Failure("it did not start")
        running = entries[0].running
        port = agent_port(running.roles["server"])
        memory: dict[str, list[int]] = {"server": [], "agent": []}
        uses: list[dict] = []
        for number in range(rounds):
            uses.append(one_round(bench, site, contender, running, port))
            running.require()
            for role, process in running.roles.items():
                memory[role].append(settled(process.pid))
            say(f"{contender.key}, round {number + 1}: {uses[-1]} server {memory['server'][-1]} KB, agent {memory['agent'][-1]} KB")
        totals = {name: sum(use[name] for use in uses) for name in uses[0]}
        return {**totals, "memory_kb": memory, "growth": {role: growth(kb) for role, kb in memory.items()}}


def one_round(bench: Bench, site: Site, contender: Konnectivity, running: Running, port: int) -> dict:
    """The second agent joins, is killed in the midst of its work, and so breaks some of the tunnels."""
    seconds = QUICK_ROUND_SECONDS if bench.settings.quick else ROUND_SECONDS
    victim: Process = contender.start_agent(bench.world, site, port)
    killer = threading.Timer(seconds * 0.6, victim.kill)
    killer.start()
    try:
        command = bench.load_command(site, running, "churn", "bulk", {"tunnels": WORKERS, "seconds": seconds})
        return json.loads(run(command, seconds + 60))
    finally:
        killer.join()


def agent_port(server: Process) -> int:
    return int(next(word.partition("=")[2] for word in server.command if word.startswith("--agent-port=")))


def growth(memory: list[int]) -> float:
    """The last third over the third before it; the first is for warming up. 1 is flat."""
    third = max(1, len(memory) // 3)
    return statistics.median(memory[-third:]) / statistics.median(memory[-2 * third : -third])
