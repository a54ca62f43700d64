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
from inspect import signature
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Literal, Unpack

from compiler.analysis.equivalence.comparison import one_hop
from compiler.analysis.equivalence.contexts import OTHER
from compiler.analysis.findings.lints.quoting import quoted
from compiler.analysis.traffic.situations import Question, Situation, forwarded, situations
from compiler.errors import InputErrors, UsageError
from compiler.policy.access_list import Device
from compiler.policy.match import Match
from compiler.policy.packet import Packet, Path
from compiler.policy.packet_text import format_packet, parse_packet
from compiler.policy.ruleset import Ruleset
from compiler.semantics.decision import Decision, context_of, decide
from compiler.semantics.machine import Machine, Stage
from compiler.testing.answer import Answer, DecidingRule, Hop, Sureness, Witness, demand, hides
from compiler.testing.headers import Headers, PacketWords, packets
from compiler.testing.recording import recorder

if TYPE_CHECKING:
    from oxidd.bdd import BDDFunction

    from compiler.symbolic.space import PacketSpace

__all__ = ["Policy", "headers_of", "policy_of_tree", "read_policy"]

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
    """Whether clauses that are not modelled were read as bounds: ``machine`` then passes what surely passes."""
    upper: Machine | None = None
    """What passes all that may pass, where there are such clauses; None where the machine is exact."""

    def through(self, list: str | None = None, *, ingress: str | None = None, egress: str | None = None) -> Policy:
        """The same device, asked about one list, or about what comes in and goes out by these interfaces."""
        return replace(
            self,
            list_name=list if list is not None else self.list_name,
            ingress=self._interface(ingress) if ingress is not None else self.ingress,
            egress=self._interface(egress) if egress is not None else self.egress,
        )

    def passes(self, packet: Packet | str) -> bool:
        """Whether this one packet passes: no word, but for a test's own. With bounded clauses, whether it surely does.

        Raises InputErrors for a packet that cannot be read, UsageError where it is not told which way it goes.
        """
        return self._decision(packet, self.machine)[2].passes

    # -- words ---------------------------------------------------------------------------------

    def reachable(
        self, source: str | Headers = "", destination: str = "", service: str = "", **words: Unpack[PacketWords]
    ) -> Answer:
        """Every packet of the set passes."""
        return demand(self.ask_passing(headers_of(source, destination, service, words), wanted=True))

    def unreachable(
        self, source: str | Headers = "", destination: str = "", service: str = "", **words: Unpack[PacketWords]
    ) -> Answer:
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

    def permits(self, packet: Packet | str) -> Answer:
        """This one packet, as it is or in the words of ``gerbang trace``, passes."""
        return demand(self.ask_packet(packet, wanted=True))

    def denies(self, packet: Packet | str) -> Answer:
        """This one packet, as it is or in the words of ``gerbang trace``, is stopped."""
        return demand(self.ask_packet(packet, wanted=False))

    # -- answers -------------------------------------------------------------------------------

    def ask_passing(self, headers: Headers, *, wanted: bool) -> Answer:
        """Whether every (``wanted``) or no packet of the set passes. Raises UsageError for an empty set.

        With bounded clauses: whether every packet surely passes, or none may.
        """
        word = "reachable" if wanted else "unreachable"
        question = f"{word}: {headers}{self._through_text()}"
        count, is_empty = 0, True
        for situation in self._situations(headers, self._judge(wanted)):
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
        decided = f"over all packets, {count} {ways} through {self.source}{self._bounded(wanted)}"
        return Answer(question, True, Sureness.PROVED, decided)

    def ask_packet(self, packet: Packet | str, *, wanted: bool) -> Answer:
        """Whether one packet passes (``wanted``) or is stopped. Raises InputErrors for a packet that cannot be read."""
        parsed, stages, decision = self._decision(packet, self._judge(wanted))
        if (watcher := recorder()) is not None:
            watcher.decided(self.tree, stages, parsed, decision)
        text = packet if isinstance(packet, str) else format_packet(packet)
        question = f"{'permits' if wanted else 'denies'}: {text}{self._through_text()}"
        held = decision.passes is wanted
        witness = None if held else Witness(text, (self.hop(parsed, decision),), self._command(parsed, wanted))
        said = "" if held else f"it {self._was('let through' if decision.passes else 'stopped')}"
        return Answer(question, held, Sureness.PROVED, f"this packet{self._bounded(wanted)}", said, witness)

    def ask_shadowed(self) -> Answer:
        """Whether any rule is dead."""
        from compiler.analysis.findings.check import check

        dead = [one for one in check(self.tree) if one.rule in _DEAD]
        question = f"no_shadowed_rule: {self.source}"
        decided = "over all packets, in all contexts"
        if self.upper is not None:
            decided += "; clauses that are not modelled may hold or not"
        if not dead:
            return Answer(question, True, Sureness.PROVED, decided)
        rules = tuple(DecidingRule(one.span, "", one.message) for one in dead)
        said = f"{len(dead)} rule(s) never decide a packet"
        witness = Witness("none: no packet comes to them", (Hop(self.source, rules=rules),))
        return Answer(question, False, Sureness.PROVED, decided, said, witness)

    def ask_equivalent(self, other: Policy | str | FilePath, *, narrower: bool) -> Answer:
        """Whether the two let the same packets pass (``narrower``: none here that does not pass there).

        With bounded clauses: whether what may pass here surely passes there.
        UsageError for equality then, which no bound can tell.
        """
        from compiler.analysis.equivalence.proof import prove

        theirs = other if isinstance(other, Policy) else read_policy(other)
        for one in () if narrower else (self, theirs):
            if one.upper is not None:
                raise UsageError(
                    f"{one.source} has clauses that are not modelled: bounds do not tell whether two policies are "
                    "equal; ask no_wider_than"
                )
        pairs: tuple[tuple[str, str], ...] = ()
        if self.list_name is not None and theirs.list_name is not None:
            pairs = ((theirs.list_name, self.list_name),)
        report = prove(theirs.machine, self._judge(wanted=False), pairs=pairs, narrower=narrower)
        if (watcher := recorder()) is not None:
            watcher.proved(self.tree)
            watcher.proved(theirs.tree)
        word = "no_wider_than" if narrower else "equivalent_to"
        question = f"{word}: {self.source}, {theirs.source}"
        theorem = report.theorem + (self._bounded(wanted=False) or theirs._bounded(wanted=True))
        if report.holds:
            return Answer(question, True, Sureness.PROVED, theorem)
        witness = next(witness for claim in report.claims for witness in claim.witnesses)
        hops = (theirs.hop(witness.packet, witness.left), self.hop(witness.packet, witness.right))
        command = ""
        if self._is_file() and theirs._is_file() and theorem == report.theorem:
            command = shlex.join(["gerbang", "prove", theirs.source, self.source])
        said = "passes here and not there" if narrower else "the two decide this packet differently"
        if theorem != report.theorem:
            said = "may pass here and not there"
        shown = Witness(format_packet(witness.packet), hops, command)
        return Answer(question, False, Sureness.PROVED, theorem, said, shown)

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

    def _judge(self, wanted: bool) -> Machine:
        """Who tells whether packets surely pass (``wanted``), or whether they may."""
        return self.machine if wanted or self.upper is None else self.upper

    def _bounded(self, wanted: bool) -> str:
        """What is added to an answer that rests on bounds."""
        if self.upper is None:
            return ""
        return f"; clauses that are not modelled were bounded: what {'surely' if wanted else 'possibly'} passes"

    def _was(self, fate: str) -> str:
        return f"is {fate}" if self.upper is None else f"may be {fate}"

    def _is_file(self) -> bool:
        """Whether a command can read it: a policy that a strategy drew has no file."""
        return FilePath(self.source).is_file()

    def _decision(self, packet: Packet | str, machine: Machine) -> tuple[Packet, tuple[Stage, ...], Decision]:
        parsed = parse_packet(packet) if isinstance(packet, str) else packet
        stages = self._stages(parsed, machine)
        return parsed, stages, decide(stages, parsed)

    def _stages(self, packet: Packet, machine: Machine) -> tuple[Stage, ...]:
        """What the packet goes through: by its own interfaces when it names them, else the part that is asked about."""
        if packet.ingress or packet.egress or packet.path is not Path.FORWARD:
            return machine.stages(context_of(packet))
        match = Match(family=packet.family, noninitial=packet.noninitial)
        asked = list(self._in_question(match, machine))
        if len(asked) > 1:
            asked = [one for one in asked if one.context.noninitial is packet.noninitial]
        if len(asked) != 1:
            raise UsageError(
                f"{self.source}: say by which interfaces the packet goes (in=… out=…), or through which list"
            )
        return asked[0].stages

    def _in_question(self, match: Match, machine: Machine) -> Iterator[Situation]:
        if self.list_name is None and self.ingress is None and self.egress is None:
            self._refuse_vague()
            if not isinstance(self.tree, Device) and machine.is_placed():
                # Not only the ways on which a chain looks: a packet that nothing looks at passes.
                return forwarded(machine, Question(match, True))
        return situations(machine, Question(match, True, self.list_name, self.ingress, self.egress))

    def _situations(self, headers: Headers, machine: Machine) -> Iterator[Situation]:
        for family in headers.families:
            whole_only = headers.halves == (False,)
            yield from self._in_question(Match(family=family, noninitial=False if whole_only else None), machine)

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
        asked = headers.encode(family_space, noninitial=situation.context.noninitial)
        return family_space, asked & one_hop(stages, situation.context.family)

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
        said = f"this packet {self._was('stopped' if wanted else 'let through')} ({situation.where})"
        witness = Witness(format_packet(packet), (self.hop(packet, decision),), self._command(packet, wanted))
        return Answer(question, False, Sureness.PROVED, f"over all packets{self._bounded(wanted)}", said, witness)

    def _command(self, packet: Packet, wanted: bool) -> str:
        if not self._is_file() or (self.upper is not None and not wanted):
            return ""  # with bounds the trace shows what surely passes only
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


