"""benchmarks.md from results.json; the same input gives the same bytes."""

from __future__ import annotations

from . import floors, targets
from .sections import SECTIONS
from .stats import Case

HEAD = """# Benchmarks

Written by `make bench` from [results.json](benchmarks/results.json): do not edit. `make bench CASE=download` measures one
case again and leaves the others as they are, `REPEATS=5` measures each number more often, `QUICK=1` is short and coarse.

Everything of a case runs side by side on one machine and is measured in turns, so a slow minute hits all alike. The load
generator shares the machine, so the numbers of different machines differ while the ratios stay. Tables show the median of the
repeats and beside it the least and the most. MB and GB are powers of ten. CPU seconds per GB and the peak of resident memory
are those of the server's and the agent's process during the measured interval; what the kernel holds for sockets is not in them.
"""

CONTENDERS = """## Who is compared

| contender | what runs |
| --- | --- |
| no proxy | client to service, plain TCP: what the machine can do |
| reference (Go, Go) | the Go server and agent of konnectivity, as released, `-v=0` |
| ours, native link | our server and agent with their defaults, `-v=0` |
| ours, konnectivity link | the same with `--native-link=false`: what a mixed pair speaks |
| our server, Go agent; Go server, our agent | mixed pairs |
| HAProxy, both sides | client -> HAProxy -> mutual TLS 1.3 -> HAProxy -> service, TCP mode, one thread a core. It dials towards the cluster, so it is no tunnel, but the same TLS hops |
| rathole, TLS | reverse tunnel in Rust, a TLS connection for each tunnel, the client known by a token |
| frp, TLS | reverse tunnel in Go, mutual TLS, streams on one connection |
"""


def render(results: dict) -> str:
    cases = {name: Case(name, data) for name, data in results["cases"].items()}
    parts = [HEAD, machine(cases), targets.section(cases), floors.section(cases), CONTENDERS]
    for name, (title, text, section) in SECTIONS.items():
        if name in cases:
            parts.append(f"## {title}\n\n{text}\n{provenance(cases[name])}\n{plot(name, title)}{section(cases[name])}")
    return "\n".join(part for part in parts if part)


BUSY = 0.1  # of the processors, by others


def provenance(case: Case) -> str:
    data = case.data
    coarse = " **A quick run: coarse numbers.**" if data["quick"] else ""
    if data["machine"]["busy_before"] > BUSY:
        coarse += f" **Others used {data['machine']['busy_before']:.0%} of the processors when it began: not to be trusted.**"
    repeats = f"{data['repeats']} repeat{'s' * (data['repeats'] != 1)}"
    return f"\n*{data['machine']['date']}, {repeats}, ours at {data['machine']['versions']['ours']}.*{coarse}\n"


def plot(name: str, title: str) -> str:
    if name in ("parallel", "profile", "clusters"):  # single figures are best read in a table
        return ""
    return f"![{title}](benchmarks/{name}.svg)\n\n"


def machine(cases: dict[str, Case]) -> str:
    """The machine and the versions, taken from the newest case; a mixture says so."""
    facts = [case.data["machine"] for case in cases.values()]
    newest = max(facts, key=lambda fact: fact["date"])
    versions = newest["versions"]
    lines = [
        "## Machine\n",
        f"{newest['cpu']}, {newest['cores']} cores, {newest['memory_gib']} GiB, Linux {newest['kernel']} with TCP congestion control "
        f"{newest.get('congestion', 'unknown')}, {newest['date']}.",
        f"Reference: {versions['reference']}. HAProxy {versions['haproxy']}, rathole {versions['rathole']}, "
        f"frp {versions['frp']}, Go {versions['go']}. OpenSSL {versions.get('our_openssl', versions['openssl'])} in ours, "
        f"{versions['openssl']} in HAProxy.",
    ]
    places = {(fact["cpu"], fact["cores"], fact["kernel"]) for fact in facts}
    if len(places) > 1:
        lines.append("**The cases come from different machines**; each section names its date.")
    return "\n".join(lines) + "\n"
