"""How a kernel stands, or shall stand: values that compare, and that a file can hold."""

from __future__ import annotations

from typing import Any, NamedTuple

from compiler.deploy.linux.state import State as BalanceState

__all__ = ["PROTOCOL", "TABLES", "Address", "Held", "Link", "Route", "Target", "is_ours"]

PROTOCOL = 104
"""Ours in routes and addresses (``proto 104``; rtnetlink(7)). The balance has 103."""
TABLES = (("ip", "gerbang"), ("ip6", "gerbang"))
"""The tables of nft that are the filter's."""


class Link(NamedTuple):
    """An interface. ``mtu`` 0 leaves it as it is."""

    name: str
    up: bool
    mtu: int = 0


class Address(NamedTuple):
    """``text`` is ``192.0.2.1/24``. ``lasting``: not by a lease that ends."""

    interface: str
    text: str
    protocol: int = PROTOCOL
    lasting: bool = True

    @property
    def version(self) -> int:
        """4 or 6."""
        return 6 if ":" in self.text else 4

    def __str__(self) -> str:
        return f"{self.text} dev {self.interface}"


class Route(NamedTuple):
    """A route of the main table, with one way or (``unicast`` is False) none.

    ``plain`` is False for routes of others that have more to them than stands
    here: those are never touched, nor put back.
    """

    destination: str
    metric: int
    kind: str = "unicast"
    gateway: str = ""
    interface: str = ""
    protocol: int = PROTOCOL
    source: str = ""
    plain: bool = True

    @property
    def version(self) -> int:
        """4 or 6."""
        return 6 if ":" in self.destination else 4

    @property
    def key(self) -> tuple[str, int]:
        """What the kernel tells routes of one table apart by."""
        return self.destination, self.metric

    def leads_as(self, other: Route) -> bool:
        """Whether packets go the same way; a way without an interface goes by any."""
        same = self.key == other.key and self.kind == other.kind and self.gateway == other.gateway
        return same and (not other.interface or self.interface == other.interface)

    def __str__(self) -> str:
        words = [self.destination] if self.kind == "unicast" else [self.kind, self.destination]
        words += ["via", self.gateway] if self.gateway else []
        words += ["dev", self.interface] if self.interface else []
        words += ["metric", str(self.metric)] if self.metric else []
        return " ".join(words)


def is_ours(one: Address | Route) -> bool:
    """Whether the appliance made it."""
    return one.protocol == PROTOCOL


class Held(NamedTuple):
    """What stands: of everybody. ``tables`` has a text for each of TABLES, empty for none, as nft spells it without
    counts; ``counted`` the same with them."""

    links: tuple[Link, ...]
    addresses: tuple[Address, ...]
    """In the kernel's order."""
    routes: tuple[Route, ...]
    """Of the main table."""
    tables: tuple[str, ...]
    counted: tuple[str, ...]


class Target(NamedTuple):
    """What shall stand. ``settings`` are below /proc/sys/net. ``tables`` are in nft's own spelling.

    What of others is in ``addresses`` and ``routes`` is put back where it went
    with a change of ours; it is never taken away.
    """

    links: tuple[Link, ...] = ()
    addresses: tuple[Address, ...] = ()
    routes: tuple[Route, ...] = ()
    tables: tuple[str, ...] = ("", "")
    counted: tuple[str, ...] = ("", "")
    settings: tuple[tuple[str, str], ...] = ()
    balance: BalanceState = BalanceState()
    exact: bool = False
    """The networks of an interface have the order of their first addresses too, as before a change."""

    def only_ours(self) -> Target:
        """Without what is put back of others."""
        return self._replace(
            addresses=tuple(one for one in self.addresses if is_ours(one)),
            routes=tuple(one for one in self.routes if is_ours(one)),
        )

    def as_json(self) -> dict[str, Any]:
        """For a file."""
        return {**self._asdict(), "balance": self.balance.as_json()}

    @classmethod
    def from_json(cls, found: dict[str, Any]) -> Target:
        """What :meth:`as_json` made, through a file. KeyError, TypeError or ValueError for other things."""
        return cls(
            tuple(Link(*one) for one in found["links"]),
            tuple(Address(*one) for one in found["addresses"]),
            tuple(Route(*one) for one in found["routes"]),
            tuple(map(str, found["tables"])),
            tuple(map(str, found["counted"])),
            tuple((str(name), str(value)) for name, value in found["settings"]),
            BalanceState.from_json(found["balance"]),
            bool(found["exact"]),
        )
