"""One fault of a policy: asked in words, and looked for packet by packet."""

from __future__ import annotations

from compiler.dialects import read
from compiler.policy.packet import Packet, Path, matches
from compiler.semantics.decision import Decision, context_of, decide
from compiler.testing.answer import Answer
from compiler.testing.headers import Headers
from compiler.testing.policies import Policy
from compiler.testing.strategies.policies import drawn
from tests.verification.seeded.policy_faults import Claim, PolicyFault

__all__ = ["answers", "broken_rule", "deciding", "is_wrong", "policy_of"]


def policy_of(text: str, dialect: str) -> Policy:
    """The policy of a text."""
    return drawn(read(text, "policy", dialect=dialect))


def answers(policy: Policy, claims: tuple[Claim, ...]) -> list[Answer]:
    """What the words say of each claim."""
    return [
        policy.through(ingress=one.ingress, egress=one.egress).ask_passing(one.headers, wanted=one.passes)
        for one in claims
    ]


def is_wrong(policy: Policy, claims: tuple[Claim, ...], packet: Packet) -> bool:
    """Whether the packet breaks a claim: what a person's own property of one packet would say."""
    return any(
        _is_asked(one, packet) and deciding(policy, _placed(one, packet)).passes is not one.passes for one in claims
    )


def deciding(policy: Policy, packet: Packet) -> Decision:
    """What the policy does with the packet, and why."""
    placed = packet.ingress or packet.egress
    if placed or policy.machine.dialect != "ios":
        return decide(policy.machine.stages(context_of(packet)), packet)
    (name,) = policy.machine.lists()
    return decide(policy.machine.list_stages(name, noninitial=packet.noninitial), packet)


def _placed(claim: Claim, packet: Packet) -> Packet:
    return packet if claim.ingress is not None else packet._replace(ingress="", egress="")


def _is_asked(claim: Claim, packet: Packet) -> bool:
    asked = ((claim.ingress, packet.ingress), (claim.egress, packet.egress))
    if any(wanted not in (None, name) for wanted, name in asked):
        return False
    return packet.path is Path.FORWARD and _holds(claim.headers, packet)


def _holds(headers: Headers, packet: Packet) -> bool:
    return any(matches(part.match, packet) for part in headers.parts) and not any(
        matches(part.match, packet) for part in headers.without
    )


def broken_rule(fault: PolicyFault, packet: Packet) -> str:
    """The line of the faulty text that decides the packet, or why no line does."""
    policy = policy_of(fault.faulty, fault.dialect)
    for claim in fault.claims:
        if is_wrong(policy, (claim,), packet):
            decision = deciding(policy, _placed(claim, packet))
            line = decision.span.line
            return policy.tree.lines[line - 1].strip() if line else decision.why
    return ""
