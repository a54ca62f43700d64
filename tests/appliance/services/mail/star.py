"""The hospital's star in network namespaces: the server, departments by cable, and a machine of the world outside."""

from __future__ import annotations

import os
import subprocess
from contextlib import ExitStack

from labs.kernel.namespaces import Namespace

__all__ = ["LAN", "SERVER", "Star"]

SERVER = "192.168.10.2"
LAN = "192.168.10.0/24"
OUTSIDE = "198.51.100.7"
CLIENTS = {"nurse": "192.168.10.11", "doctor": "192.168.10.21", "outside": OUTSIDE}


class Star:
    """A bridge in a namespace of its own, and around it ``appliance``, ``nurse``, ``doctor`` and ``outside``."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self.nodes: dict[str, Namespace] = {}

    def __enter__(self) -> Star:
        self._stack.__enter__()
        for name in ("centre", "appliance", *CLIENTS):
            self.nodes[name] = self._stack.enter_context(Namespace(name))
            self.ip(name, "link set lo up")
        self.ip("centre", "link add centre type bridge", "link set centre up")
        for name in ("appliance", *CLIENTS):
            there = f"/proc/{os.getpid()}/fd/{self.nodes[name].descriptor}"
            self.ip(
                "centre",
                f"link add {name} type veth peer name eth0 netns {there}",
                f"link set {name} master centre",
                f"link set {name} up",
            )
            self.ip(name, "link set eth0 up")
            address = CLIENTS.get(name, SERVER)
            self.ip(name, f"addr add {address}/{32 if name == 'outside' else 24} dev eth0")
        self.ip("appliance", f"route add {OUTSIDE} dev eth0")
        self.ip("outside", f"route add {LAN} dev eth0")
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def ip(self, node: str, *commands: str) -> str:
        """Commands of ip(8) in a node."""
        with self.nodes[node].inside():
            done = subprocess.run(
                ["ip", "-batch", "-"], input="\n".join(commands) + "\n", capture_output=True, text=True, check=False
            )
        assert done.returncode == 0, f"{node}: {done.stderr}"
        return done.stdout
