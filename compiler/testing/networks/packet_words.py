"""The words that sets of packets decide: over all packets at once where every device on the way is stateless.

Where one translates, tracks connections or counts, the simulator tries packets
from the corners of the rules, and the answer says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

from compiler.errors import UsageError
from compiler.testing.answer import Answer, Sureness, demand, hides
from compiler.testing.headers import Headers, packets
from compiler.testing.networks.claims import Begin, Claim, begins, crossed, gathered, is_there, missing
from compiler.testing.networks.deciding import Field
from compiler.testing.networks.ends import Place, destinations, outside, places
from compiler.testing.networks.flows import Arrival, BeyondSets, End, Flows
from compiler.testing.networks.model import NetworkModel
from compiler.testing.networks.questions import Questions
from compiler.testing.networks.refuting import refuted, while_dead
from compiler.testing.networks.segments import Segments
from compiler.testing.policies import Policy

__all__ = ["PacketWords"]


__tracebackhide__ = hides


@dataclass(frozen=True, slots=True)
class PacketWords(Questions):
    """Where packets come to and which way, whatever connection they are of."""

    # -- words ---------------------------------------------------------------------------------

    def reachable(self, source: str, destination: str, service: str = "") -> Answer:
        """Every packet of the service from the one end arrives at the other."""
        return demand(self.ask_reachable(source, destination, service))

    def unreachable(self, source: str, destination: str, service: str = "") -> Answer:
        """No packet of the service from the one end arrives at the other."""
        return demand(self.ask_unreachable(source, destination, service))

    def isolated(self, left: str, right: str, service: str = "") -> Answer:
        """No packet arrives from either end at the other."""
        return demand(self.ask_isolated(left, right, service))

    def via(self, source: str, destination: str, node: str, service: str = "") -> Answer:
        """Every packet that arrives has passed the router, switch or cable."""
        return demand(self.ask_way(source, destination, node, service, wanted=True))

    def avoids(self, source: str, destination: str, node: str, service: str = "") -> Answer:
        """No packet that arrives has passed the router, switch or cable."""
        return demand(self.ask_way(source, destination, node, service, wanted=False))

    def no_loop(self) -> Answer:
        """No packet, from any host or from outside to any address, comes to a router by a port where it was before."""
        return demand(self.ask_loop())

    def no_shadowed_rule(self) -> Answer:
        """Each rule of each router decides some packet."""
        return demand(self.ask_shadowed())

    def equivalent_to(self, other: NetworkModel) -> Answer:
        """The other network delivers the same packets between the same hosts."""
        return demand(self.ask_equivalent(other))

    # -- answers -------------------------------------------------------------------------------

    def ask_reachable(self, source: str, destination: str, service: str = "") -> Answer:
        """Whether all arrive."""
        question = self._question("reachable", source, destination, service)
        claim = Claim(question, missing(self._headers(service)), "does not arrive", True)
        return self._decide(claim, source, destination, service)

    def ask_unreachable(self, source: str, destination: str, service: str = "") -> Answer:
        """Whether none arrives."""
        claim = Claim(self._question("unreachable", source, destination, service), is_there, "arrives")
        return self._decide(claim, source, destination, service)

    def ask_isolated(self, left: str, right: str, service: str = "") -> Answer:
        """Whether none arrives, either way."""
        answer = self.ask_unreachable(left, right, service)
        if answer.held:
            answer = self.ask_unreachable(right, left, service)
        return replace(answer, question=self._question("isolated", left, right, service))

    def ask_way(self, source: str, destination: str, node: str, service: str = "", *, wanted: bool) -> Answer:
        """Whether all (``wanted``) or none of what arrives has passed the router, switch or cable."""
        model = self.model
        cables = tuple(cable.name for cable in model.cables)
        routers = tuple(router.name for router in model.routers)
        if node not in (*routers, *model.switches, *cables):
            known = ", ".join((*routers, *model.switches, *cables)) or "none"
            raise UsageError(f"no router, switch or cable is called {node!r}; there are {known}")
        if node not in routers:
            self._refuse_circles(node)

        @lru_cache(maxsize=1)
        def segments(dead: frozenset[str]) -> Segments:
            return Segments(model, dead)

        def wrong(begin: Begin, arrival: Arrival) -> bool:
            if not is_there(begin, arrival):
                return False
            if node in routers:
                passed = any(visit.node == node for visit in arrival.visits)
            else:
                passed = node in crossed(segments(begin.dead), begin.source, arrival)
            return passed is not wanted

        question = self._question("via" if wanted else "avoids", source, destination, service, f", by {node}")
        said = f"arrives {'without' if wanted else 'by way of'} {node}"
        answer = self._decide(Claim(question, wrong, said, apart=node not in routers), source, destination, service)
        if answer.held and self.ask_unreachable(source, destination, service).held:
            raise UsageError(f"{question}: no packet arrives, by whatever way, so nothing was asked")
        return answer

    def ask_loop(self) -> Answer:
        """Whether any packet of any host, or from outside, goes round."""
        headers = self.headers or packets()
        question = f"no_loop: {headers}{self._under_text()}"
        claim = Claim(question, lambda begin, arrival: arrival.end is End.LOOPED, "goes round in a circle")
        ends: tuple[Place, ...] = (*self.model.hosts, *outside(self.model))
        return self._over(claim, headers, tuple(begins(headers, ends, None)))

    def ask_shadowed(self) -> Answer:
        """Whether any rule of any router is dead. UsageError where no router has rules that a proof can see."""
        answers = [policy.ask_shadowed() for policy in self._policies()]
        if not answers:
            raise UsageError(f"{self.model.source}: no router has rules that a proof can see")
        return next((answer for answer in answers if not answer.held), answers[-1])

    def ask_equivalent(self, other: NetworkModel) -> Answer:
        """Whether every packet between two hosts fares alike in both, under each failure of parts that both have."""
        from compiler.testing.networks.equivalence import ask_same_deliveries

        headers = self.headers or packets()
        question = f"equivalent_to: {self.model.source}, {other.source}, {headers}{self._under_text()}"
        return ask_same_deliveries(self.model, other, headers, self.failures(), question)

    # -- deciding ------------------------------------------------------------------------------

    def _decide(self, claim: Claim, source: str, destination: str, service: str) -> Answer:
        headers = self._headers(service)
        ends = places(self.model, source), destinations(self.model, destination)
        return self._over(claim, headers, tuple(begins(headers, *ends)))

    def _over(self, claim: Claim, headers: Headers, beginnings: tuple[Begin, ...]) -> Answer:
        """Every beginning under every failure; the fewest failures first. UsageError when there is nothing to ask."""
        from compiler.testing.dynamic.trying import Tried, try_claim

        if not beginnings:
            raise UsageError(f"{claim.question}: there is no such packet, so nothing was asked")
        field = Field(self.model)
        groups = gathered(beginnings)
        if not any(field.asks(headers, group) for group in groups):
            raise UsageError(f"{claim.question}: there is no such packet, so nothing was asked")
        dead_sets = self.failures()
        cases = len(dead_sets) * len(beginnings)
        told = f"{cases:,} cases" if cases > 1 else "one case"
        tried, reason, proved = Tried(0, None), "", 0
        for dead in dead_sets:
            for begin in _as_far_as_sets_go(field, headers, groups, dead):
                try:
                    found = self._in_sets(field, claim, headers, begin)
                except BeyondSets as beyond:
                    reason = reason or str(beyond)
                    tried = tried.joined(try_claim(self.model, claim, headers, begin, cases))
                    if tried.failed is not None:
                        return tried.failed
                    continue
                proved += 1
                if found is not None:
                    return refuted(claim, found[0], begin, found[1], begin.dead)
        if not reason:
            return Answer(claim.question, True, Sureness.PROVED, f"over all packets, in {told}")
        if not tried.packets and not proved:
            raise UsageError(f"{claim.question}: no packet could be tried, so nothing was asked; {reason}")
        decided = f"{tried.packets:,} packets in the simulator, {told}; "
        if tried.known:
            decided += f"{len(tried.rules):,} of {len(tried.known):,} rules tried that would refute it; "
        decided += f"not proved, as {reason}"
        return Answer(claim.question, True, Sureness.TESTED, decided)

    @staticmethod
    def _in_sets(field: Field, claim: Claim, headers: Headers, begin: Begin) -> tuple[Flows, Arrival] | None:
        """What speaks against the claim. Raises BeyondSets."""
        _refuse_doors(field, begin)
        return field.refutation(headers, begin, claim)

    def _refuse_circles(self, node: str) -> None:
        """UsageError where it is up to a spanning tree whether frames take a switch or a cable."""
        for dead in self.failures():
            if Segments(self.model, dead).has_circle(node):
                raise UsageError(
                    f"cables close a circle around {node!r}{while_dead(dead)}: which of them frames take is up to "
                    "the switches' spanning tree, which is not modelled"
                )

    def _policies(self) -> Iterator[Policy]:
        from compiler.semantics.lower import machine

        for router in self.model.routers:
            if router.tree is not None:
                yield Policy(router.tree, machine(router.tree), router.tree.source)


def _as_far_as_sets_go(
    field: Field, headers: Headers, groups: tuple[Begin, ...], dead: frozenset[str]
) -> Iterator[Begin]:
    """The beginnings while that much is dead: all ends together; pair by pair where sets cannot follow some."""
    for group in groups:
        begin = group._replace(dead=dead)
        try:
            _refuse_doors(field, begin)
            field.arrivals(headers, begin)
        except BeyondSets:
            yield from begin.pairs()
        else:
            yield begin


def _refuse_doors(field: Field, begin: Begin) -> None:
    from compiler.testing.dynamic.candidates import doors

    for destination in begin.destinations or ():
        if doors(field.model, destination, begin.family):
            raise BeyondSets(f"a router translates addresses to those of {destination.name}")
