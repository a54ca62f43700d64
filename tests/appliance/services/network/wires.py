"""An appliance between a client and a server, each in a network namespace of its own; and descriptions for it."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from contextlib import ExitStack
from functools import lru_cache
from pathlib import Path

import pytest

from appliance.services.network.components import NetworkComponent
from appliance.services.network.model import Interface, ManagementNetwork, NetworkDescription, Policy, Route, Settings
from appliance.services.network.records import Folders
from compiler.deploy.linux.libnftables import is_installed
from labs.kernel.namespaces import Namespace
from labs.kernel.settings import apply

__all__ = ["LAN", "Wires", "described", "needs_kernel", "reaches", "run_killed", "wait_until", "written"]

PORTS = (22, 8443, 9000)
LAN = """\
ip access-list extended LAN
 permit tcp 10.1.0.0 0.0.0.255 any eq 22
 permit tcp 10.1.0.0 0.0.0.255 any eq 8443
 permit udp any any eq 5353
ipv6 access-list LAN
 permit tcp 2001:db8:1::/64 any eq 22
 permit tcp 2001:db8:1::/64 any eq 8443
"""
"""All but SSH and the appliance's own port is denied."""


@lru_cache(maxsize=1)
def _why_not() -> str:
    if os.geteuid() != 0:
        return "needs root"
    if not shutil.which("ip") or not shutil.which("nft") or not is_installed():
        return "needs ip, nft and libnftables"
    try:
        Namespace("try").close()
    except OSError as error:
        return f"no namespaces here: {error}"
    return ""


needs_kernel = pytest.mark.skipif(bool(_why_not()), reason=_why_not() or "-")


def described(policy: str = "", *, more: tuple[Interface, ...] = (), **settings) -> NetworkDescription:
    """The appliance on the LAN; with a policy, that one on what comes in there."""
    lan = Interface(name="lan", addresses=("10.1.0.1/24", "2001:db8:1::1/64"), filter_in="LAN" if policy else None)
    return NetworkDescription(
        interfaces=(lan, *more),
        routes=(
            Route(name="away", destination="198.51.100.0/24", gateway="10.1.0.7"),
            Route(name="away6", destination="2001:db8:ff::/48", gateway="2001:db8:1::7"),
        ),
        policies=(Policy(name="LAN", text=policy),) if policy else (),
        management=(
            ManagementNetwork(name="office", network="10.1.0.0/24", interface="lan"),
            ManagementNetwork(name="office6", network="2001:db8:1::/64", interface="lan"),
        ),
        settings=Settings(**settings),
    )


def written(folder: Path, whole: NetworkDescription) -> Path:
    """The rendered generation in a new folder."""
    folder.mkdir(parents=True)
    for file in NetworkComponent(whole).render():
        (folder / file.path).write_bytes(file.content)
    return folder


class Wires:
    """client (eth0) - lan [appliance] wan - (eth0) server, as a context manager that leaves nothing behind."""

    def __init__(self, tmp_path: Path) -> None:
        self._stack = ExitStack()
        self.nodes: dict[str, Namespace] = {}
        self.folders = Folders(tmp_path / "run", tmp_path / "state")

    def __enter__(self) -> Wires:
        for name in ("client", "appliance", "server"):
            self.nodes[name] = self._stack.enter_context(Namespace(name))
            with self.nodes[name].inside():
                apply([("net/ipv4/ip_forward", "0"), ("net/ipv6/conf/all/forwarding", "0")])
                apply((f"net/ipv6/conf/{one}/accept_dad", "0") for one in ("all", "default"))
                apply((f"net/ipv4/conf/{one}/rp_filter", "0") for one in ("all", "default"))
            self.ip(name, "link set lo up")
        for there, here in (("client", "lan"), ("server", "wan")):
            place = f"/proc/{os.getpid()}/fd/{self.nodes[there].descriptor}"
            self.ip("appliance", f"link add {here} type veth peer name eth0 netns {place}", f"link set {here} up")
            self.ip(there, "link set eth0 up")
        self.ip(
            "client",
            "addr add 10.1.0.7/24 dev eth0",
            "addr add 2001:db8:1::7/64 dev eth0 nodad",
            "route add default via 10.1.0.1",
        )
        self.ip("server", "addr add 10.2.0.7/24 dev eth0", "route add default via 10.2.0.1")
        for node in ("appliance", "server"):
            for port in PORTS:
                self._listen(node, port)
        return self

    def __exit__(self, *_) -> None:
        (self.folders.run / "standing.json").unlink(missing_ok=True)  # then its guardian leaves
        self._stack.close()

    def _listen(self, node: str, port: int) -> None:
        with self.nodes[node].inside():
            listening = socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True)
        self._stack.callback(listening.close)

    def ip(self, node: str, *commands: str) -> str:
        """Commands of ip in a node."""
        with self.nodes[node].inside():
            done = subprocess.run(
                ["ip", "-batch", "-"], input="\n".join(commands) + "\n", capture_output=True, text=True, check=False
            )
        assert done.returncode == 0, f"{node}: {done.stderr}"
        return done.stdout

    def nft(self, text: str) -> None:
        """Rules of somebody else on the appliance."""
        with self.nodes["appliance"].inside():
            subprocess.run(["nft", "-f", "-"], input=text, text=True, check=True)

    def stands(self) -> str:
        """All of the appliance that a change might touch, in the words of ip and nft, without counts."""
        with self.nodes["appliance"].inside():
            return how_it_stands()


