"""A client, a router, two gateways and a server, each in a network namespace of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import ExitStack
from functools import lru_cache
from pathlib import Path

import pytest

from compiler.deploy.linux.libnftables import is_installed
from labs.kernel.namespaces import Namespace
from labs.kernel.settings import apply

__all__ = ["INTENT", "Uplinks", "needs_kernel"]

INTENT = """\
networks: {lan: {interface: LAN, address: 192.168.3.1/24}}
uplinks:
  line1: {interface: ISP1, address: 10.1.0.2/24, gateway: 10.1.0.1, probes: 198.51.100.1}
  line2: {interface: ISP2, address: 10.2.0.2/24, gateway: 10.2.0.1, probes: 198.51.100.2}
method: nth
exceptions: [{to: 198.51.100.77, via: line1, strict: yes}]
"""
"""The router's addresses on LAN, ISP1 and ISP2 are for the deploy to give."""
SERVER = ("198.51.100.9/32", "198.51.100.77/32", "198.51.100.1/32", "198.51.100.2/32")
_NAMES = ("client", "router", "gateway1", "gateway2", "server")


@lru_cache(maxsize=1)
def _why_not() -> str:
    if os.geteuid() != 0:
        return "needs root"
    if not shutil.which("ip") or not is_installed():
        return "needs ip and libnftables"
    try:
        Namespace("try").close()
    except OSError as error:
        return f"no namespaces here: {error}"
    return ""


needs_kernel = pytest.mark.skipif(bool(_why_not()), reason=_why_not() or "-")


class Uplinks:
    """The network, as a context manager that leaves nothing behind."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self.nodes: dict[str, Namespace] = {}

    def __enter__(self) -> Uplinks:
        for name in _NAMES:
            self.nodes[name] = self._stack.enter_context(Namespace(name))
            with self.nodes[name].inside():
                forwards = "0" if name in ("client", "server") else "1"
                apply([("net/ipv4/ip_forward", forwards), ("net/ipv6/conf/all/disable_ipv6", "1")])
                apply((f"net/ipv4/conf/{place}/rp_filter", "0") for place in ("all", "default"))
            self.ip(name, "link set lo up")
        self._cable("client", "eth0", "router", "LAN")
        self._cable("router", "ISP1", "gateway1", "in")
        self._cable("router", "ISP2", "gateway2", "in")
        self._cable("gateway1", "out", "server", "by1")
        self._cable("gateway2", "out", "server", "by2")
        self.ip("client", "addr add 192.168.3.7/24 dev eth0", "route add default via 192.168.3.1")
        for number in (1, 2):
            own = f"172.16.{number}"
            self.ip(
                f"gateway{number}",
                f"addr add 10.{number}.0.1/24 dev in",
                f"addr add {own}.1/24 dev out",
                f"route add default via {own}.2",
            )
            self.ip("server", f"addr add {own}.2/24 dev by{number}", f"route add 10.{number}.0.0/24 via {own}.1")
        self.ip("server", *(f"addr add {address} dev lo" for address in SERVER))
        return self

    def __exit__(self, *_) -> None:
        self._stack.close()

    def ip(self, node: str, *commands: str) -> str:
        """Commands of ip in a node."""
        with self.nodes[node].inside():
            done = subprocess.run(
                ["ip", "-batch", "-"], input="\n".join(commands) + "\n", capture_output=True, text=True, check=False
            )
        assert done.returncode == 0, f"{node}: {done.stderr}"
        return done.stdout

    def _cable(self, left: str, left_name: str, right: str, right_name: str) -> None:
        place = f"/proc/{os.getpid()}/fd/{self.nodes[right].descriptor}"
        self.ip(left, f"link add {left_name} type veth peer name {right_name} netns {place}")
        self.ip(left, f"link set {left_name} up")
        self.ip(right, f"link set {right_name} up")

    def standing(self, *, foreign: bool = True) -> str:
        """All of the router that a deploy might touch, in the words of ip and nft."""
        with self.nodes["router"].inside():
            texts = [
                subprocess.run(command.split(), capture_output=True, text=True, check=True).stdout
                for command in ("ip -4 -o addr show", "ip -4 route show table all", "ip -4 rule", "nft list ruleset")
            ]
            names = ("ip_forward", "conf/all/rp_filter", "fib_multipath_hash_policy")
            texts += [Path(f"/proc/sys/net/ipv4/{name}").read_text() for name in names]
        return "\n".join(sorted("\n".join(texts).split("\n")))
