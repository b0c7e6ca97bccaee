"""Markdown tables out of columns."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

LABELS = {
    "direct": "no proxy",
    "reference": "reference (Go, Go)",
    "ours": "**ours, native link**",
    "ours-konnectivity": "**ours, konnectivity link**",
    "our-server-go-agent": "our server, Go agent",
    "go-server-our-agent": "Go server, our agent",
    "haproxy": "HAProxy, both sides",
    "rathole": "rathole, TLS",
    "frp": "frp, TLS",
}

WAYS = {
    "tcp": "TCP",
    "unix": "Unix socket",
    "connect-unix": "CONNECT, Unix socket",
    "connect-tls": "CONNECT, TLS",
    "connect-h2": "CONNECT, HTTP/2",
    "grpc-unix": "gRPC, Unix socket",
    "grpc-tls": "gRPC, TLS",
}


@dataclasses.dataclass(frozen=True)
class Column:
    head: str
    cell: Callable[[dict], str]  # of a row of results.json


WHO = Column("contender", lambda row: LABELS.get(row["contender"], row["contender"]))
WAY = Column("way in", lambda row: WAYS[row["via"]])


def table(rows: list[dict], columns: list[Column]) -> str:
    """Rows with samples, then one line for each that has none, with the reason."""
    measured = [row for row in rows if row["samples"]]
    lines = []
    if measured:
        lines = ["| " + " | ".join(column.head for column in columns) + " |", "| --- " * len(columns) + "|"]
        lines += ["| " + " | ".join(column.cell(row) for column in columns) + " |" for row in measured]
    return "\n".join(lines + ([""] if lines else []) + notes(rows)) + "\n"


def notes(rows: list[dict]) -> list[str]:
    """What is missing from a table, each reason once."""
    reasons: dict[str, list[str]] = {}
    for row in rows:
        who = f"{LABELS.get(row['contender'], row['contender']).strip('*')} over {WAYS[row['via']]}"
        if row.get("skipped"):
            reasons.setdefault(f"not measured: {row['skipped']}", []).append(who)
        for failure in row.get("failures", []):
            reasons.setdefault(f"failed: {failure}", []).append(who)
    return [f"- {', '.join(dict.fromkeys(who))}: {plain(reason)}." for reason, who in reasons.items()]


def plain(reason: str) -> str:
    """One line that does not break a table."""
    return " ".join(reason.replace("|", "/").split())[:240].rstrip(".")
