"""Rules that would refute a claim, and for each the packets that come as far as it: one of each is tried first.

What earlier rules take for certain is left out. A rule that asks for state, an
interface or the TTL takes nothing for certain; translations are not looked through.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING, NamedTuple

from compiler.fields import Family
from compiler.policy.access_list import AccessList, Action, Device
from compiler.policy.match import Match
from compiler.policy.ruleset import Chain, ChainKind, Hook, Rule, Ruleset, Verdict
from compiler.source import Span
from compiler.symbolic.space import PacketSpace, space
from compiler.testing.networks.ends import Itself, Place
from compiler.testing.networks.model import NetworkModel

if TYPE_CHECKING:
    from oxidd.bdd import BDDFunction

__all__ = ["Named", "Needle", "needles"]

_STOPS = (Verdict.DROP, Verdict.REJECT)
_HERE, _THROUGH = (Hook.INPUT, Hook.OUTPUT), (Hook.FORWARD, Hook.POSTROUTING)
_DEEPEST = 16
"""Jumps within jumps: as many as the kernel allows (NFT_JUMP_STACK_SIZE, include/net/netfilter/nf_tables.h)."""


class Named(NamedTuple):
    """A rule of a router; a list's or a chain's default has the span of the whole."""

    router: str
    span: Span


class Needle(NamedTuple):
    """A rule, and the packets asked about that come to it, as far as matches can say."""

    rule: Named
    region: BDDFunction


def needles(
    model: NetworkModel,
    region: BDDFunction,
    family: Family,
    destination: Place | None,
    doors: tuple[int, ...] = (),
    *,
    stops: bool,
    noninitial: bool = False,
) -> Iterator[Needle]:
    """All rules that stop packets of the region (``stops``), or that let them pass, router by router in their order.

    A rule for one of the ``doors`` is for the destination that a router turns it into.
    """
    elsewhere = _THROUGH if isinstance(destination, Itself) else _HERE
    for router in model.routers:
        walk = _Walk(router.name, region, space(family), doors, stops, noninitial)
        if isinstance(router.policy, Device):
            for one in router.policy.lists:
                if one.family is family:
                    yield from walk.list(one)
        elif router.policy is not None:
            for chain in router.policy.chains:
                filters = chain.hook is not None and chain.kind is ChainKind.FILTER
                if filters and family in chain.families and chain.hook not in elsewhere:
                    yield from walk.base(router.policy, chain)


class _Walk:
    """Through the rules of one router."""

    def __init__(
        self,
        name: str,
        region: BDDFunction,
        family_space: PacketSpace,
        doors: tuple[int, ...],
        stops: bool,
        noninitial: bool,
    ) -> None:
        self._name = name
        self._region = region
        self._space = family_space
        self._doors = doors
        self._stops = stops
        self._noninitial = noninitial

    def list(self, one: AccessList) -> Iterator[Needle]:
        """The entries of a list, and its implicit denial."""
        rest = self._region
        for entry in one.entries:
            if entry.fragments and not self._noninitial:
                continue
            every = self._space.empty
            for match in entry.matches:
                every = every | self._asked(match)
            if (entry.action is Action.DENY) is self._stops:
                yield from self._needle(entry.span, rest & every, every)
            if not entry.unmodelled and not entry.time_range and all(self._is_whole(match) for match in entry.matches):
                rest = rest & ~every
        if self._stops:
            yield from self._needle(one.span, rest, rest)

    def base(self, ruleset: Ruleset, chain: Chain) -> Iterator[Needle]:
        """The rules of a base chain and of those that it jumps to, and its policy."""
        rest = yield from self._chain(ruleset, chain, self._region, 0)
        if (chain.policy in _STOPS) is self._stops:
            yield from self._needle(chain.span, rest, rest)

    def _chain(
        self, ruleset: Ruleset, chain: Chain, region: BDDFunction, depth: int
    ) -> Generator[Needle, None, BDDFunction]:
        """What it leaves to whoever jumped there."""
        rest, returned = region, self._space.empty
        for rule in chain.rules:
            if rule.disabled:
                continue
            every = self._asked(rule.match) & region
            taken = every if self._is_certain(rule) else self._space.empty
            hit = rest & every
            if rule.verdict in (Verdict.JUMP, Verdict.GOTO):
                target = ruleset.chain(chain.table, rule.target)
                if target is None or depth >= _DEEPEST or not every.satisfiable():
                    continue
                left = yield from self._chain(ruleset, target, hit if hit.satisfiable() else every, depth + 1)
                rest = rest & ~taken
                if rule.verdict is Verdict.JUMP:
                    rest = rest | left
                else:
                    returned = returned | left
            elif rule.verdict is Verdict.RETURN:
                rest, returned = rest & ~taken, returned | hit
            elif rule.verdict is not Verdict.CONTINUE:
                if (rule.verdict in _STOPS) is self._stops:
                    yield from self._needle(rule.span, hit, every)
                rest = rest & ~taken
        return rest | returned

    def _needle(self, span: Span, hit: BDDFunction, every: BDDFunction) -> Iterator[Needle]:
        """Packets of earlier rules too, where matches say that nothing else comes as far: they may not say all."""
        part = hit if hit.satisfiable() else every
        if part.satisfiable():
            yield Needle(Named(self._name, span), part)

    def _asked(self, match: Match) -> BDDFunction:
        """What a match asks of a packet as it is sent."""
        if match.family not in (None, self._space.family) or (self._noninitial and match.looks_at_layer4):
            return self._space.empty
        if match.noninitial not in (None, self._noninitial):
            return self._space.empty
        if match.destination is not None and any(map(match.destination.contains, self._doors)):
            match = match._replace(destination=None)
        bare = match._replace(family=None, ingress=None, egress=None, ttl=None, noninitial=None)
        return self._region & self._space.encode(bare)

    def _is_certain(self, rule: Rule) -> bool:
        return not rule.unmodelled and self._is_whole(rule.match)

    @staticmethod
    def _is_whole(match: Match) -> bool:
        return match.ingress is None and match.egress is None and match.ttl is None and match.week_minute is None
