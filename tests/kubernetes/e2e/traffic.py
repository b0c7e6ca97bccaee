"""Load through the tunnel: a service beside the managed cluster's pods, and a Go client in a pod of the hub."""

from __future__ import annotations

import contextlib
import json
import subprocess

from harness.processes import PATIENCE, Failure, Process

from .network import TARGET_PORT
from .world import FRONT, World


class Traffic:
    """The service listens on the node of `cluster`, where the cluster's name leads to it."""

    def __init__(self, world: World, cluster: str):
        self.world, self.cluster = world, world.clusters[cluster]
        self.to = f"{cluster}:{TARGET_PORT}"
        self.control = world.state / "client" / f"{cluster}.sock"  # where the client's pod sees it
        command = [world.peers / "bench-load", "target", f"--listen={self.cluster.place.address}:{TARGET_PORT}", f"--control={self.control}"]
        self.target = Process(f"target in {cluster}", command, world.logs / f"{cluster}-target", self.cluster.place.name)

    def measure(self, case: str, seconds: float, tunnels: int = 1) -> dict:
        """The case of bench/load by that name; what it found."""
        done = subprocess.run(self._command(case, seconds, tunnels), capture_output=True, text=True, check=False, timeout=seconds + PATIENCE)
        if done.returncode:
            raise Failure(f"load {case}: {done.stderr}")
        return json.loads(done.stdout)

    @contextlib.contextmanager
    def probing(self, seconds: float, tunnels: int = 4):
        """Dials all the time while the body of the `with` runs, and until `seconds` are over; yields what is filled at the end."""
        found: dict = {}
        command = self._command("outage", seconds, tunnels)
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
            begun = child.stderr.readline()
            if begun.strip() != "probing":
                raise Failure(f"load outage: {begun}{child.stderr.read()}")
            yield found
            output, errors = child.communicate(timeout=seconds + PATIENCE)
        if child.returncode:
            raise Failure(f"load outage: {errors}")
        found.update(json.loads(output))

    def no_dial_fails(self) -> bool:
        """Behind one address agents find servers by chance, while dials are spread over all of them."""
        try:
            with self.probing(2) as found:
                pass
        except Failure:  # not even the first dials, without which there is nothing to probe
            return False
        return found["failed"] == 0

    def stop(self) -> None:
        self.target.kill()

    def _command(self, case: str, seconds: float, tunnels: int) -> list[str]:
        load = [self.world.peers / "bench-load", "run", f"--case={case}", f"--seconds={seconds}", f"--tunnels={tunnels}"]
        route = ["--via=grpc-tls", f"--front={FRONT}", f"--to={self.to}", *self.world.client_material()]
        load.append(f"--control={self.control}")
        return [str(word) for word in (self.world.hub.folder / "kubectl", "exec", "client", "--", *load, *route)]
