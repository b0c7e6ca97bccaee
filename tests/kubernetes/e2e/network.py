"""Clusters that only dial out. The run's own network namespace is the internet; each node has a namespace with one link to it.

The internet lets new connections pass to the hub only, to its API server and node ports, and changes their source, as the
gateway of a private cloud does. Nothing new passes towards another cluster. Every cluster has the same networks of pods and
services, as two private clouds may have.
"""

from __future__ import annotations

import itertools

from harness.network import API_PORT, API_SERVICE, Place
from harness.processes import run

POD_NETWORK = "10.244.0.0/24"
SERVICE_NETWORK = "10.0.0.0/24"  # that of tests/peers/kube_apiserver.sh
DNS_SERVICE = "10.0.0.10"
NODE_PORTS = "30000-32767"
TARGET_PORT = 7000  # where a cluster's name leads to a program on its node: the name is that of its API server
numbers = itertools.count(1)

INTERNET = f"""
table ip internet {{
  set hubs {{ type ipv4_addr; }}
  set balancers {{ type ipv4_addr; }}
  set cut {{ type ipv4_addr; }}
  chain forward {{
    type filter hook forward priority 0; policy drop;
    ip daddr @cut drop
    ip saddr @cut drop
    ct state established,related accept
    ip daddr @hubs tcp dport {{ {API_PORT}, {NODE_PORTS} }} accept
    ip daddr @balancers accept
  }}
  chain leave {{ type nat hook postrouting priority 100; ip daddr @hubs masquerade; ip daddr @balancers masquerade; }}
}}
"""
NODE = """
table ip node {{
  chain enter {{ type nat hook prerouting priority -110; ip daddr {service} tcp dport {port} dnat to {address}; }}
  chain leave {{ type nat hook postrouting priority 100; ip saddr {pods} oifname "uplink" masquerade; }}
}}
"""


def make_internet() -> None:
    run("ip", "link", "set", "lo", "up")
    run("sysctl", "-qw", "net.ipv4.ip_forward=1")
    run("nft", "-f", "-", text=INTERNET)


def make_node(name: str) -> Place:
    number = next(numbers)
    gateway, address = (f"172.31.{number}.{end}" for end in (1, 10))
    link = f"to-{name}"[:15]
    run("ip", "netns", "add", name)
    run("ip", "link", "add", link, "type", "veth", "peer", "name", "uplink", "netns", name)
    run("ip", "address", "add", f"{gateway}/24", "dev", link)
    run("ip", "link", "set", link, "up")
    run("ip", "-n", name, "link", "set", "lo", "up")
    run("ip", "-n", name, "address", "add", f"{address}/24", "dev", "uplink")
    run("ip", "-n", name, "link", "set", "uplink", "up")
    # Also what services need: the way to an address is looked up before kube-proxy's rules change the address.
    run("ip", "-n", name, "route", "add", "default", "via", gateway)
    # A packet between two pods of one bridge has to pass kube-proxy's rules on its way back too.
    for setting in ("net.ipv4.ip_forward=1", "net.bridge.bridge-nf-call-iptables=1"):
        run("sysctl", "-qw", setting, netns=name)
    run("nft", "-f", "-", netns=name, text=NODE.format(service=API_SERVICE, port=TARGET_PORT, address=address, pods=POD_NETWORK))
    return Place(name, address)


def open_hub(place: Place) -> None:
    """Lets the clusters dial it."""
    run("nft", "add", "element", "ip", "internet", "hubs", f"{{ {place.address} }}")


def balance(address: str, place: Place) -> None:
    """What a cloud's load balancer does: leads the address to the node, where kube-proxy knows it."""
    run("ip", "route", "replace", f"{address}/32", "via", place.address)
    run("nft", "add", "element", "ip", "internet", "balancers", f"{{ {address} }}")


def cut(place: Place) -> None:
    """Drops every packet from and to it, those of open connections too."""
    run("nft", "add", "element", "ip", "internet", "cut", f"{{ {place.address} }}")


def heal(place: Place) -> None:
    run("nft", "delete", "element", "ip", "internet", "cut", f"{{ {place.address} }}")
