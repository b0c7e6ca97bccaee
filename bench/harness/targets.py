"""The targets of the project beside what was reached."""

from __future__ import annotations

import dataclasses

from .sections import kept
from .stats import REFERENCE, Case, cpu_per_gb, median, number, ratio

OURS = "ours"
MIXED = ("our-server-go-agent", "go-server-our-agent")
SIDES = ("server", "agent")
DIAL_LIMIT_MS = 3000  # what a dial that failed took at least, see load/isolation.go


@dataclasses.dataclass(frozen=True)
class Verdict:
    what: str
    goal: str
    reached: float | None
    met: bool
    unit: str = "x"

    def line(self) -> str:
        if self.reached is None:
            return f"| {self.what} | {self.goal} | | not measured |"
        return f"| {self.what} | {self.goal} | {number(self.reached)}{self.unit} | {'met' if self.met else '**not met**'} |"


def at_least(what: str, goal: float, reached: float | None, unit: str = "x") -> Verdict:
    return Verdict(what, f">= {goal:g}{unit}", reached, reached is not None and reached >= goal, unit)


def at_most(what: str, goal: float, reached: float | None, unit: str = "x") -> Verdict:
    return Verdict(what, f"<= {goal:g}{unit}", reached, reached is not None and reached <= goal, unit)


def section(cases: dict[str, Case]) -> str:
    verdicts = [verdict for group in GROUPS for verdict in group(cases)]
    met = sum(verdict.met for verdict in verdicts)
    lines = ["## Targets\n", f"{met} of {len(verdicts)} met. All are of our server and agent on the native link, unless said.\n",
             "| what | target | reached | |", "| --- | --- | --- | --- |"]
    return "\n".join(lines + [verdict.line() for verdict in verdicts]) + "\n"


def compare(case: Case | None, what, contender: str, to: str, **parameters) -> float | None:
    if case is None:
        return None
    return ratio(median(case.find(contender, **parameters), what), median(case.find(to, **parameters), what))


def bulk(cases: dict[str, Case]) -> list[Verdict]:
    verdicts = []
    for name, goal in (("download", 4), ("upload", 3)):
        for other, least in ((REFERENCE, goal), ("rathole", 1.5), ("haproxy", 1)):
            reached = compare(cases.get(name), "mb_per_s", OURS, other, tunnels=1)
            verdicts.append(at_least(f"{name}, one tunnel, to {other}", least, reached))
    return verdicts


def processor(cases: dict[str, Case]) -> list[Verdict]:
    verdicts = []
    for name in ("download", "upload"):
        for side in SIDES:
            for other, most in ((REFERENCE, 0.25), ("rathole", 0.5)):
                reached = compare(cases.get(name), cpu_per_gb(side), OURS, other, tunnels=1)
                verdicts.append(at_most(f"{name}, CPU per GB, {side}, to {other}", most, reached))
    return verdicts


def latency(cases: dict[str, Case]) -> list[Verdict]:
    case = cases.get("rtt")
    alone = compare(case, "p50_ms", OURS, REFERENCE, load="alone")
    loaded = ratio(median(case.find(OURS, load="bulk"), "p99_ms"), median(case.find(OURS, load="alone"), "p99_ms")) if case else None
    return [at_most("64-byte round trip, p50, to the reference", 0.5, alone),
            at_most("64-byte round trip, p99 under bulk load, to its own p99 alone", 5, loaded)]


def connects(cases: dict[str, Case]) -> list[Verdict]:
    case = cases.get("connect")
    return [at_least(f"connects a second, {text}, to the reference", goal,
                     compare(case, "connects_per_s", OURS, REFERENCE, at_once=count))
            for count, text, goal in ((1, "one after another", 2), (16, "16 at once", 2.5))]


def idle(cases: dict[str, Case]) -> list[Verdict]:
    row = cases["idle"].find(OURS) if "idle" in cases else None
    return [at_most(f"idle tunnel, {side}", 8, median(row, f"kb_per_tunnel.{side}"), " KB") for side in SIDES]


def stall(cases: dict[str, Case]) -> list[Verdict]:
    row = cases["stall"].find(OURS, neighbours="1 stalled reader") if "stall" in cases else None

    def slowest(sample: dict) -> float | None:
        late = DIAL_LIMIT_MS if sample["with"]["failed_dials"] else sample["with"]["max_ms"]
        return ratio(late, sample["without"]["max_ms"])

    return [at_least("one stalled reader, throughput that the others keep", 90, median(row, kept), " %"),
            at_most("one stalled reader, failed dials", 0, median(row, "with.failed_dials"), ""),
            at_most("one stalled reader, slowest dial, to the slowest without", 2, median(row, slowest))]


def links(cases: dict[str, Case]) -> list[Verdict]:
    verdicts = []
    for name, goal, text, place in (("link", 95, "1 Gb/s link", {}), ("delay", 90, "100 ms, 1 Gb/s", {"round_trip_ms": 100, "loss": 0})):
        for way in ("download", "upload"):
            reached = compare(cases.get(name), "mb_per_s", OURS, "direct", way=way, tunnels=1, **place)
            verdicts.append(at_least(f"{text}, one stream, {way}, to direct", goal, reached and reached * 100, " %"))
    return verdicts


def agents(cases: dict[str, Case]) -> list[Verdict]:
    row = cases["agents"].find(OURS, agents=10000) if "agents" in cases else None
    return [at_most("10,000 agents, all back after a restart of the server", 60, median(row, "back_s"), " s")]


def mixed(cases: dict[str, Case]) -> list[Verdict]:
    """The worst of all comparisons of a mixed pair with the reference."""
    questions = [("download", "mb_per_s", {"tunnels": 1}, False), ("upload", "mb_per_s", {"tunnels": 1}, False),
                 ("rtt", "p50_ms", {"load": "alone"}, True), ("connect", "connects_per_s", {"at_once": 1}, False)]
    verdicts = []
    for pair in MIXED:
        ratios = []
        for name, what, parameters, less_is_better in questions:
            found = compare(cases.get(name), what, pair, REFERENCE, **parameters)
            ratios += [1 / found if less_is_better else found] if found else []
        verdicts.append(at_least(f"{pair.replace('-', ' ')}, worst of throughput, round trip, connects, to the reference", 1,
                                 min(ratios, default=None)))
    return verdicts


GROUPS = (bulk, processor, latency, connects, idle, stall, links, agents, mixed)
