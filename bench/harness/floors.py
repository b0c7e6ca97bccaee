"""What each target leaves to our two processes, beside what the kernel and the TLS records alone cost them."""

from __future__ import annotations

from .stats import REFERENCE, Case, cpu_per_gb, median, number, pick, ratio

OURS = "ours"
SIDES = ("server", "agent")
ENDS = ("load", "service")  # what sends and what receives, on the same cores
OTHERS = (("direct", "no proxy"), (REFERENCE, "reference"), ("haproxy", "HAProxy"), ("rathole", "rathole"), ("frp", "frp"))

TEXT = """## What stands in the way

Where a target is missed, this is what it would leave, and what of ours no code of ours can change: the kernel's share (copies, sockets,
wake-ups, TCP on loopback for both its ends) and that of AES-GCM, as the samples in [Where the time goes](#where-the-time-goes) have it.
"""


def section(cases: dict[str, Case]) -> str:
    if "profile" not in cases:
        return ""
    lines = [TEXT, "| what | ours | of that, kernel and TLS | the target leaves |", "| --- | --- | --- | --- |"]
    return "\n".join([*lines, *processor(cases), *connects(cases)]) + "\n" + throughput(cases) + wake_ups(cases.get("rtt")) + \
        one_by_one(cases) + under_load(cases.get("rtt"))


def share(profile: Case, load: str, side: str) -> float | None:
    """Of the kernel and TLS, in the samples of one process."""
    parts = [median(profile.find(OURS, load=load), f"{side}.parts.{part}") for part in ("kernel", "TLS")]
    return sum(parts) / 100 if None not in parts else None


def times(a: float | None, b: float | None) -> float | None:
    return a * b if a is not None and b is not None else None


def processor(cases: dict[str, Case]) -> list[str]:
    lines = []
    for way in ("download", "upload"):
        for side in SIDES if way in cases else ():
            cost = {who: median(cases[way].find(who, tunnels=1), cpu_per_gb(side)) for who in (OURS, REFERENCE, "rathole")}
            floor = times(cost[OURS], share(cases["profile"], way, side))
            goals = f"{number(times(cost[REFERENCE], 0.25))} (of the reference), {number(times(cost['rathole'], 0.5))} (of rathole)"
            lines.append(f"| {way}, {side}, CPU s/GB | {number(cost[OURS])} | {number(floor)} | {goals} |")
    return lines


def throughput(cases: dict[str, Case]) -> str:
    """What all cores could carry if nobody ever waited: as measured, and with code of ours that costs nothing."""
    lines = []
    for way, wanted in (("download", 4), ("upload", 3)):
        row = cases[way].find(OURS, tunnels=1) if way in cases else None
        spent = {role: median(row, cpu_per_gb(role)) for role in (*SIDES, *ENDS)}
        least = [times(spent[side], share(cases["profile"], way, side)) for side in SIDES]
        if None in (*spent.values(), *least):
            continue
        ends = sum(spent[role] for role in ENDS)
        whole = cases[way].data["machine"]["cores"] * 1000
        reference, rathole = (median(cases[way].find(who, tunnels=1), "mb_per_s") for who in (REFERENCE, "rathole"))
        lines.append(f"| {way}, MB/s | {number(median(row, 'mb_per_s'))} | {number(whole / sum(spent.values()))} | "
                     f"{number(whole / (sum(least) + ends))} | {number(times(reference, wanted))}, {number(times(rathole, 1.5))} |")
    if not lines:
        return ""
    head = "| one tunnel | ours | if no thread ever waited for another | and our own code cost nothing | wanted: of the reference, of rathole |"
    return "\n" + "\n".join([head, "| --- | --- | --- | --- | --- |", *lines]) + "\n"


def wake_ups(case: Case | None) -> str:
    """What a round trip is made of when nothing else runs."""
    if case is None:
        return ""
    direct, ours, reference = (median(case.find(who, load="alone"), "p50_ms") for who in ("direct", OURS, REFERENCE))
    if None in (direct, ours, reference):
        return ""
    return (f"\nA round trip without a proxy wakes two threads, one through a tunnel six. At what two cost here ({number(direct)} ms), six cost {number(3 * direct)} ms; ours "
            f"takes {number(ours)}, as a thread that was just busy looks for more before it sleeps. Wanted: {number(reference / 2)} ms.\n")


def one_by_one(cases: dict[str, Case]) -> str:
    """A dial and a byte are a round trip each, and the connection itself comes on top."""
    if "connect" not in cases or "rtt" not in cases:
        return ""
    direct, ours, reference = (median(cases["connect"].find(who, at_once=1), "p50_ms") for who in ("direct", OURS, REFERENCE))
    trip = median(cases["rtt"].find(OURS, load="alone"), "p50_ms")
    if None in (direct, ours, reference, trip):
        return ""
    return (f"\nOne after another, a connection without a proxy takes {number(direct)} ms (p50). Through a tunnel the dial and the byte are a round trip each, {number(trip)} ms "
            f"of ours: {number(direct + 2 * trip)} ms together; ours takes {number(ours)}. Wanted: {number(reference / 2)} ms.\n")


def connects(cases: dict[str, Case]) -> list[str]:
    """The load generator and the service share the cores; what they need for a connection is not ours to spend."""
    case = cases.get("connect")
    rate = median(case.find(REFERENCE, at_once=16), "connects_per_s") if case else None
    if not rate:
        return []
    row = case.find(OURS, at_once=16)
    spent = {role: median(row, lambda sample, role=role: per_connect(sample, role)) for role in (*SIDES, *ENDS)}
    if None in spent.values():
        return []
    floors = [times(spent[side], share(cases["profile"], "connects, 16 at once", side)) for side in SIDES]
    ends = sum(spent[role] for role in ENDS)
    left = case.data["machine"]["cores"] / (2.5 * rate) * 1e6 - ends
    return [f"| connects, 16 at once, CPU us of both processes for each | {number(sum(spent[side] for side in SIDES))} | "
            f"{number(sum(floors)) if None not in floors else ''} | {number(left)}, beside {number(ends)} of load generator and service |"]


def per_connect(sample: dict, role: str) -> float | None:
    spent = pick(sample, f"cpu_s.{role}")
    return spent / sample["count"] * 1e6 if spent is not None and sample["count"] else None


def under_load(case: Case | None) -> str:
    """How much longer a round trip takes for everybody while four downloads want the same cores."""
    if case is None:
        return ""
    factors = []
    for key, name in ((OURS, "ours"), *OTHERS):
        grown = ratio(median(case.find(key, load="bulk"), "p99_ms"), median(case.find(key, load="alone"), "p99_ms"))
        if grown is not None:
            factors.append(f"{name} {number(grown)}x")
    return "\nThe 99th percentile of a round trip under bulk load, to the same contender's alone: " + ", ".join(factors) + \
        ". Client, service and four downloads want the same cores; who waits for a core cannot be overtaken.\n"