def headers_of(source: str | Headers, destination: str, service: str, words: PacketWords) -> Headers:
    """The set that a word was asked about: a set as it is, or the packets that the words describe.

    Raises UsageError for a word that is none.
    """
    known = signature(packets).parameters
    for word in words:
        if word not in known:
            raise UsageError(f"{word!r} says nothing of packets: expected {', '.join(known)}")
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

    With ``unmodelled="bound"`` clauses outside the model become bounds: what
    shall pass must surely pass, and what shall not must not even possibly.
    """
    from compiler.dialects import read
    from compiler.placed.source_text import read_source

    text = read_source(str(path))
    tree = read(text.text, text.name, dialect=dialect, unmodelled=unmodelled)
    policy = policy_of_tree(tree, text.name, bound=unmodelled == "bound")
    return policy.through(list, ingress=ingress, egress=egress)


def policy_of_tree(tree: Device | Ruleset, source: str, *, bound: bool = False) -> Policy:
    """The policy of a tree that was read. Raises InputErrors for what is not modelled, unless it may be bounded."""
    from compiler.semantics.lower import machine

    try:
        return Policy(tree, machine(tree), source, bound=bound)
    except InputErrors:
        if not bound:
            raise
    return Policy(tree, machine(tree, bound="lower"), source, bound=True, upper=machine(tree, bound="upper"))
