"""Who is compared. A contender starts its processes for one way in and tells how the load gets through."""

from __future__ import annotations

import dataclasses
import pathlib
import shutil
import subprocess

from .certificates import Trust
from .processes import Ports, Process, await_listener
from .sites import Site

CONNECT_WAYS = ("connect-unix", "connect-tls", "connect-h2")


@dataclasses.dataclass
class World:
    """What every contender needs: programs, certificates, ports, and a folder for sockets, configuration and logs."""

    programs: dict[str, pathlib.Path]
    frontend: Trust
    cluster: Trust
    ports: Ports
    folder: pathlib.Path
    _names: int = 0

    def unique(self, stem: str) -> str:
        self._names += 1
        return f"{stem}-{self._names}"


@dataclasses.dataclass
class Running:
    """A started contender. `fronts` says where the load connects for each target; `roles` are its processes."""

    via: str
    fronts: dict[str, str]
    targets: dict[str, str]
    roles: dict[str, Process]

    def route(self, target: str, trust: Trust) -> list[str]:
        route = ["--via", self.via, "--front", self.fronts[target], "--to", self.targets[target]]
        return route + ["--ca", trust.ca, "--cert", trust.cert("client"), "--key", trust.key("client")]

    def require(self) -> None:
        for process in self.roles.values():
            process.require()

    def watch(self, **others: int) -> list[str]:
        """`others` are processes beside its own, by role."""
        watched = {role: process.pid for role, process in self.roles.items()} | others
        return ["--watch", ",".join(f"{role}={pid}" for role, pid in watched.items())]

    def stop(self) -> None:
        for process in self.roles.values():
            process.kill()


class Contender:
    """`key` stands in results.json; `ways` are the ways in that it has, the first is its usual one."""

    key: str
    ways: tuple[str, ...]

    def missing(self, world: World) -> str | None:
        """Why it cannot take part; None if it can."""
        return None

    def start(self, world: World, site: Site, via: str, targets: dict[str, int]) -> Running:
        """Starts it; `targets` are ports on the cluster's side. Not necessarily ready on return."""
        raise NotImplementedError


class Direct(Contender):
    key, ways = "direct", ("tcp",)

    def start(self, world, site, via, targets):
        places = {name: f"{site.cluster_address}:{port}" for name, port in targets.items()}
        return Running(via, places, places, {})


class Konnectivity(Contender):
    """A server and an agent, each ours or the reference's."""

    ways = ("connect-unix", "connect-tls", "grpc-unix", "grpc-tls")

    def __init__(self, key: str, server: str, agent: str, native: bool | None = None):
        self.key, self.server, self.agent, self.native = key, server, agent, native
        if server == "ours":
            self.ways = (*self.ways, "connect-h2")

    def missing(self, world):
        for role, make in (("proxy-server", self.server), ("proxy-agent", self.agent)):
            if not program(world, role, make).exists():
                return f"{program(world, role, make)} is not built"
        if self.native and not has_native_link(program(world, "proxy-agent", "ours")):
            return "the agent has no flag --native-link"
        return None

    def start(self, world, site, via, targets):
        server, front, agents = self.start_server(world, site, via)
        await_listener(server, agents)
        agent = self.start_agent(world, site, agents)
        return Running(via, {name: front for name in targets},
                       {name: f"127.0.0.1:{port}" for name, port in targets.items()},
                       {"server": server, "agent": agent})

    def start_server(self, world: World, site: Site, via: str, agents: int | None = None) -> tuple[Process, str, int]:
        """Gives the process, the frontend and the port for agents."""
        name, agents, trust = world.unique(f"{self.key}-server"), agents or world.ports.take(), world.cluster
        command = [program(world, "proxy-server", self.server), "-v=0", f"--server-id={name}",
                   f"--mode={'http-connect' if via in CONNECT_WAYS else 'grpc'}",
                   f"--cluster-cert={trust.cert('server')}", f"--cluster-key={trust.key('server')}",
                   f"--cluster-ca-cert={trust.ca}", f"--agent-port={agents}",
                   f"--health-port={world.ports.take()}", "--health-bind-address=127.0.0.1",
                   f"--admin-port={world.ports.take()}"]
        frontend, front = self._frontend(world, via)
        return Process(name, site.in_hub([*command, *frontend]), world.folder / f"{name}.log"), front, agents

    def _frontend(self, world: World, via: str) -> tuple[list[str], str]:
        if via.endswith("-unix"):
            socket = world.folder / world.unique("front")
            return [f"--uds-name={socket}", "--server-port=0"], str(socket)
        port, trust = world.ports.take(), world.frontend
        return [f"--server-port={port}", "--server-bind-address=127.0.0.1", f"--server-cert={trust.cert('server')}",
                f"--server-key={trust.key('server')}", f"--server-ca-cert={trust.ca}"], f"127.0.0.1:{port}"

    def start_agent(self, world: World, site: Site, agents: int) -> Process:
        name, trust = world.unique(f"{self.key}-agent"), world.cluster
        command = [program(world, "proxy-agent", self.agent), "-v=0", f"--agent-id={name}", f"--ca-cert={trust.ca}",
                   f"--agent-cert={trust.cert('client')}", f"--agent-key={trust.key('client')}",
                   f"--proxy-server-host={site.hub_address}", f"--proxy-server-port={agents}",
                   "--health-server-host=127.0.0.1", f"--health-server-port={world.ports.take()}",
                   f"--admin-server-port={world.ports.take()}", "--sync-interval=200ms"]
        if self.agent == "ours" and self.native is not None and has_native_link(command[0]):
            command.append(f"--native-link={str(self.native).lower()}")
        return Process(name, site.in_cluster(command), world.folder / f"{name}.log")


def program(world: World, role: str, make: str) -> pathlib.Path:
    return world.programs[f"go-{role}" if make == "go" else role]


def has_native_link(agent: pathlib.Path) -> bool:
    told = subprocess.run([agent, "--help"], capture_output=True, text=True, check=False)
    return "--native-link" in told.stdout + told.stderr


def system_program(name: str) -> str | None:
    return shutil.which(name, path="/usr/sbin:/usr/bin:/sbin:/bin")
