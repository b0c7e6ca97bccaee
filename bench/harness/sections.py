"""One section of benchmarks.md for each case."""

from __future__ import annotations

from .stats import REFERENCE, Case, between, cpu_per_gb, median, number, peak_mb, ratio, spread, times
from .tables import WAY, WHO, Column, notes, table


def against_reference(case: Case, what, head: str = "x reference") -> Column:
    """The ratio to the reference in the same way, or in its usual one where the contender has another."""

    def cell(row: dict) -> str:
        same = row["parameters"]
        reference = case.find(REFERENCE, row["via"], **same) or case.find(REFERENCE, None, **same)
        return times(ratio(median(row, what), median(reference, what)))

    return Column(head, cell)


def value(head: str, what) -> Column:
    return Column(head, lambda row: number(median(row, what)))


def around(what) -> Column:
    return Column("least - most", lambda row: between(spread(row, what)))


def throughput(case: Case) -> str:
    columns = [WHO, WAY, value("MB/s", "mb_per_s"), around("mb_per_s"), against_reference(case, "mb_per_s")]
    for role in ("server", "agent"):
        columns.append(value(f"{role} CPU s/GB", cpu_per_gb(role)))
    for role in ("server", "agent"):
        columns.append(value(f"{role} peak MB", peak_mb(role)))
    parts = []
    for count in case.values("tunnels"):
        parts.append(f"### {plural(count)}\n\n" + table(case.with_parameters(tunnels=count), columns))
    return "\n".join(parts)


def plural(count: int) -> str:
    return "One tunnel" if count == 1 else f"{count} tunnels at once"


def groups(case: Case, parameter: str, columns: list[Column], title) -> str:
    """A table for each value of a parameter."""
    return "\n".join(f"### {title(item)}\n\n" + table(case.with_parameters(**{parameter: item}), columns)
                     for item in case.values(parameter))


def rtt(case: Case) -> str:
    columns = [WHO, WAY, value("p50 ms", "p50_ms"), value("p99 ms", "p99_ms"), value("p99.9 ms", "p999_ms"),
               against_reference(case, "p50_ms", "p50 / reference"), against_reference(case, "p99_ms", "p99 / reference")]
    titles = {"alone": "Alone", "bulk": "Beside four downloads that take all they can get"}
    return groups(case, "load", columns, titles.get)


def connect(case: Case) -> str:
    columns = [WHO, WAY, value("connects/s", "connects_per_s"), around("connects_per_s"), against_reference(case, "connects_per_s"),
               value("p50 ms", "p50_ms"), value("p99 ms", "p99_ms"), value("failed", "failed")]
    return groups(case, "at_once", columns, lambda count: "One after another" if count == 1 else f"{count} at once")


def idle(case: Case) -> str:
    columns = [WHO, WAY, value("server KB a tunnel", "kb_per_tunnel.server"), value("agent KB a tunnel", "kb_per_tunnel.agent")]
    return groups(case, "tunnels", columns, lambda count: f"{count:,} tunnels")


def stall(case: Case) -> str:
    columns = [WHO, WAY, value("MB/s without", "without.mb_per_s"), value("MB/s with", "with.mb_per_s"),
               value("kept %", kept), value("slowest tunnel MB/s", "with.slowest_mb_per_s"),
               value("dial p50 ms without", dial("without", "p50_ms")), value("with", dial("with", "p50_ms")),
               value("slowest dial ms without", dial("without", "max_ms")), value("with", dial("with", "max_ms")),
               value("failed dials", "with.failed_dials")]
    return groups(case, "neighbours", columns, str)


def dial(phase: str, what: str):
    """A time of the dials of one phase; None when none came about."""
    return lambda sample: sample[phase][what] if sample[phase]["count"] else None


def kept(sample: dict) -> float | None:
    return ratio(sample["with"]["mb_per_s"] * 100, sample["without"]["mb_per_s"])


def link(case: Case) -> str:
    columns = [WHO, WAY, value("MB/s", "mb_per_s"), around("mb_per_s"), of_direct(case),
               value("server CPU s/GB", cpu_per_gb("server")), value("agent CPU s/GB", cpu_per_gb("agent"))]
    return groups(case, "way", columns, str.capitalize)


def of_direct(case: Case) -> Column:
    def cell(row: dict) -> str:
        share = ratio(median(row, "mb_per_s"), median(case.find("direct", None, **row["parameters"]), "mb_per_s"))
        return f"{share:.0%}" if share is not None else ""

    return Column("of direct", cell)


def delay(case: Case) -> str:
    columns = [WHO, value("MB/s", "mb_per_s"), around("mb_per_s"), of_direct(case)]
    parts = []
    for place in wires(case):
        title = f"{place['round_trip_ms']} ms there and back" + (f", {place['loss']:.0%} of packets lost" if place["loss"] else "")
        parts.append(f"### {title}, {place['way']}\n\n" + table(case.with_parameters(**place), columns))
    return "\n".join(parts)


def wires(case: Case) -> list[dict]:
    """The different wires of a case, in the order in which they were measured."""
    seen = []
    for row in case.rows:
        place = {name: row["parameters"][name] for name in ("round_trip_ms", "loss", "way")}
        if place not in seen:
            seen.append(place)
    return seen


