"""What both worlds are given: the written texts of a plan, and steps to take."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

from compiler.balancing.ip_batch import write_batch
from compiler.balancing.linux_marks import MASK, mark_value
from compiler.balancing.nftables import write_nftables
from compiler.balancing.plan import Plan, port_of
from compiler.fields import Family
from compiler.placed.addresses import show

__all__ = ["Known", "Step", "Written"]

_HOP = re.compile(r"nexthop via \S+ dev (\S+) weight \d+ ?")
_DEFAULT = re.compile(r"route replace default via \S+ dev (\S+) metric \d+.*")


class Step(NamedTuple):
    """One thing that happens. ``kind``: packet, link, routes, load, udp_own, echo_own."""

    kind: str
    port: str = ""
    octets: bytes = b""
    to_all: bool = False
    """The frame is broadcast."""
    is_up: bool = True
    gone: frozenset[str] = frozenset()
    """Uplinks' interfaces whose default routes are away, as a watcher takes them."""
    number: int = 0
    address: int = 0
    to_port: int = 0


class Known(NamedTuple):
    """A connection in the table: its two tuples as source, destination, and their ports (ICMP: id, type and code)."""

    protocol: int
    original: tuple[int, ...]
    reply: tuple[int, ...]
    mark: int


@dataclass(frozen=True)
class Written:
    """The texts for Linux, and how the kernel hashes. A table beside them writes each packet's mark into its DSCP."""

    plan: Plan
    policy: str = "l3"
    seed: int = 1

    @property
    def ports(self) -> tuple[str, ...]:
        """All interfaces."""
        return tuple(dict.fromkeys([*(one.interface for one in self.plan.balance.ends), *map(port_of, self.uplinks)]))

    @property
    def uplinks(self):
        return self.plan.balance.uplinks

    @property
    def rules(self) -> str:
        """For nft."""
        lines = ["table ip witness", "delete table ip witness", "table ip witness {"]
        lines += [" chain witness {", "  type filter hook postrouting priority 250; policy accept;"]
        for table in self.plan.tables:
            lines.append(f"  meta mark & 0x{MASK:x} == 0x{mark_value(table.number):x} ip dscp set {table.number}")
        return write_nftables(self.plan) + "\n".join([*lines, " }", "}"]) + "\n"

    def batch(self, gone: frozenset[str] = frozenset()) -> str:
        """For ip, without the default routes by what is gone."""
        lines = []
        for line in write_batch(self.plan).split("\n"):
            found = _DEFAULT.fullmatch(line)
            if found and found[1] in gone:
                continue
            left = _HOP.sub(lambda hop: "" if hop[1] in gone else hop[0], line).rstrip()
            if "nexthop" in left or "nexthop" not in line:
                lines.append(left)
        return "\n".join(lines)

    def absent(self, gone: frozenset[str]) -> list[str]:
        """Commands that take the main table's routes by what is gone away."""
        ways = {port_of(one): one for one in self.uplinks}
        metric = {name: number for number, name in enumerate(self.plan.main, 1)}
        return [
            f"route del default via {show(Family.IPV4, ways[name].gateway)} dev {name} metric {metric[ways[name].name]}"
            for name in gone
        ]
