"""A written text, read back, and the names that its dialect has for the plan's marks and tables."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from compiler.balancing.linux_marks import MASK, mark_value, table_number
from compiler.balancing.plan import LineMark, LineTable
from compiler.dialects import read, read_network
from compiler.dialects.routeros.script import parse
from compiler.errors import UsageError
from compiler.fields import Family
from compiler.policy.network import Network
from compiler.policy.ruleset import Ruleset
from compiler.source import Span

__all__ = ["View", "view_linux", "view_routeros"]


_OTHERS = 0xAA5500AA & ~MASK
"""Bits that other programs might have set."""


class View(NamedTuple):
    """What was read back: the rules, and where packets go."""

    ruleset: Ruleset
    network: Network
    is_linux: bool
    defaults_by_lease: tuple[tuple[str, Span], ...] = ()
    """Interfaces whose DHCP client adds a default route of its own to main (RouterOS does so unless told not to)."""

    @property
    def no_mark(self) -> int | str:
        """What an unmarked packet or connection has: in Linux bits of others, which must stay."""
        return _OTHERS if self.is_linux else ""

    def own_addresses(self) -> frozenset[int]:
        """The router's own IPv4 addresses."""
        return frozenset(
            one.address
            for interface in self.network.interfaces
            for one in interface.addresses
            if one.family is Family.IPV4
        )

    def mark(self, mark: LineMark) -> int | str:
        """The connection mark."""
        return _OTHERS | mark_value(mark.number) if self.is_linux else mark.name

    def routing(self, table: LineTable) -> int | str:
        """The mark by which packets look in a table."""
        return _OTHERS | mark_value(table.number) if self.is_linux else table.name

    def table(self, table: LineTable) -> str:
        """The name of a table in the network."""
        return str(table_number(table.number)) if self.is_linux else table.name


def view_routeros(text: str, source: str) -> View:
    """A RouterOS script, read back. Raises InputErrors."""
    ruleset = read(text, source, dialect="routeros", unmodelled="simulate")
    if not isinstance(ruleset, Ruleset):
        raise UsageError(f"{source}: no RouterOS script")
    return View(ruleset, read_network(text, source, dialect="routeros"), False, tuple(_defaults_by_lease(text, source)))


def _defaults_by_lease(text: str, source: str) -> Iterator[tuple[str, Span]]:
    for statement in parse(text, source).statements:
        words = {name: value for name, value in statement.arguments if isinstance(value, str)}
        adds = statement.path == ("ip", "dhcp-client") and statement.command == "add"
        if (
            adds
            and words.get("add-default-route") not in ("no", "false")
            and words.get("disabled") not in ("yes", "true")
        ):
            yield words.get("interface", ""), Span(source, statement.line)


def view_linux(rules: str, batch: str, source: str) -> View:
    """An nft file and the commands for ip, read back. Raises InputErrors."""
    from compiler.balancing.ip_batch import read_batch

    ruleset = read(rules, f"{source}.nft", dialect="nftables", unmodelled="simulate")
    if not isinstance(ruleset, Ruleset):
        raise UsageError(f"{source}: no nft file")
    return View(ruleset, read_batch(batch, f"{source}.ip"), True)