def profile(case: Case) -> str:
    def part(role: str, name: str) -> Column:
        return Column(f"{name} %", lambda row: number(median(row, lambda sample: sample[role]["parts"][name])))

    parts = []
    for role in ("server", "agent"):
        columns = [Column("load", lambda row: row["parameters"]["load"]), *(part(role, name) for name in ("kernel", "TLS", "nghttp2", "libc", "ours")),
                   Column("dearest system calls, % of all", lambda row, role=role: dearest(row["samples"][-1][role]["calls"]))]
        parts.append(f"### The {role}\n\n" + table(case.rows, columns))
    return "\n".join(parts)


def dearest(calls: dict[str, float]) -> str:
    return ", ".join(f"{call} {number(share)}" for call, share in sorted(calls.items(), key=lambda item: -item[1])[:5])


def agents(case: Case) -> str:
    columns = [WHO, value("s until all are connected", "connect_s"), value("s until all are back", "back_s"),
               value("server KB an agent", "kb_per_agent"),
               Column("server MB", lambda row: number(scaled(median(row, "pss_kb")))),
               Column("after the restart", lambda row: number(scaled(median(row, "pss_kb_after"))))]
    return groups(case, "agents", columns, lambda count: f"{count:,} agents")


def scaled(kb: float | None) -> float | None:
    return kb * 1024 / 1e6 if kb is not None else None


def soak(case: Case) -> str:
    columns = [WHO, value("tunnels opened", "opened"), value("refused", "refused"), value("broken by the kill", "broken"),
               Column("server MB, part by part", lambda row: parts(row, "server")), value("growth", "growth.server"),
               Column("agent MB, part by part", lambda row: parts(row, "agent")), value("growth", "growth.agent")]
    return table(case.rows, columns)


def parts(row: dict, role: str) -> str:
    return ", ".join(number(scaled(kb)) for kb in row["samples"][-1]["memory_kb"][role])


def clusters(case: Case) -> str:
    lines = ["| of one manager | |", "| --- | --- |"]
    lines += [f"| {name} | {figure} |" for name, figure in case.rows[0]["samples"][-1].items()] if case.rows[0]["samples"] else []
    return "\n".join(lines + notes(case.rows)) + "\n"


SECTIONS = {
    "download": ("Download", "From a service in the cluster to a client at the hub.", throughput),
    "upload": ("Upload", "The other way; counted where it arrives.", throughput),
    "rtt": ("Round trip", "64 bytes to an echo and back, one after another on one tunnel.", rtt),
    "connect": ("Connects", "Whole short connections: dial, one byte there and back, close.", connect),
    "idle": ("Idle tunnels", "What each open tunnel adds to the proportional set size of the two processes once it has been used and "
             "is quiet. Kernel memory of sockets, about the same for all, is not in it.", idle),
    "stall": ("Bad neighbours", "Four downloads, and a dial now and then, before and after a neighbour arrives: a client that stops "
              "reading, a hundred that read 40 KB/s, a service that stops reading from a client that goes on sending.", stall),
    "link": ("A 1 Gb/s link", "Server and agent in two network namespaces; each end of the link shaped to 1 Gb/s by `tbf`. One stream.", link),
    "delay": ("A long link", "The same rate through a relay between two TUN devices that holds each packet back and loses some, with a "
              "queue of 100 ms. One stream, the kernel's own TCP buffers (at most 4 MB to send), two thirds of which are what limits direct TCP "
              "on the longer ones.", delay),
    "parallel": ("Eight streams over a long line", "As above, with eight tunnels at once, opened for the second time: an agent that has carried much "
                 "over a long line has more links then. What came in at an agent and waits for a service is bounded by its `--memory-limit`, 16 MiB here.",
                 delay),
    "profile": ("Where the time goes", "Samples of `perf record -e cpu-clock` on our server and agent under load: the share of the kernel (copies, "
                "sockets, wake-ups, TCP on loopback for both its ends), of AES-GCM and TLS records, and of code that we could still make "
                "faster. The first two are the floor of any tunnel with TLS between its halves.", profile),
    "agents": ("Many agents", "Simulated agents, a TLS connection each, all from one process beside the server. Then the server is "
               "killed and started again; every agent comes back by itself after a second or more, as the reference's do.", agents),
    "soak": ("Soak", "Forty clients open tunnels at random, download, upload, echo, or write to a service that does not read, and end them at "
             "random; one of two agents is killed in each round. A part has three rounds. After it every connection has to end by itself, "
             "which takes up to a minute where a client left something that its service does not read; then the memory of the server and of "
             "the surviving agent is taken. Growth is the last over the one before it: 1 is flat.", soak),
    "clusters": ("Many clusters on one hub", "A thousand ManagedClusters (objects only: no agents, so no certificates) on a real hub of Open Cluster "
                 "Management, before the manager starts. The reference's manager is not part of this run; it was seen to idle at 62 MB and 30 calls a "
                 "minute with two clusters, and to make 113 calls for an installation.", clusters),
}
