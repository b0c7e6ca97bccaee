"""What people use instead: HAProxy on both sides, rathole, frp. Each with TLS 1.3 between its halves."""

from __future__ import annotations

import os

from .certificates import PKCS12_PASSWORD
from .contenders import Contender, Running, system_program
from .processes import Process, await_listener


class HAProxy(Contender):
    """Client -> HAProxy (Unix socket) -> mutual TLS 1.3 -> HAProxy -> target: the same hops, no dialing backwards."""

    key, ways = "haproxy", ("unix",)

    def missing(self, world):
        return None if system_program("haproxy") else "HAProxy is not installed; scripts/install-deps bench does it"

    def start(self, world, site, via, targets):
        haproxy, trust = system_program("haproxy"), world.cluster
        links = {name: world.ports.take() for name in targets}
        fronts = {name: str(world.folder / world.unique("front")) for name in targets}
        hub = HEAD + "".join(
            f"listen {name}\n  bind {fronts[name]}\n  server far {site.cluster_address}:{link} ssl verify required "
            f"ca-file {trust.ca} crt {trust.bundle('client')} verifyhost localhost ssl-min-ver TLSv1.3\n"
            for name, link in links.items())
        cluster = HEAD + "".join(
            f"listen {name}\n  bind :{link} ssl crt {trust.bundle('server')} ca-file {trust.ca} verify required "
            f"ssl-min-ver TLSv1.3\n  server target 127.0.0.1:{targets[name]}\n"
            for name, link in links.items())
        roles = {}
        for role, text, place in (("server", hub, site.in_hub), ("agent", cluster, site.in_cluster)):
            name = world.unique(f"haproxy-{role}")
            config = world.folder / f"{name}.cfg"
            config.write_text(text)
            # -db: in the foreground and without a master process, so that the process we started does the work.
            roles[role] = Process(name, place([haproxy, "-db", "-f", config]), world.folder / f"{name}.log")
        return Running(via, fronts, {name: "-" for name in targets}, roles)


# nbthread is its default here: one thread for each core. The defaults for time-outs are none, of which it warns.
HEAD = f"""global
  maxconn 9000
  nbthread {os.cpu_count()}
defaults
  mode tcp
  timeout connect 10s
  timeout client 1h
  timeout server 1h
"""


class Rathole(Contender):
    """TLS with the server's certificate checked, the client known by a token: it has no client certificates."""

    key, ways = "rathole", ("tcp",)

    def missing(self, world):
        return None if "rathole" in world.programs else "rathole is not built: no Rust toolchain"

    def start(self, world, site, via, targets):
        control, trust = world.ports.take(), world.cluster
        fronts = {name: f"127.0.0.1:{world.ports.take()}" for name in targets}
        transport = '[{0}.transport]\ntype = "tls"\n[{0}.transport.tls]\n'
        server = (f'[server]\nbind_addr = "{site.hub_address}:{control}"\ndefault_token = "bench"\n'
                  + transport.format("server")
                  + f'pkcs12 = "{trust.server_pkcs12}"\npkcs12_password = "{PKCS12_PASSWORD}"\n'
                  + "".join(f'[server.services.{name}]\nbind_addr = "{front}"\n' for name, front in fronts.items()))
        client = (f'[client]\nremote_addr = "{site.hub_address}:{control}"\ndefault_token = "bench"\n'
                  + transport.format("client") + f'trusted_root = "{trust.ca}"\nhostname = "localhost"\n'
                  + "".join(f'[client.services.{name}]\nlocal_addr = "127.0.0.1:{port}"\n'
                            for name, port in targets.items()))
        return two_halves(world, site, via, fronts, "rathole", control,
                          {"server": ([world.programs["rathole"], "--server"], server),
                           "agent": ([world.programs["rathole"], "--client"], client)})


class Frp(Contender):
    """Mutual TLS, streams multiplexed on one connection: its defaults, but for the certificates."""

    key, ways = "frp", ("tcp",)

    def start(self, world, site, via, targets):
        control, trust = world.ports.take(), world.cluster
        ports = {name: world.ports.take() for name in targets}
        quiet = 'log.level = "error"\n'
        server = (quiet + f'bindAddr = "{site.hub_address}"\nbindPort = {control}\nproxyBindAddr = "127.0.0.1"\n'
                  f'transport.tls.force = true\ntransport.tls.certFile = "{trust.cert("server")}"\n'
                  f'transport.tls.keyFile = "{trust.key("server")}"\ntransport.tls.trustedCaFile = "{trust.ca}"\n')
        client = (quiet + f'serverAddr = "{site.hub_address}"\nserverPort = {control}\nloginFailExit = false\n'
                  f'transport.tls.certFile = "{trust.cert("client")}"\ntransport.tls.keyFile = "{trust.key("client")}"\n'
                  f'transport.tls.trustedCaFile = "{trust.ca}"\ntransport.tls.serverName = "localhost"\n'
                  + "".join(f'[[proxies]]\nname = "{name}"\ntype = "tcp"\nlocalIP = "127.0.0.1"\n'
                            f"localPort = {targets[name]}\nremotePort = {port}\n" for name, port in ports.items()))
        return two_halves(world, site, via, {name: f"127.0.0.1:{port}" for name, port in ports.items()}, "frp", control,
                          {"server": ([world.programs["frps"], "-c"], server),
                           "agent": ([world.programs["frpc"], "-c"], client)})


def two_halves(world, site, via, fronts, key, control: int, halves) -> Running:
    """The server first; the client once the server listens on its control port."""
    roles = {}
    for role, (command, text) in halves.items():
        name = world.unique(f"{key}-{role}")
        config = world.folder / f"{name}.toml"
        config.write_text(text)
        place = site.in_hub if role == "server" else site.in_cluster
        roles[role] = Process(name, place([*command, config]), world.folder / f"{name}.log")
        if role == "server":
            await_listener(roles[role], control)
    return Running(via, fronts, {name: "-" for name in fronts}, roles)
