"""Firewalls made of chains: what nftables and RouterOS have in common.

A :class:`Ruleset` says everything that decides about a packet: chains, hooks,
priorities, policies, order, jumps, and what each rule matches. Sets and address
lists are already resolved into the matches; their names are kept for writers.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from compiler.addresses import AddressSet
from compiler.fields import Family
from compiler.policy.access_list import Clause
from compiler.policy.match import ANY, Match
from compiler.source import NOWHERE, Span

__all__ = ["Chain", "ChainKind", "Hook", "NamedSet", "Rule", "Ruleset", "Verdict"]


class Hook(Enum):
    """Where in the router a base chain looks at packets."""

    PREROUTING = "prerouting"
    INPUT = "input"
    FORWARD = "forward"
    OUTPUT = "output"
    POSTROUTING = "postrouting"


class ChainKind(Enum):
    """What a base chain is for (nft(8), "type"; RouterOS's menus)."""

    FILTER = "filter"
    NAT = "nat"
    """Only the first packet of a connection comes here; the rest is translated alike."""
    ROUTE = "route"
    """The packet is routed anew when its mark or header has changed here."""


class Verdict(Enum):
    """What a rule does with a packet that matches."""

    ACCEPT = "accept"
    """Ends this hook's chain; later base chains still see the packet."""
    DROP = "drop"
    """The packet is gone. REJECT too, with an answer to the sender."""
    REJECT = "reject"
    JUMP = "jump"
    GOTO = "goto"
    """A jump that does not come back: a return there returns from here."""
    RETURN = "return"
    CONTINUE = "continue"
    """Only counts or logs."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. ``target`` is a chain's name for JUMP and GOTO.

    ``log`` is None or the prefix of the log line. ``unmodelled`` holds clauses
    that narrow the match further in a way outside the model (``ct state``), and,
    in a tree read for the simulator, what the rule changes, all in order.
    A ``disabled`` rule stands in the text and does nothing.
    """

    match: Match = ANY
    verdict: Verdict = Verdict.CONTINUE
    target: str = ""
    log: str | None = None
    answer: str = ""
    """What REJECT sends, in the words of the dialect."""
    comment: str = ""
    disabled: bool = False
    source_set: str = ""
    destination_set: str = ""
    unmodelled: tuple[Clause, ...] = ()
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class Chain:
    """Rules in order. A base chain has a hook, a priority and a policy.

    ``table`` and ``name`` together are its identity: RouterOS has ``raw`` and
    ``filter`` (of ``ip`` and ``ipv6``), nftables any table. ``families`` are
    the address families that ever enter. Base chains of one hook run in
    ascending ``priority``. ``sees_reassembled`` is True where packets are
    always defragmented before the chain.
    """

    table: str
    name: str
    rules: tuple[Rule, ...]
    families: frozenset[Family] = frozenset(Family)
    hook: Hook | None = None
    priority: int = 0
    policy: Verdict = Verdict.ACCEPT
    sees_reassembled: bool = False
    comment: str = ""
    span: Span = NOWHERE
    kind: ChainKind = ChainKind.FILTER

    @property
    def key(self) -> tuple[str, str]:
        """The identity among all chains."""
        return self.table, self.name


@dataclass(frozen=True, slots=True)
class NamedSet:
    """A named set of addresses (nft set, RouterOS address list)."""

    table: str
    name: str
    family: Family
    addresses: AddressSet
    comment: str = ""
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class Ruleset:
    """A whole firewall, as one dialect's reader understood it.

    ``features`` names what stands in the text and is not part of the model but
    changes packets or their way (NAT, fasttrack); proofs list them.
    """

    source: str
    dialect: str
    chains: tuple[Chain, ...]
    sets: tuple[NamedSet, ...] = ()
    features: tuple[Clause, ...] = ()
    header: tuple[str, ...] = ()
    """Comment lines of a generated file's head."""
    skipped_lines: int = 0
    lines: tuple[str, ...] = field(default=(), repr=False, compare=False)
    for_simulation: bool = False
    """Read with ``unmodelled="simulate"``: chains of every kind, clauses with meanings. Proofs refuse it."""

    def chain(self, table: str, name: str) -> Chain | None:
        """The chain with that identity, or None."""
        for chain in self.chains:
            if chain.table == table and chain.name == name:
                return chain
        return None
