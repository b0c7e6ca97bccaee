"""Case soak: random use with kills, after which memory has to be what it was."""

from __future__ import annotations

import json
import threading
import urllib.request

from .bench import Bench, say, settled
from .contenders import Konnectivity, Running
from .lineups import OURS, OURS_COMPATIBLE
from .processes import Failure, Process, eventually, run
from .sites import Site

WORKERS = 40
PARTS, ROUNDS, ROUND_SECONDS = 4, 3, 3.0
QUICK_PARTS, QUICK_ROUND_SECONDS = 1, 1.5
# A client that left may have said what its service does not read: that is given up in two steps of thirty seconds each.
REST_LIMIT = 90
PAUSE = (60, 21)  # seconds, at most and without a change: free memory goes back within 20 s of the last work
OPEN = {"server": ("--admin-port=", "konnectivity_network_proxy_server_established_connections"),
        "agent": ("--admin-server-port=", "konnectivity_network_proxy_agent_open_endpoint_connections")}


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
    site, parts, pause = (Site(), QUICK_PARTS, ()) if bench.settings.quick else (Site(), PARTS, PAUSE)
    with bench.targets(site) as ports, bench.lineup(site, ports, [(contender, contender.ways[0])]) as entries:
        if not entries:
            raise Failure("it did not start")
        running = entries[0].running
        memory: dict[str, list[int]] = {role: [] for role in OPEN}
        uses: list[dict] = []
        for part in range(parts):
            uses += [one_round(bench, site, contender, running) for _ in range(ROUNDS)]
            rest(running)
            for role, process in running.roles.items():
                memory[role].append(settled(process.pid, *pause))
            say(f"{contender.key}, part {part + 1}: {uses[-1]} server {memory['server'][-1]} KB, agent {memory['agent'][-1]} KB")
        totals = {name: sum(use[name] for use in uses) for name in uses[0]}
        return {**totals, "memory_kb": memory, "growth": {role: growth(kb) for role, kb in memory.items()}}


def rest(running: Running) -> None:
    """Every connection ends by itself once its client has gone, whatever its service does."""
    for role, process in running.roles.items():
        eventually(f"the {role} has no connection left", lambda: open_connections(role, process) == 0, process, REST_LIMIT)


def open_connections(role: str, process: Process) -> float:
    flag, series = OPEN[role]
    with urllib.request.urlopen(f"http://127.0.0.1:{flag_value(process, flag)}/metrics", timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    found = [float(line.split()[1]) for line in lines if line.startswith(f"{series} ")]
    if not found:
        raise Failure(f"the {role} does not tell {series}")
    return found[0]


def one_round(bench: Bench, site: Site, contender: Konnectivity, running: Running) -> dict:
    """The second agent joins, is killed in the midst of its work, and so breaks some of the tunnels."""
    seconds = QUICK_ROUND_SECONDS if bench.settings.quick else ROUND_SECONDS
    agents = int(flag_value(running.roles["server"], "--agent-port="))
    victim = contender.start_agent(bench.world, site, agents)
    killer = threading.Timer(seconds * 0.6, victim.kill)
    killer.start()
    try:
        command = bench.load_command(site, running, "churn", "bulk", {"tunnels": WORKERS, "seconds": seconds})
        return json.loads(run(command, seconds + 60))
    finally:
        killer.join()


def flag_value(process: Process, flag: str) -> str:
    return next(word.removeprefix(flag) for word in map(str, process.command) if word.startswith(flag))


def growth(memory: list[int]) -> float | None:
    """The last over the one before it. 1 is flat."""
    return memory[-1] / memory[-2] if len(memory) > 1 else None