def how_it_stands() -> str:
    """As :meth:`Wires.stands`, in this namespace."""
    kept = []
    for command in (
        *("ip -4 -o addr show", "ip -6 -o addr show scope global", "ip -o link show"),
        *("ip -4 route show table all", "ip -6 route show", "ip -4 rule", "nft -s list ruleset"),
    ):
        text = subprocess.run(command.split(), capture_output=True, text=True, check=True).stdout
        # A state of duplicate detection or of the carrier passes by itself.
        if "nft" in command:  # the order of tables of two families says nothing
            text = "\n".join(sorted(text.replace("\ntable ", "\0table ").split("\0")))
        lines = [
            " ".join(word for word in line.split(" ") if word not in ("tentative", "optimistic", "linkdown"))
            for line in filter(None, text.splitlines())
            if not line.startswith("fe80::")
        ]
        if "link" in command:  # flags of the carrier follow a little later
            lines = [
                re.sub(r"<[^>]*>", "UP" if ",UP" in line else "DOWN", line.partition(" state ")[0]) for line in lines
            ]
        # Only of IPv4 addresses the order says something.
        kept += lines if "-4 -o" in command or "nft" in command else sorted(lines)
    for name in ("ipv4/ip_forward", "ipv6/conf/all/forwarding"):
        kept.append(f"{name}={Path('/proc/sys/net', name).read_text().strip()}")
    return "\n".join(kept)


def reaches(wires: Wires, host: str, port: int, *, source: str = "client", seconds: float = 0.25) -> bool:
    """Whether a TCP connection comes about."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with wires.nodes[source].inside():
        made = socket.socket(family, socket.SOCK_STREAM)
    with made:
        made.settimeout(seconds)
        try:
            made.connect((host, port))
        except OSError:
            return False
        return True


def wait_until(is_so, seconds: float = 20) -> None:
    """Until it is so; it must become so."""
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.05)


_KILLED = """\
import os, signal, sys
from pathlib import Path
from appliance.services.network import applying
from appliance.services.network.records import Folders
before, after, run, state = (Path(one) if one else None for one in sys.argv[1:5])
def after_step(number):
    if number == int(sys.argv[5]):
        os.kill(os.getpid(), signal.SIGKILL)
applying.apply(before, after, int(sys.argv[6]), folders=Folders(run, state), after_step=after_step)
"""


def run_killed(wires: Wires, before: Path | None, after: Path | None, step: int, seconds: int) -> bool:
    """Apply in a process of its own that is killed after that step; whether it was."""
    root = str(Path(__file__).resolve().parents[4])
    words = [str(before or ""), str(after or ""), *map(str, wires.folders), str(step), str(seconds)]
    with wires.nodes["appliance"].inside():
        done = subprocess.run(
            [sys.executable, "-c", _KILLED, *words],
            env={**os.environ, "PYTHONPATH": root},
            capture_output=True,
            check=False,
        )
    assert done.returncode in (0, -9), done.stderr.decode()
    return done.returncode == -9
