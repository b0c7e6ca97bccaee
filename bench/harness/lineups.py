"""The contenders, and which of them take part in what."""

from __future__ import annotations

from .contenders import Contender, Direct, Konnectivity
from .others import Frp, HAProxy, Rathole

DIRECT = Direct()
REFERENCE = Konnectivity("reference", "go", "go")
OURS = Konnectivity("ours", "ours", "ours", native=True)
OURS_COMPATIBLE = Konnectivity("ours-konnectivity", "ours", "ours", native=False)
OUR_SERVER = Konnectivity("our-server-go-agent", "ours", "go")
OUR_AGENT = Konnectivity("go-server-our-agent", "go", "ours")
HAPROXY, RATHOLE, FRP = HAProxy(), Rathole(), Frp()

TUNNELS = [REFERENCE, OURS, OURS_COMPATIBLE]
MIXED = [OUR_SERVER, OUR_AGENT]
OTHERS = [HAPROXY, RATHOLE, FRP]

OUR_WAYS = ("connect-tls", "connect-h2", "grpc-unix", "grpc-tls")  # beside connect-unix, the usual one


def everyone() -> list[tuple[Contender, str]]:
    """Each in its usual way: a Unix socket in front for those that have one."""
    return usual([DIRECT, *TUNNELS, *MIXED, *OTHERS])


def usual(contenders: list[Contender]) -> list[tuple[Contender, str]]:
    return [(contender, contender.ways[0]) for contender in contenders]


def members(via: str) -> list[tuple[Contender, str]]:
    return [(contender, via) for contender in TUNNELS if via in contender.ways]
