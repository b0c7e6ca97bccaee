"""What the hub's API server was asked, from its audit log."""

from __future__ import annotations

import dataclasses
import datetime
import json
import pathlib
from collections.abc import Iterator

MANAGER = "system:serviceaccount:open-cluster-management-addon:cluster-proxy-addon-manager"
WRITES = ("create", "update", "patch", "delete", "deletecollection")


@dataclasses.dataclass(frozen=True)
class Call:
    time: datetime.datetime
    user: str
    agent: str
    verb: str
    resource: str
    subresource: str
    namespace: str
    name: str
    code: int
    body: dict | None

    @property
    def writes(self) -> bool:
        return self.verb in WRITES

    @property
    def election(self) -> bool:
        """Part of who leads, which goes on for ever."""
        return self.resource == "leases" or (self.resource == "events" and self.verb == "create")

    def __str__(self) -> str:
        where = "/".join(part for part in (self.namespace, self.resource, self.name, self.subresource) if part)
        return f"{self.time:%H:%M:%S.%f} {self.verb} {where}: {self.code}"


class Audit:
    """Calls since the last one seen; mark() skips what there is."""

    def __init__(self, log: pathlib.Path):
        self.log, self.offset = log, 0

    def mark(self) -> None:
        self.offset = self.log.stat().st_size

    def calls(self, user: str = MANAGER) -> list[Call]:
        """Since the mark, which stays."""
        return [call for call in self._read() if call.user == user]

    def writes(self, user: str = MANAGER) -> list[Call]:
        """Without those of leader election."""
        return [call for call in self.calls(user) if call.writes and not call.election]

    def _read(self) -> Iterator[Call]:
        with open(self.log, "rb") as lines:
            lines.seek(self.offset)
            for line in lines:
                if line.endswith(b"\n"):
                    yield parse(json.loads(line))


def parse(event: dict) -> Call:
    about = event.get("objectRef", {})
    return Call(
        time=datetime.datetime.fromisoformat(event["requestReceivedTimestamp"].replace("Z", "+00:00")),
        user=event["user"].get("username", ""),
        agent=event.get("userAgent", ""),
        verb=event["verb"],
        resource=about.get("resource", ""),
        subresource=about.get("subresource", ""),
        namespace=about.get("namespace", ""),
        name=about.get("name", ""),
        code=event.get("responseStatus", {}).get("code", 0),
        body=event.get("requestObject"),
    )
