"""Where the two halves of a tunnel stand: both on loopback, or in two network namespaces with a wire between."""

from __future__ import annotations

import os
import pathlib
import subprocess

from .processes import Failure, Process, run

PREFIX = "cpbench"  # namespaces are called cpbench-PLACE-PID
HUB, CLUSTER = "192.0.2.1", "192.0.2.2"


class Site:
    """Loopback: hub and cluster are the same place."""

    hub_address = "127.0.0.1"
    cluster_address = "127.0.0.1"
    name = "loopback"

    def in_hub(self, command: list[str]) -> list[str]:
        return command

    def in_cluster(self, command: list[str]) -> list[str]:
        return command

    def target_listen(self, port: int) -> str:
        return f"127.0.0.1:{port}"

    def close(self) -> None:
        pass


class TwoNamespaces(Site):
    """Hub and cluster in namespaces of their own; subclasses lay the wire, a device `wan` in each."""

    hub_address, cluster_address = HUB, CLUSTER

    def __init__(self, name: str):
        if os.geteuid() != 0:
            raise Failure("network namespaces need root")
        self.name = name
        self.hub, self.cluster = (f"{PREFIX}-{place}-{os.getpid()}" for place in ("hub", "cluster"))
        for namespace in (self.hub, self.cluster):
            run(["ip", "netns", "add", namespace])
            run(["ip", "-n", namespace, "link", "set", "lo", "up"])
            # Otherwise what one connection learned about the wire is where the next contender's begins.
            run(["ip", "netns", "exec", namespace, "sysctl", "-qw", "net.ipv4.tcp_no_metrics_save=1"])

    def in_hub(self, command: list[str]) -> list[str]:
        return ["ip", "netns", "exec", self.hub, *command]

    def in_cluster(self, command: list[str]) -> list[str]:
        return ["ip", "netns", "exec", self.cluster, *command]

    def target_listen(self, port: int) -> str:
        return f":{port}"

    def close(self) -> None:
        for namespace in (self.hub, self.cluster):
            subprocess.run(["ip", "netns", "delete", namespace], check=False)

    def _address(self) -> None:
        for namespace, address in ((self.hub, HUB), (self.cluster, CLUSTER)):
            run(["ip", "-n", namespace, "address", "add", f"{address}/24", "dev", "wan"])
            run(["ip", "-n", namespace, "link", "set", "wan", "up"])


class ShapedLink(TwoNamespaces):
    """A veth pair, each end of which sends at most `rate` (as tc writes it)."""

    def __init__(self, rate: str = "1gbit"):
        super().__init__(f"{rate} link")
        run(["ip", "-n", self.hub, "link", "add", "wan", "type", "veth", "peer", "name", "wan", "netns", self.cluster])
        self._address()
        for namespace in (self.hub, self.cluster):
            run(["ip", "netns", "exec", namespace, "tc", "qdisc", "replace", "dev", "wan", "root",
                 "tbf", "rate", rate, "burst", "256kb", "latency", "50ms"])


class LongLink(TwoNamespaces):
    """A TUN device at each end and our relay between: `round_trip` milliseconds, 1 Gb/s, and a share of losses."""

    def __init__(self, relay: pathlib.Path, round_trip: float, loss: float, log: pathlib.Path):
        super().__init__(f"{round_trip:g} ms" + (f", {loss:.0%} loss" if loss else ""))
        for namespace in (self.hub, self.cluster):
            run(["ip", "-n", namespace, "tuntap", "add", "dev", "wan", "mode", "tun"])
            run(["ip", "-n", namespace, "link", "set", "wan", "txqueuelen", "10000"])
        self._address()
        self.relay = Process("the delay relay", [
            relay, "--a", self.hub, "--b", self.cluster, "--one-way", f"{round_trip / 2}ms", "--loss", str(loss)], log)

    def close(self) -> None:
        self.relay.kill()
        super().close()


def remove_leftovers() -> None:
    """Deletes the namespaces of runs that were killed."""
    for path in pathlib.Path("/run/netns").glob(f"{PREFIX}-*"):
        if not pathlib.Path("/proc", path.name.rpartition("-")[2]).exists():
            subprocess.run(["ip", "netns", "delete", path.name], check=False)
