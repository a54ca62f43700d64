"""One seeded fault judged: what the product says of it, and whether that is true."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from compiler.analysis.equivalence.proof import prove
from compiler.dialects import read
from compiler.errors import GerbangError
from compiler.semantics.lower import machine
from tests.verification.ios_meaning import NotUnderstood
from tests.verification.judge import Judge, meaning
from tests.verification.packets import Packet

_LIST = re.compile(r"list (?P<left>\S+)(?: and (?P<right>\S+))?(?: \(IPv6\))?$")


@dataclass
class Tally:
    """What became of the mutants, by kind, and all that was wrong."""

    counts: dict[str, Counter[str]] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)

    def add(self, kind: str, outcome: str) -> None:
        self.counts.setdefault(kind, Counter())[outcome] += 1

    def table(self) -> str:
        """Kinds down, outcomes across."""
        outcomes = ("caught", "kept", "refused", "unjudged", "wrong")
        lines = [f"{'kind':24}" + "".join(f"{outcome:>10}" for outcome in outcomes)]
        for kind, counts in sorted(self.counts.items()):
            lines.append(f"{kind:24}" + "".join(f"{counts[outcome]:>10}" for outcome in outcomes))
        total = sum(self.counts.values(), Counter())
        lines.append(f"{'all':24}" + "".join(f"{total[outcome]:>10}" for outcome in outcomes))
        return "\n".join(lines)


def own(packet: Any) -> Packet:
    """A packet of the product as a packet of the judge."""
    path = {"forwarded": "forward", "to the router": "input", "from the router": "output"}[packet.path.value]
    return Packet(
        int(packet.family),
        packet.source,
        packet.destination,
        packet.protocol,
        packet.source_port,
        packet.destination_port,
        packet.tcp_flags,
        packet.icmp_type,
        packet.icmp_code,
        packet.traffic_class,
        packet.ttl,
        packet.noninitial,
        packet.ingress,
        packet.egress,
        path,
    )


def judge_fault(judge: Judge, source: Any, mutant: str, dialect: str, names: dict[str, str]) -> tuple[str, str]:
    """``(outcome, what is wrong)`` of one mutant; the second is empty when the product is right."""
    try:
        theirs = meaning(mutant, dialect)
    except NotUnderstood:
        theirs = None
    try:
        report = prove(source, machine(read(mutant, "mutant", dialect=dialect)), interfaces=names)
    except GerbangError:
        return "refused", ""
    if theirs is None:
        return "unjudged", ""
    for claim in report.claims:
        if claim.what == "the devices":
            difference = judge.difference(theirs)
            decide = judge.verdicts
        else:
            found = _LIST.match(claim.what)
            assert found is not None, claim.what
            pair = (found["left"], found["right"] or found["left"])
            difference = judge.list_difference(theirs, *pair)

            def decide(target: Any, packet: Packet, pair: tuple[str, str] = pair) -> tuple[bool, bool]:
                return judge.list_verdicts(target, *pair, packet)

        if claim.holds and difference is not None:
            return "wrong", f"MISSED in {claim.what}: {difference} {decide(theirs, difference)}"
        if not claim.holds and difference is None:
            return "wrong", f"FALSE ALARM in {claim.what}: {claim.witnesses[0]}"
        for witness in claim.witnesses:
            real = decide(theirs, own(witness.packet))
            if real != (witness.left.passes, witness.right.passes) or real[0] == real[1]:
                return "wrong", f"WRONG WITNESS in {claim.what}: {witness.packet}: really {real}"
    return ("kept" if report.holds else "caught"), ""
