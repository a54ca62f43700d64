"""A policy under test: one device's lists or chains, and the words that hold or fail of it over all packets.

::

    office = read_policy("office.cfg", list="101")
    office.reachable("172.16.6.0 0.0.0.252", "10.0.0.2", "tcp/21")
    office.unreachable(packets("172.16.0.0/16") - packets("172.16.6.0 0.0.0.252"), service=...)

A word returns its :class:`Answer` when the property holds and raises
:class:`PropertyFailed` when it does not, so that a test cannot forget to look.
``ask`` returns the answer either way.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Literal

from compiler.analysis.equivalence.comparison import one_hop
from compiler.analysis.equivalence.contexts import OTHER
from compiler.analysis.findings.lints.quoting import quoted
from compiler.analysis.traffic.situations import Question, Situation, forwarded, situations
from compiler.errors import UsageError
from compiler.policy.access_list import Device
from compiler.policy.match import Match
from compiler.policy.packet import Packet, Path
from compiler.policy.packet_text import format_packet, parse_packet
from compiler.policy.ruleset import Ruleset
from compiler.semantics.decision import Decision, context_of, decide
from compiler.semantics.machine import Machine, Stage
from compiler.testing.answer import Answer, DecidingRule, Hop, Sureness, Witness, demand, hides
from compiler.testing.headers import Headers, packets
from compiler.testing.recording import recorder

if TYPE_CHECKING:
    from oxidd.bdd import BDDFunction

    from compiler.symbolic.space import PacketSpace

__all__ = ["Policy", "headers_of", "read_policy"]

__tracebackhide__ = hides

_DEAD = frozenset({"shadowed-by-one", "shadowed-by-union", "matches-nothing"})
"""What ``gerbang check`` calls lines that decide no packet."""


@dataclass(frozen=True, slots=True)
class Policy:
    """One device, or a part of it that questions are about: a list alone, or a way between interfaces."""

    tree: Device | Ruleset
    machine: Machine
    source: str
    list_name: str | None = None
    ingress: str | None = None
    egress: str | None = None
    bound: bool = False
    """Whether clauses that are not modelled were read as bounds: the policy is then never wider than its source."""

    def through(self, list: str | None = None, *, ingress: str | None = None, egress: str | None = None) -> Policy:
        """The same device, asked about one list, or about what comes in and goes out by these interfaces."""
        return replace(
            self,
            list_name=list if list is not None else self.list_name,
            ingress=self._interface(ingress) if ingress is not None else self.ingress,
            egress=self._interface(egress) if egress is not None else self.egress,
        )

    # -- words ---------------------------------------------------------------------------------

    def reachable(self, source: str | Headers = "", destination: str = "", service: str = "", **words: str) -> Answer:
        """Every packet of the set passes."""
        return demand(self.ask_passing(headers_of(source, destination, service, words), wanted=True))

    def unreachable(self, source: str | Headers = "", destination: str = "", service: str = "", **words: str) -> Answer:
        """No packet of the set passes."""
        return demand(self.ask_passing(headers_of(source, destination, service, words), wanted=False))

    def isolated(self, left: str, right: str, service: str = "") -> Answer:
        """No packet passes between the two sides, in either direction."""
        for one, other in ((left, right), (right, left)):
            answer = self.ask_passing(packets(one, other, service), wanted=False)
            if not answer.held:
                break
        return demand(replace(answer, question=f"isolated: {left} and {right}" + (f", {service}" if service else "")))

    def no_shadowed_rule(self) -> Answer:
        """Each rule decides some packet: none is hidden by earlier ones."""
        return demand(self.ask_shadowed())

    def equivalent_to(self, other: Policy | str | FilePath) -> Answer:
        """The other policy lets the same packets pass."""
        return demand(self.ask_equivalent(other, narrower=False))

    def no_wider_than(self, other: Policy | str | FilePath) -> Answer:
        """Whatever passes here passes there too."""
        return demand(self.ask_equivalent(other, narrower=True))

    def permits(self, packet: str) -> Answer:
        """This one packet, in the words of ``gerbang trace``, passes."""
        return demand(self.ask_packet(packet, wanted=True))

    def denies(self, packet: str) -> Answer:
        """This one packet, in the words of ``gerbang trace``, is stopped."""
        return demand(self.ask_packet(packet, wanted=False))

    # -- answers -------------------------------------------------------------------------------

    def ask_passing(self, headers: Headers, *, wanted: bool) -> Answer:
        """Whether every (``wanted``) or no packet of the set passes. Raises UsageError for an empty set."""
        word = "reachable" if wanted else "unreachable"
        question = f"{word}: {headers}{self._through_text()}"
        count, is_empty = 0, True
        for situation in self._situations(headers):
            count += 1
            space, region = self._region(headers, situation)
            is_empty = is_empty and not region.satisfiable()
            if (watcher := recorder()) is not None:
                watcher.asked(self.tree, situation, region)
            wrong = self._passing(situation, region, space)
            wrong = region & ~wrong if wanted else wrong
            if wrong.satisfiable():
                return self._failed(question, situation, space, wrong, wanted)
        if count == 0 or is_empty:
            raise UsageError(f"{headers}: there is no such packet{self._through_text()}, so nothing was asked")
        ways = "way" if count == 1 else "ways"
        return Answer(question, True, Sureness.PROVED, f"over all packets, {count} {ways} through {self.source}")

    def ask_packet(self, packet: str, *, wanted: bool) -> Answer:
        """Whether one packet passes (``wanted``) or is stopped. Raises InputErrors for a packet that cannot be read."""
        parsed = parse_packet(packet)
        stages = self._stages(parsed)
        decision = decide(stages, parsed)
        if (watcher := recorder()) is not None:
            watcher.decided(self.tree, stages, parsed, decision)
        question = f"{'permits' if wanted else 'denies'}: {packet}{self._through_text()}"
        held = decision.passes is wanted
        witness = None if held else Witness(packet, (self.hop(parsed, decision),), self._command(parsed))
        said = "" if held else f"it is {'let through' if decision.passes else 'stopped'}"
        return Answer(question, held, Sureness.PROVED, "this packet", said, witness)

    def ask_shadowed(self) -> Answer:
        """Whether any rule is dead."""
        from compiler.analysis.findings.check import check

        dead = [one for one in check(self.tree) if one.rule in _DEAD]
        question = f"no_shadowed_rule: {self.source}"
        decided = "over all packets, in all contexts"
        if not dead:
            return Answer(question, True, Sureness.PROVED, decided)
        rules = tuple(DecidingRule(one.span, "", one.message) for one in dead)
        said = f"{len(dead)} rule(s) never decide a packet"
        witness = Witness("none: no packet comes to them", (Hop(self.source, rules=rules),))
        return Answer(question, False, Sureness.PROVED, decided, said, witness)

    def ask_equivalent(self, other: Policy | str | FilePath, *, narrower: bool) -> Answer:
        """Whether the two let the same packets pass (``narrower``: none here that does not pass there)."""
        from compiler.analysis.equivalence.proof import prove

        theirs = other if isinstance(other, Policy) else read_policy(other)
        pairs: tuple[tuple[str, str], ...] = ()
        if self.list_name is not None and theirs.list_name is not None:
            pairs = ((theirs.list_name, self.list_name),)
        report = prove(theirs.machine, self.machine, pairs=pairs, narrower=narrower)
        if (watcher := recorder()) is not None:
            watcher.proved(self.tree)
            watcher.proved(theirs.tree)
        word = "no_wider_than" if narrower else "equivalent_to"
        question = f"{word}: {self.source}, {theirs.source}"
        if report.holds:
            return Answer(question, True, Sureness.PROVED, report.theorem)
        witness = next(witness for claim in report.claims for witness in claim.witnesses)
        hops = (theirs.hop(witness.packet, witness.left), self.hop(witness.packet, witness.right))
        command = shlex.join(["gerbang", "prove", theirs.source, self.source])
        said = "passes here and not there" if narrower else "the two decide this packet differently"
        shown = Witness(format_packet(witness.packet), hops, command)
        return Answer(question, False, Sureness.PROVED, report.theorem, said, shown)

    # -- parts ---------------------------------------------------------------------------------

    def hop(self, packet: Packet, decision: Decision) -> Hop:
        """The device, and the line that decided the packet there."""
        verdict = "permits" if decision.passes else "denies"
        text = quoted(self.tree.lines, decision.span) if decision.span.line else ""
        did = verdict if text else f"{verdict}: {decision.why}"
        return Hop(self.source, packet.ingress, packet.egress, (DecidingRule(decision.span, text, did),))

    def _interface(self, name: str) -> str:
        """The name as the device spells it; one that has no list is like any other without."""
        from compiler.dialects.interface_names import check_known, in_full

        name = in_full(name, self.tree)
        if isinstance(self.tree, Device):
            check_known(name, self.tree)
            return name if name in self.machine.interfaces() else OTHER
        return name

    def _stages(self, packet: Packet) -> tuple[Stage, ...]:
        """What the packet goes through: by its own interfaces when it names them, else the part that is asked about."""
        if packet.ingress or packet.egress or packet.path is not Path.FORWARD:
            return self.machine.stages(context_of(packet))
        match = Match(family=packet.family, noninitial=packet.noninitial)
        asked = list(self._in_question(match))
        if len(asked) > 1:
            asked = [one for one in asked if one.context.noninitial is packet.noninitial]
        if len(asked) != 1:
            raise UsageError(
                f"{self.source}: say by which interfaces the packet goes (in=… out=…), or through which list"
            )
        return asked[0].stages

    def _in_question(self, match: Match) -> Iterator[Situation]:
        if self.list_name is None and self.ingress is None and self.egress is None:
            self._refuse_vague()
            if not isinstance(self.tree, Device) and self.machine.is_placed():
                # Not only the ways on which a chain looks: a packet that nothing looks at passes.
                return forwarded(self.machine, Question(match, True))
        return situations(self.machine, Question(match, True, self.list_name, self.ingress, self.egress))

    def _situations(self, headers: Headers) -> Iterator[Situation]:
        for family in headers.families:
            match = Match(family=family)
            if headers.looks_at_layer4:
                match = match._replace(noninitial=False)
            yield from self._in_question(match)

    def _refuse_vague(self) -> None:
        """A router with several lists has no one answer; a firewall's chains have."""
        names = sorted({name.name for name in self.machine.lists()})
        if isinstance(self.tree, Device) and len(names) != 1:
            have = ", ".join(names) or "no list"
            raise UsageError(f"{self.source} has {have}: say which is meant by through(list=…) or through(ingress=…)")

    def _region(self, headers: Headers, situation: Situation) -> tuple[PacketSpace, BDDFunction]:
        from compiler.symbolic.space import space

        family_space = space(situation.context.family)
        stages = situation.stages
        return family_space, headers.encode(family_space) & one_hop(stages, situation.context.family)

    @staticmethod
    def _passing(situation: Situation, region: BDDFunction, space: PacketSpace) -> BDDFunction:
        from compiler.symbolic.evaluate import passing

        for stage in situation.stages:
            region = passing(stage, region, space)
        return region

    def _failed(
        self, question: str, situation: Situation, space: PacketSpace, wrong: BDDFunction, wanted: bool
    ) -> Answer:
        from compiler.symbolic.witness import plainest_packet

        packet = plainest_packet(wrong, space, situation.context)
        decision = decide(situation.stages, packet)
        said = f"this packet is {'stopped' if wanted else 'let through'} ({situation.where})"
        witness = Witness(format_packet(packet), (self.hop(packet, decision),), self._command(packet))
        return Answer(question, False, Sureness.PROVED, "over all packets", said, witness)

    def _command(self, packet: Packet) -> str:
        words = ["gerbang", "trace", self.source, format_packet(packet)]
        name = self.list_name
        if name is None and isinstance(self.tree, Device) and self.ingress is None and self.egress is None:
            name = self.machine.lists()[0].name  # the only one, or nothing would have been asked
        words += ["--list", name] if name is not None else []
        words += ["--unmodelled", "bound"] if self.bound else []
        return shlex.join(words)

    def _through_text(self) -> str:
        parts = [
            f"{word} {name}"
            for word, name in (("list", self.list_name), ("in by", self.ingress), ("out by", self.egress))
            if name is not None
        ]
        return f", {', '.join(parts)}" if parts else ""


def headers_of(source: str | Headers, destination: str, service: str, words: dict[str, str]) -> Headers:
    """The set that a word was asked about: a set as it is, or the packets that the words describe."""
    if not isinstance(source, Headers):
        return packets(source, destination, service, **words)
    if destination or service or words:
        raise UsageError("give either a set of packets or the words that describe one")
    return source


def read_policy(
    path: str | FilePath,
    *,
    list: str | None = None,
    ingress: str | None = None,
    egress: str | None = None,
    dialect: str | None = None,
    unmodelled: Literal["refuse", "bound"] = "refuse",
) -> Policy:
    """The policy of a file. Raises UsageError and InputErrors as :func:`compiler.dialects.read` does.

    With ``unmodelled="bound"`` clauses outside the model are read so that the
    policy is never wider than its source.
    """
    from compiler.dialects import read
    from compiler.placed.source_text import read_source
    from compiler.semantics.lower import machine

    text = read_source(str(path))
    tree = read(text.text, text.name, dialect=dialect, unmodelled=unmodelled)
    bound = unmodelled == "bound"
    policy = Policy(tree, machine(tree, bound="lower" if bound else "exact"), text.name, bound=bound)
    return policy.through(list, ingress=ingress, egress=egress)
