"""Translations of the written text: what leaves by an uplink has its address, what is forwarded arrives."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import TYPE_CHECKING

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
from compiler.policy.ruleset import ChainKind, Hook, Verdict
from compiler.policy.stateful import State, Translate, Translation
from compiler.semantics.machine import Context
from compiler.symbolic.witness import shortest_packet

if TYPE_CHECKING:
    from oxidd.bdd import BDDFunction

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
        everything = atoms(self.walker.space.possible, cuts)
        yield from self._leaving(everything)
        yield from self._forwards()
        yield from self._untouched(everything)
        yield from self._name_service()

    def _marks(self) -> tuple[int | str, ...]:
        """No mark, and every mark that a connection may have."""
        return (self.view.no_mark, *(self.view.mark(mark) for mark in self.plan.marks))

    def _inside(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(network.interface for network in self.plan.balance.networks))

    def _translation(self, hook: Hook, atom: BDDFunction, passage: Passage) -> Translate | None:
        self.cases += 1
        return self.walker.walk(hook, {ChainKind.NAT}, atom, passage, Memory()).translation

    def _text(self, atom: BDDFunction, path: Path, ingress: str, egress: str) -> str:
        context = Context(Family.IPV4, path, ingress, egress, False)
        return format_packet(shortest_packet(atom, self.walker.space, context))

    def _leaving(self, everything: list[BDDFunction]) -> Iterator[Finding]:
        """What leaves by an uplink, of every network inside, with any mark, has that uplink's address."""
        for uplink in self.plan.balance.uplinks:
            port = port_of(uplink)
            for ingress, mark, atom in product(self._inside(), self._marks(), everything):
                done = self._translation(Hook.POSTROUTING, atom, Passage(ingress, port, State.NEW, mark, mark))
                if done is None or done.kind is not Translation.MASQUERADE:
                    text = self._text(atom, Path.FORWARD, ingress, port)
                    yield Finding(f"what leaves by {uplink.name} has not that uplink's address", text, uplink.span)
                    break

    def _untouched(self, everything: list[BDDFunction]) -> Iterator[Finding]:
        """What comes from inside goes where it is sent, and what does not leave by an uplink keeps its source."""
        outside = [port_of(uplink) for uplink in self.plan.balance.uplinks]
        ways = [
            (
                Hook.PREROUTING,
                Path.FORWARD,
                [(ingress, "") for ingress in self._inside()],
                "from inside is sent elsewhere",
            ),
            (
                Hook.POSTROUTING,
                Path.FORWARD,
                list(product((*self._inside(), *outside), self._inside())),
                "to a network inside loses its source",
            ),
            (Hook.OUTPUT, Path.OUTPUT, [("", "")], "of the router's own is sent elsewhere"),
            (Hook.INPUT, Path.INPUT, [(one, "") for one in (*self._inside(), *outside)], "to the router is translated"),
        ]
        for hook, path, ends, said in ways:
            for (ingress, egress), mark, atom in product(ends, self._marks(), everything):
                passage = Passage(ingress, egress, State.NEW, mark, self.view.no_mark)
                if self._translation(hook, atom, passage) is not None:
                    yield Finding(
                        f"a connection {said}, and nobody asked for it", self._text(atom, path, ingress, egress)
                    )
                    break

    def _name_service(self) -> Iterator[Finding]:
        """A resolver that serves the networks inside is closed to the world: else it answers with floods for others."""
        if not self.plan.balance.serves_names:
            return
        space = self.walker.space
        asked = Match(protocol=IntegerSet.values(6, 17), destination_port=IntegerSet.values(53))
        region = space.encode(layer4(asked))
        cuts = list(dict.fromkeys(self.walker.cuts({ChainKind.FILTER})))
        ways = [(port_of(uplink), True) for uplink in self.plan.balance.uplinks]
        for (port, closed), mark, state in product(
            [*ways, *((one, False) for one in self._inside())], self._marks(), State
        ):
            for atom in atoms(region, cuts):
                self.cases += 1
                walked = self.walker.walk(
                    Hook.INPUT, {ChainKind.FILTER}, atom, Passage(port, "", state, mark, self.view.no_mark), Memory()
                )
                if (walked.verdict in (Verdict.DROP, Verdict.REJECT)) != closed:
                    what = "does not serve names inside" if not closed else "answers for names to the world"
                    text = self._text(atom, Path.INPUT, port, "")
                    yield Finding(f"the router {what}, by {port}", text, self.plan.balance.dns_span)
                    return

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
