"""Marks of the written text against the intent: each set of headers, each state, each draw."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from fractions import Fraction
from itertools import product
from typing import TYPE_CHECKING

from compiler.addresses import AddressSet
from compiler.balancing.finding import Finding
from compiler.balancing.intended import Wanted, atoms, shares, wanted_regions
from compiler.balancing.plan import LineMark, Plan, port_of
from compiler.balancing.turns import bound, furthest
from compiler.balancing.view import View
from compiler.balancing.walking import Memory, NeedHash, Passage, Walked, Walker
from compiler.fields import PORT_PROTOCOLS, Family
from compiler.integers import IntegerSet
from compiler.policy.balance import CLASSIFIER_FIELDS, Failback, TrafficClass
from compiler.policy.match import Match
from compiler.policy.packet import Packet, Path
from compiler.policy.packet_text import format_packet
from compiler.policy.ruleset import ChainKind, Hook, Verdict
from compiler.policy.stateful import Hash, State
from compiler.semantics.machine import Context
from compiler.source import NOWHERE
from compiler.symbolic.witness import shortest_packet

if TYPE_CHECKING:
    from oxidd.bdd import BDDFunction

__all__ = ["MarkProof"]

_MARKING = {ChainKind.FILTER, ChainKind.ROUTE}
_KNOWN = (State.NEW, State.ESTABLISHED, State.RELATED)
_MOST_DRAWS = 4096


class MarkProof:
    """Goes through all cases. ``findings`` yields what is wrong; ``cases`` counts what was looked at."""

    def __init__(self, plan: Plan, view: View) -> None:
        self.plan = plan
        self.view = view
        self.walker = Walker(view.ruleset, view.own_addresses(), packet_is_routing=view.is_linux)
        self.cases = 0
        self._marking_hooks = {chain.hook for chain in view.ruleset.chains if chain.kind in _MARKING and chain.rules}
        self._drew: dict[str, tuple[int, ...]] = {}
        self._inside = tuple(dict.fromkeys(network.interface for network in plan.balance.networks))

    def findings(self) -> Iterator[Finding]:
        """What is wrong with the marks."""
        space = self.walker.space
        cuts = list(dict.fromkeys(self.walker.cuts(_MARKING)))
        ports = space.encode(Match(protocol=PORT_PROTOCOLS))
        hosts = AddressSet.of(32, ranges=[(host.host, host.host) for host in self.plan.hosts])
        fixed = [ports, space.encode(Match(destination=hosts)), space.encode(Match(protocol=IntegerSet.values(6)))]
        for wanted in wanted_regions(self.plan.balance, space):
            for atom in atoms(wanted.region, [*fixed, *cuts]):
                for port in self._inside:
                    yield from self._from_inside(wanted, atom, port)
                yield from self._from_uplinks(atom)
                yield from self._leaving(wanted, atom)
                yield from self._own(wanted, atom)
                yield from self._settled(atom)
        yield from self._counters_apart()

    # -- new connections from inside -------------------------------------------------------------

    def _from_inside(self, wanted: Wanted, atom: BDDFunction, port: str) -> Iterator[Finding]:
        none = self.view.no_mark
        start = Passage(port, state=State.NEW, connection=none, routing=none)
        how, name, traffic = wanted.kind
        if how == "turns" and traffic is not None:
            yield from self._turns(traffic, atom, start)
        elif how == "hash" and traffic is not None:
            yield from self._hash(traffic, atom, start)
        else:
            connection, routing = none, none
            if how in ("via", "only"):
                mark = self._mark(f"{how}-{name}")
                connection, routing = self.view.mark(mark), self._table(mark)
            elif how == "table":
                routing = self.view.routing(self.plan.table(name))
            said = {"none": "unmarked", "table": f"in table {name}"}.get(how, f"marked {how}-{name}")
            why = "local traffic" if wanted.is_local else f"this traffic (line {wanted.span.line} of the intent)"
            yield from self._expect(atom, start, connection, routing, f"{why} is {said}")
        for mark in self.plan.marks:
            value = self.view.mark(mark)
            for state in _KNOWN:
                passage = Passage(port, state=state, connection=value, routing=none)
                table = none if wanted.is_local else self._table(mark)
                said = "keeps its mark" + ("" if wanted.is_local else f" and looks in table {mark.table}")
                yield from self._expect(atom, passage, value, table, f"a connection marked {mark.name} {said}")
        for state in _KNOWN[1:]:
            passage = Passage(port, state=state, connection=none, routing=none)
            yield from self._expect(atom, passage, none, none, "an unmarked connection that is known stays so")

    def _turns(self, traffic: TrafficClass, atom: BDDFunction, start: Passage) -> Iterator[Finding]:
        """One cycle from fresh counters; then they are fresh again, so that the cycle goes on for ever."""
        parts = shares(traffic, self.plan.balance)
        total = max(part.denominator for part in parts.values())
        memory = Memory()
        taken: list[int] = []
        for turn in range(total):
            try:
                found = yield from self._one(atom, start, memory, traffic)
            except NeedHash:
                yield self._finding(f"class {traffic.name}: a hash decides, not the turn", atom, start, None)
                return
            if found is None:
                return
            if turn == 0:
                self._note(traffic, found[1])
            taken.append(traffic.uplinks.index(found[0]))
            # The same packet again, now of a marked connection: it counts nowhere.
            counted = dict(memory.counters)
            again = self._walk(Hook.PREROUTING, atom, start._replace(connection=found[1].connection), memory)
            if memory.counters != counted:
                yield self._finding(f"class {traffic.name}: a repeated first packet counts again", atom, start, again)
                return
        if any(memory.counters.values()):
            why = f"class {traffic.name}: after {total} connections the counters are not where they began"
            yield self._finding(why, atom, start, None)
            return
        weights = [int(parts[name] * total) for name in traffic.uplinks]
        counts = [taken.count(index) for index in range(len(weights))]
        if counts != weights:
            why = f"class {traffic.name}: of {total} connections {counts} go to {list(traffic.uplinks)}, not {weights}"
            yield self._finding(why, atom, start, None)
        elif furthest(taken, weights) > bound(len(weights)):
            why = f"class {traffic.name}: the turns drift by {furthest(taken, weights)} of a connection"
            yield self._finding(why, atom, start, None)

    def _hash(self, traffic: TrafficClass, atom: BDDFunction, start: Passage) -> Iterator[Finding]:
        """All remainders: the fraction of hashes that each uplink gets, and over which fields."""
        fields = CLASSIFIER_FIELDS[traffic.fields]
        ports = self.walker.space.encode(Match(protocol=PORT_PROTOCOLS))
        if not (atom & ports).satisfiable() and self.view.is_linux:
            fields = tuple(field for field in fields if not field.endswith("port"))
        got: dict[str, Fraction] = {}
        todo: list[tuple[dict[Hash, int], Fraction]] = [({}, Fraction(1))]
        steps = 0
        while todo:
            hashes, weight = todo.pop()
            steps += 1
            try:
                found = yield from self._one(atom, start, Memory(hashes=hashes), traffic)
            except NeedHash as need:
                number = need.number
                if number.fields != fields or steps > _MOST_DRAWS:
                    said = ", ".join(number.fields)
                    yield self._finding(
                        f"class {traffic.name}: hashes {said}, not {', '.join(fields)}", atom, start, None
                    )
                    return
                part = weight / number.modulus
                todo += [({**hashes, number: value}, part) for value in range(number.modulus)]
                continue
            if found is None:
                return
            got[found[0]] = got.get(found[0], Fraction(0)) + weight
        parts = shares(traffic, self.plan.balance)
        nothing_to_hash = not fields
        if got != parts and not nothing_to_hash:
            told = ", ".join(f"{name} {got.get(name, 0)} (not {part})" for name, part in parts.items())
            yield self._finding(f"class {traffic.name}: shares of the hashes: {told}", atom, start, None)

    def _one(
        self, atom: BDDFunction, start: Passage, memory: Memory, traffic: TrafficClass
    ) -> Generator[Finding, None, tuple[str, Walked] | None]:
        """The uplink that one connection is dealt to, or None after a finding."""
        walked = self._walk(Hook.PREROUTING, atom, start, memory)
        for name in traffic.uplinks:
            mark = self.plan.mark_of(name)
            if walked.connection == self.view.mark(mark):
                if walked.routing == self._table(mark):
                    return name, walked
                why = f"class {traffic.name}: the first packet, marked {mark.name}, does not look in {mark.table}"
                yield self._finding(why, atom, start, walked)
                return None
        said = "no uplink's mark" if walked.connection == self.view.no_mark else f"the mark {walked.connection!r}"
        yield self._finding(f"class {traffic.name}: a new connection gets {said}", atom, start, walked)
        return None

    def _note(self, traffic: TrafficClass, walked: Walked) -> None:
        self._drew.setdefault(traffic.name, walked.drew)

    def _counters_apart(self) -> Iterator[Finding]:
        """A rule that counts for two classes would deal each of them wrongly, though every class alone looks right."""
        owner: dict[int, str] = {}
        for name, drew in self._drew.items():
            for number in drew:
                other = owner.setdefault(number, name)
                if other != name:
                    why = f"one counter deals the classes {other} and {name}"
                    yield Finding(why, "", self.walker.rules[number].span)

    # -- the other ways ---------------------------------------------------------------------------

    def _from_uplinks(self, atom: BDDFunction) -> Iterator[Finding]:
        none = self.view.no_mark
        for uplink in self.plan.balance.uplinks:
            port, mark = port_of(uplink), self.plan.mark_of(uplink.name)
            start = Passage(port, state=State.NEW, connection=none, routing=none)
            why = f"a connection opened from {uplink.name} is marked {mark.name}, and looks in no table of a mark"
            yield from self._expect(atom, start, self.view.mark(mark), none, why)
            for state in _KNOWN[1:]:
                passage = Passage(port, state=state, connection=none, routing=none)
                why = f"an unmarked connection that is known, and comes in by {uplink.name}, stays unmarked"
                yield from self._expect(atom, passage, none, none, why)
            for other in self.plan.marks:
                for state in _KNOWN:
                    passage = Passage(port, state=state, connection=self.view.mark(other), routing=none)
                    why = f"what comes in by {uplink.name} keeps its mark, and looks in no table of a mark"
                    yield from self._expect(atom, passage, self.view.mark(other), none, why)

    def _leaving(self, wanted: Wanted, atom: BDDFunction) -> Iterator[Finding]:
        none, gentle = self.view.no_mark, self.plan.balance.failback is Failback.GENTLE
        for uplink in () if wanted.is_local else self.plan.balance.uplinks:
            carrier = self.view.mark(self.plan.mark_of(uplink.name))
            # Unmarked is what the marking in prerouting left so.
            unmarked = (None,) if wanted.kind.how in ("none", "table") else ()
            for mark in (*unmarked, *self.plan.marks):
                value = none if mark is None else self.view.mark(mark)
                follows = gentle if mark else wanted.kind.how != "none"
                is_strict = mark is not None and mark != self.plan.mark_of(mark.uplink)
                end = carrier if follows and not is_strict else value
                name = mark.name if mark else "nothing"
                for state in _KNOWN:
                    passage = Passage(self._inside[0], port_of(uplink), state, value, none)
                    expected = end if state is State.NEW else value
                    why = f"a connection marked {name} that leaves by {uplink.name} ends with the right mark"
                    yield from self._expect(atom, passage, expected, none, why, Hook.FORWARD)
                yield from self._short_way(atom, uplink.name, mark, value)

    def _short_way(self, atom: BDDFunction, leaves: str, mark: LineMark | None, value: int | str) -> Iterator[Finding]:
        """Only unmarked connections may skip the rules; TCP that leaves by a wrong line is reset."""
        port = port_of(self.plan.balance.uplink(leaves))
        passage = Passage(self._inside[0], port, State.ESTABLISHED, value, self.view.no_mark)
        walked = self._walk(Hook.FORWARD, atom, passage, Memory())
        if walked.skips and mark is not None:
            yield self._finding(
                f"connections marked {mark.name} are fasttracked past their marks", atom, passage, walked
            )
        tcp = self.walker.space.encode(Match(protocol=IntegerSet.values(6)))
        is_tcp = not (atom & ~tcp).satisfiable()
        if mark is None or not is_tcp:
            return
        astray = mark.uplink != leaves
        if (walked.verdict.value == "reject") != astray:
            said = "is not reset" if astray else "is reset"
            yield self._finding(f"TCP marked {mark.name} that leaves by {leaves} {said}", atom, passage, walked)

    def _settled(self, atom: BDDFunction) -> Iterator[Finding]:
        """Where the way is decided already, no mark changes: in to the router, on to inside, and out."""
        outside = [port_of(uplink) for uplink in self.plan.balance.uplinks]
        ways = [(Hook.FORWARD, port, one) for port in outside for one in self._inside]
        ways += [(Hook.INPUT, port, "") for port in (*self._inside, *outside)]
        ways += [(Hook.POSTROUTING, self._inside[0], port) for port in outside]
        ways += [(Hook.POSTROUTING, outside[0], port) for port in self._inside]
        marks = (self.view.no_mark, *(self.view.mark(mark) for mark in self.plan.marks))
        for hook, ingress, egress in ways:
            if hook not in self._marking_hooks:
                continue
            for state, mark in product(_KNOWN, marks):
                passage = Passage(ingress, egress, state, mark, self.view.no_mark)
                why = f"nothing changes a mark in {hook.value}, where the way is decided"
                yield from self._expect(atom, passage, mark, self.view.no_mark, why, hook)

    def _own(self, wanted: Wanted, atom: BDDFunction) -> Iterator[Finding]:
        none, balance = self.view.no_mark, self.plan.balance
        hosts = {host.host for host in self.plan.hosts}
        for state in _KNOWN:
            for mark in self.plan.marks:
                value = self.view.mark(mark)
                routing = none if wanted.is_local else self._table(mark)
                passage = Passage("", "", state, value, none)
                why = f"the router's own answer to a connection marked {mark.name} looks in {mark.table}"
                yield from self._expect(atom, passage, value, routing, why, Hook.OUTPUT)
        packet = self._packet(atom, Passage())
        follows = balance.own and not wanted.is_local and packet.destination not in hosts
        end, routing = (none, none)
        if follows:
            mark = self.plan.mark_of(balance.own)
            end, routing = self.view.mark(mark), self._table(mark)
        passage = Passage("", "", State.NEW, none, none)
        said = f"goes by {balance.own}" if follows else "follows the main table, as probes do"
        yield from self._expect(atom, passage, end, routing, f"the router's own connection {said}", Hook.OUTPUT)

    # -- walking ------------------------------------------------------------------------------

    def _expect(
        self,
        atom: BDDFunction,
        passage: Passage,
        connection: int | str,
        routing: int | str,
        claim: str,
        hook: Hook = Hook.PREROUTING,
    ) -> Iterator[Finding]:
        try:
            walked = self._walk(hook, atom, passage, Memory())
        except NeedHash as need:
            yield self._finding(
                f"NOT: {claim}: a hash over {', '.join(need.number.fields)} decides", atom, passage, None
            )
            return
        if (walked.connection, walked.routing) != (connection, routing):
            yield self._finding(f"NOT: {claim}", atom, passage, walked)
        elif walked.verdict is Verdict.DROP and hook is not Hook.INPUT:
            yield self._finding(f"dropped in {hook.value}, which nobody asked for", atom, passage, walked)

    def _walk(self, hook: Hook, atom: BDDFunction, passage: Passage, memory: Memory) -> Walked:
        self.cases += 1
        return self.walker.walk(hook, _MARKING, atom, passage, memory)

    def _mark(self, name: str) -> LineMark:
        return next(mark for mark in self.plan.marks if mark.name == name)

    def _table(self, mark: LineMark) -> int | str:
        return self.view.routing(self.plan.table(mark.table))

    def _packet(self, atom: BDDFunction, passage: Passage) -> Packet:
        path = Path.FORWARD if passage.ingress else Path.OUTPUT
        context = Context(Family.IPV4, path, passage.ingress, passage.egress, False)
        return shortest_packet(atom, self.walker.space, context)

    def _finding(self, claim: str, atom: BDDFunction, passage: Passage, walked: Walked | None) -> Finding:
        where = f"in by {passage.ingress}" if passage.ingress else "from the router itself"
        where += f", out by {passage.egress}" if passage.egress else ""
        text = (
            f"{format_packet(self._packet(atom, passage))} ({where}; {passage.state.value}, {_told(passage.connection)}"
        )
        if walked is not None:
            text += f"; ends with {_told(walked.connection)}, table by {_told(walked.routing)}"
        span = walked.rule.span if walked is not None and walked.rule is not None else NOWHERE
        return Finding(claim, f"{text})", span)


def _told(mark: int | str) -> str:
    if isinstance(mark, int):
        return f"mark 0x{mark & 0x3F00:x}" if mark & 0x3F00 else "no mark"
    return f"mark {mark}" if mark else "no mark"
