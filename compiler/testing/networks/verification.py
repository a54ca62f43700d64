"""The words about a network: each holds for all packets of a set, over every failure that is allowed, or fails.

::

    lan.verify().reachable("anna", "server", "tcp/80")
    lan.verify().under(failures=1).reachable("anna", "server", "tcp/80")
    lan.verify().for_all(packets(protocol="udp")).unreachable("guest", "server")

Where every device on the way is stateless the answer is proved over all
packets; where one translates, tracks connections or counts, the simulator tries
packets from the corners of the rules, and the answer says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

from compiler.errors import UsageError
from compiler.testing.answer import Answer, Sureness, demand, hides
from compiler.testing.headers import Headers, packets
from compiler.testing.networks.deciding import Begin, Claim, Field, begins, crossed, gathered, is_there, refuted
from compiler.testing.networks.ends import Place, outside, places
from compiler.testing.networks.failures import failures, mortal
from compiler.testing.networks.flows import Arrival, BeyondSets, End, Flows
from compiler.testing.networks.model import NetworkModel
from compiler.testing.networks.segments import Segments
from compiler.testing.policies import Policy

if TYPE_CHECKING:
    from compiler.testing.dynamic.asked import Asked

__all__ = ["Verification"]


__tracebackhide__ = hides


@dataclass(frozen=True, slots=True)
class Verification:
    """Questions about one network. Words return their answer or raise PropertyFailed."""

    model: NetworkModel
    failing: int = 0
    among: tuple[str, ...] = ()
    headers: Headers | None = None

    # -- modifiers -----------------------------------------------------------------------------

    def under(self, failures: int = 1, *, among: str | tuple[str, ...] = ()) -> Verification:
        """The same questions while up to that many parts are dead: all but hosts and their cables, or those named."""
        names = (among,) if isinstance(among, str) else tuple(among)
        mortal(self.model, names)
        return replace(self, failing=failures, among=names)

    def for_all(self, headers: Headers) -> Verification:
        """The same questions for these packets only."""
        return replace(self, headers=headers)

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

    def returns(self, source: str, destination: str, service: str = "") -> Answer:
        """Every first packet arrives, and the answer to it reaches the sender, through translations and state."""
        return demand(self.ask_returns(source, destination, service))

    def balanced(
        self,
        lines: Sequence[str] | Mapping[str, int],
        source: str,
        destination: str,
        service: str = "",
        *,
        within: float | None = None,
        connections: int = 240,
    ) -> Answer:
        """New connections share the lines (cables, nodes, ``router:port``) evenly, or by weights.

        ``within`` is how far a line may be off what is due to it, as a share of that: 0.05 for five per cent. Where
        routers choose in turn it is exact; where they choose by a hash, chance is granted what so many keys explain.
        """
        return demand(self.ask_balanced(lines, source, destination, service, within=within, connections=connections))

    def sticky(
        self,
        key: str,
        source: str,
        destination: str,
        service: str = "",
        *,
        lines: Sequence[str] = (),
        connections: int = 120,
    ) -> Answer:
        """Connections that agree in the key (``source``, ``source, destination`` …) leave by one of the lines, and
        show one address."""
        return demand(self.ask_sticky(key, source, destination, service, lines=lines, connections=connections))

    def recovers(
        self,
        fault: str | Sequence[str],
        source: str,
        destination: str,
        service: str = "",
        *,
        within: str | int,
        silent: bool = False,
        connections: int = 40,
    ) -> Answer:
        """Connections begun ``within`` (``5 s``, or nanoseconds) after the fault work, and so long after it is mended.

        ``fault`` names nodes, cables and lines (``router:port``) that die together; ``silent`` where their ends see
        no carrier go. A line that was used before must be used again.
        """
        return demand(
            self.ask_recovers(
                fault, source, destination, service, within=within, silent=silent, connections=connections
            )
        )

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
        claim = Claim(question, lambda begin, arrival: not is_there(begin, arrival), "does not arrive", True)
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
        return self._decide(Claim(question, wrong, said, apart=node not in routers), source, destination, service)

    def ask_returns(self, source: str, destination: str, service: str = "") -> Answer:
        """Whether all are answered: proved by asking both ways where nothing on the way keeps state, else tried."""
        from compiler.testing.dynamic.returning import ask_returning

        headers = self._headers(service)
        beginnings = tuple(begins(headers, places(self.model, source), places(self.model, destination)))
        question = self._question("returns", source, destination, service)
        cases = tuple(begin._replace(dead=dead) for dead in self.failures() for begin in beginnings)
        return ask_returning(self.model, question, headers, cases)

    def ask_balanced(
        self,
        lines: Sequence[str] | Mapping[str, int],
        source: str,
        destination: str,
        service: str = "",
        *,
        within: float | None = None,
        connections: int = 240,
    ) -> Answer:
        """Whether the lines share them."""
        from compiler.testing.dynamic.spreading import ask_balance

        weights = dict(lines) if isinstance(lines, Mapping) else dict.fromkeys(lines, 1)
        shown = ", ".join(name if weight == 1 else f"{weight} times {name}" for name, weight in weights.items())
        more = f", over {shown}" + (f", within {within:.1%}" if within is not None else "")
        asked = self._connections("balanced", source, destination, service, more, connections)
        return ask_balance(asked, weights, within)

    def ask_sticky(
        self,
        key: str,
        source: str,
        destination: str,
        service: str = "",
        *,
        lines: Sequence[str] = (),
        connections: int = 120,
    ) -> Answer:
        """Whether what agrees in the key goes one way."""
        from compiler.testing.dynamic.spreading import ask_stickiness

        more = f", by {key}" + (f", over {', '.join(lines)}" if lines else "")
        return ask_stickiness(self._connections("sticky", source, destination, service, more, connections), key, lines)

    def ask_recovers(
        self,
        fault: str | Sequence[str],
        source: str,
        destination: str,
        service: str = "",
        *,
        within: str | int,
        silent: bool = False,
        connections: int = 40,
    ) -> Answer:
        """Whether connections work again."""
        from compiler.placed.quantities import duration, format_duration
        from compiler.testing.dynamic.recovering import Fault, ask_recovery

        dies = Fault((fault,) if isinstance(fault, str) else tuple(fault), silent)
        try:
            time = duration(within) if isinstance(within, str) else within
        except ValueError as error:
            raise UsageError(f"within: {error}") from error
        more = f", {format_duration(time)} after {dies} dies"
        return ask_recovery(self._connections("recovers", source, destination, service, more, connections), dies, time)

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
        ends = places(self.model, source), places(self.model, destination)
        return self._over(claim, headers, tuple(begins(headers, *ends)))

    def _over(self, claim: Claim, headers: Headers, beginnings: tuple[Begin, ...]) -> Answer:
        """Every beginning under every failure; the fewest failures first. UsageError when there is nothing to ask."""
        if not beginnings:
            raise UsageError(f"{claim.question}: there is no such packet, so nothing was asked")
        field = Field(self.model)
        groups = gathered(beginnings)
        if not any(field.asks(headers, group) for group in groups):
            raise UsageError(f"{claim.question}: there is no such packet, so nothing was asked")
        dead_sets = self.failures()
        cases = len(dead_sets) * len(beginnings)
        told = f"{cases:,} cases" if cases > 1 else "one case"
        packets_tried, reason = 0, ""
        for dead in dead_sets:
            for begin in _as_far_as_sets_go(field, headers, groups, dead):
                try:
                    found = self._in_sets(field, claim, headers, begin)
                except BeyondSets as beyond:
                    from compiler.testing.dynamic.trying import try_claim

                    reason = reason or str(beyond)
                    tried = try_claim(self.model, claim, headers, begin, cases)
                    packets_tried += tried.packets
                    if tried.failed is not None:
                        return tried.failed
                    continue
                if found is not None:
                    return refuted(claim, found[0], begin, found[1], begin.dead)
        if not reason:
            return Answer(claim.question, True, Sureness.PROVED, f"over all packets, in {told}")
        decided = f"{packets_tried:,} packets in the simulator, {told}; not proved, as {reason}"
        return Answer(claim.question, True, Sureness.TESTED, decided)

    @staticmethod
    def _in_sets(field: Field, claim: Claim, headers: Headers, begin: Begin) -> tuple[Flows, Arrival] | None:
        """What speaks against the claim. Raises BeyondSets."""
        _refuse_doors(field, begin)
        return field.refutation(headers, begin, claim)

    def failures(self) -> tuple[frozenset[str], ...]:
        """All that may be dead at once, with what always is; the small sets first."""
        parts = mortal(self.model, self.among)
        return tuple(dead | self.model.dead for dead in failures(parts, self.failing))

    def _connections(
        self, word: str, source: str, destination: str, service: str, more: str, connections: int
    ) -> Asked:
        from compiler.testing.dynamic.asked import Asked

        if connections < 1:
            raise UsageError("ask for one connection or more")
        headers = self._headers(service)
        beginnings = tuple(begins(headers, places(self.model, source), places(self.model, destination)))
        question = self._question(word, source, destination, service, more)
        return Asked(self.model, question, headers, beginnings, self.failures(), connections)

    def _headers(self, service: str) -> Headers:
        if self.headers is not None and service:
            raise UsageError("for_all says already which packets: leave the service out")
        return self.headers or packets(service=service)

    def _policies(self) -> Iterator[Policy]:
        from compiler.semantics.lower import machine

        for router in self.model.routers:
            if router.tree is not None:
                yield Policy(router.tree, machine(router.tree), router.tree.source)

    def _question(self, word: str, source: str, destination: str, service: str, more: str = "") -> str:
        what = f", {self.headers or service}" if self.headers or service else ""
        joined = "and" if word == "isolated" else "to"
        return f"{word}: {source} {joined} {destination}{what}{more}{self._under_text()}"

    def _under_text(self) -> str:
        return f", with up to {self.failing} dead" if self.failing else ""


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
