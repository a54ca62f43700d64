"""Translations of the written text: what leaves by an uplink has its address, what is forwarded arrives."""

from __future__ import annotations

from collections.abc import Iterator

from compiler.addresses import AddressSet
from compiler.balancing.finding import Finding
from compiler.balancing.intended import atoms
from compiler.balancing.plan import Plan, port_of
from compiler.balancing.view import View
from compiler.balancing.walking import Memory, Passage, Walker
from compiler.fields import Family
from compiler.integers import IntegerSet
from compiler.policy.match import Match, layer4
from compiler.policy.packet import Path
from compiler.policy.packet_text import format_packet
from compiler.policy.ruleset import ChainKind, Hook
from compiler.policy.stateful import State, Translation
from compiler.semantics.machine import Context
from compiler.symbolic.witness import shortest_packet

__all__ = ["TranslationProof"]


class TranslationProof:
    """Goes through both NAT hooks. ``cases`` counts what was looked at."""

    def __init__(self, plan: Plan, view: View) -> None:
        self.plan = plan
        self.view = view
        self.walker = Walker(view.ruleset, view.own_addresses(), packet_is_routing=view.is_linux)
        self.cases = 0

    def findings(self) -> Iterator[Finding]:
        """What is wrong with translations of new connections."""
        cuts = list(dict.fromkeys(self.walker.cuts({ChainKind.NAT})))
        none, space = self.view.no_mark, self.walker.space
        inside = self.plan.balance.networks[0].interface
        everything = atoms(space.possible, cuts)
        for uplink in self.plan.balance.uplinks:
            port = port_of(uplink)
            for atom in everything:
                passage = Passage(inside, port, State.NEW, self.view.mark(self.plan.mark_of(uplink.name)), none)
                self.cases += 1
                walked = self.walker.walk(Hook.POSTROUTING, {ChainKind.NAT}, atom, passage, Memory())
                if walked.translation is None or walked.translation.kind is not Translation.MASQUERADE:
                    context = Context(Family.IPV4, Path.FORWARD, inside, port, False)
                    text = format_packet(shortest_packet(atom, space, context))
                    yield Finding(f"what leaves by {uplink.name} keeps its inner address", text, uplink.span)
                    break
        yield from self._forwards()

    def _forwards(self) -> Iterator[Finding]:
        none, space = self.view.no_mark, self.walker.space
        own = AddressSet.of(32, ranges=[(one, one) for one in self.view.own_addresses()])
        cuts = list(dict.fromkeys(self.walker.cuts({ChainKind.NAT})))
        for uplink in self.plan.balance.uplinks:
            rest = space.encode(Match(destination=own))
            passage = Passage(port_of(uplink), "", State.NEW, self.view.mark(self.plan.mark_of(uplink.name)), none)
            for forward in self.plan.balance.forwards:
                if uplink.name not in forward.uplinks:
                    continue
                low, high = forward.ports
                match = Match(
                    protocol=IntegerSet.values(forward.protocol), destination_port=IntegerSet.range(low, high)
                )
                region = rest & space.encode(layer4(match))
                rest = rest & ~region
                for atom in atoms(region, cuts):
                    self.cases += 1
                    walked = self.walker.walk(Hook.PREROUTING, {ChainKind.NAT}, atom, passage, Memory())
                    done = walked.translation
                    hosts = [(one.first, one.last) for one in done.addresses] if done else []
                    ports = (forward.port, forward.port) if forward.port else None
                    right = done is not None and done.kind is Translation.DESTINATION
                    if not right or hosts != [(forward.host, forward.host)] or (done and done.ports) != ports:
                        context = Context(Family.IPV4, Path.INPUT, port_of(uplink), "", False)
                        text = format_packet(shortest_packet(atom, space, context))
                        yield Finding(f"a port forward by {uplink.name} does not arrive", text, forward.span)
            for atom in atoms(rest, cuts):
                self.cases += 1
                walked = self.walker.walk(Hook.PREROUTING, {ChainKind.NAT}, atom, passage, Memory())
                if walked.translation is not None:
                    context = Context(Family.IPV4, Path.INPUT, port_of(uplink), "", False)
                    text = format_packet(shortest_packet(atom, space, context))
                    yield Finding(f"something is forwarded by {uplink.name} that nobody asked for", text, uplink.span)
