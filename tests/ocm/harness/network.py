"""Network namespaces, each with one link to the hub's, which is that of the run.

A place reaches the hub. The hub reaches a place at its end of the link, but not at the address that it has for itself, which
is the same in all of them: what listens there is reached from within only.
"""

from __future__ import annotations

import dataclasses
import itertools

from .processes import run

HUB = "198.51.100.1"
INNER = "192.0.2.10"
API_PORT = 6443  # of the hub
API_SERVICE = "10.0.0.1"  # that of the Service `kubernetes`, which the API server's certificate names
ALIAS = "198.51.100.2"  # a second address of the hub, for what stands in front of its API server
numbers = itertools.count(1)


@dataclasses.dataclass(frozen=True)
class Place:
    """A network namespace. `address` is its end of the link."""

    name: str | None
    address: str


AT_HUB = Place(None, HUB)


def make_hub() -> None:
    run("ip", "link", "set", "lo", "up")
    for address in (HUB, ALIAS, API_SERVICE):
        run("ip", "address", "add", f"{address}/32", "dev", "lo")


def make_place(name: str) -> Place:
    number = next(numbers)
    gateway, address = (f"10.200.{number // 64}.{number % 64 * 4 + side}" for side in (1, 2))
    run("ip", "netns", "add", name)
    run("ip", "link", "add", f"to-{name}"[:15], "type", "veth", "peer", "name", "uplink", "netns", name)
    run("ip", "address", "add", f"{gateway}/30", "dev", f"to-{name}"[:15])
    run("ip", "link", "set", f"to-{name}"[:15], "up")
    run("ip", "-n", name, "link", "set", "lo", "up")
    run("ip", "-n", name, "address", "add", f"{address}/30", "dev", "uplink")
    run("ip", "-n", name, "link", "set", "uplink", "up")
    run("ip", "-n", name, "address", "add", f"{INNER}/32", "dev", "lo")
    for network in ("198.51.100.0/24", f"{API_SERVICE}/32"):
        run("ip", "-n", name, "route", "add", network, "via", gateway)
    return Place(name, address)
