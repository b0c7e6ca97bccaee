"""Watches kinds of objects and keeps what happened to them, with the time."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Callable

from .kube import Api, path
from .processes import PATIENCE, Failure



@dataclasses.dataclass(frozen=True)
class Change:
    time: float
    kind: str  # plural
    what: str  # ADDED, MODIFIED, DELETED
    thing: dict

    @property
    def name(self) -> str:
        return self.thing["metadata"]["name"]

    @property
    def namespace(self) -> str:
        return self.thing["metadata"].get("namespace", "")


class Recorder:
    """Use with `with`. What is there at the start counts as ADDED."""

    def __init__(self, api: Api, *plurals: str):
        self.api, self.plurals = api, plurals
        self.changes: list[Change] = []
        self.news = threading.Condition()
        self.stopped = False
        self.told = 0  # changes before this one have been looked at by next()

    def __enter__(self):
        for plural in self.plurals:
            threading.Thread(target=self._follow, args=(plural,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.stopped = True

    def first(self, what: str, wanted: Callable[[Change], object], limit: float = PATIENCE) -> Change:
        """The first change that is wanted, past or to come."""
        self.told = 0
        return self.next(what, wanted, limit)

    def next(self, what: str, wanted: Callable[[Change], object], limit: float = PATIENCE) -> Change:
        """The same, after the one found last."""
        deadline = time.monotonic() + limit
        with self.news:
            while True:
                for change in self.changes[self.told :]:
                    self.told += 1
                    if wanted(change):
                        return change
                if not self.news.wait(deadline - time.monotonic()):
                    raise Failure(f"waited {limit:.0f} s in vain until {what}")

    def _follow(self, plural: str) -> None:
        """Begins anew when the server ends the watch or goes away; then some changes come twice."""
        while not self.stopped:
            try:
                for what, thing in self.api.watch(path(plural)):
                    if self.stopped:
                        return
                    self._keep(Change(time.monotonic(), plural, what, thing))
            except Exception:  # noqa: BLE001: whatever it was, the next watch shows whether it lasts
                time.sleep(0.1)

    def _keep(self, change: Change) -> None:
        with self.news:
            self.changes.append(change)
            self.news.notify_all()
