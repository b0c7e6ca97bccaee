"""The cases by name, in the order of a whole run."""

from __future__ import annotations

from collections.abc import Callable

from . import clusters, fleet, isolation, latency, links, memory, profile, soak, throughput
from .bench import Bench

CASES: dict[str, Callable[[Bench], None]] = {
    "download": throughput.download,
    "upload": throughput.upload,
    "rtt": latency.rtt,
    "connect": latency.connect,
    "idle": memory.idle,
    "stall": isolation.stall,
    "link": links.link,
    "delay": links.delay,
    "parallel": links.parallel,
    "profile": profile.profile,
    "agents": fleet.agents,
    "soak": soak.soak,
    "clusters": clusters.clusters,
}
