"""The plain first-match interpreter: the witness that shares nothing with the symbolic proofs."""

from __future__ import annotations

from compiler.policy.packet import Packet
from compiler.semantics.decision import Decision
from compiler.semantics.decision import decide as decide_stages
from compiler.semantics.machine import Context, Machine

__all__ = ["context_of", "decide", "decision"]


def context_of(packet: Packet) -> Context:
    """What of the packet is decided before its fields are looked at."""
    return Context(packet.family, packet.path, packet.ingress, packet.egress, packet.noninitial)


def decision(machine: Machine, packet: Packet) -> Decision:
    """Whether the device lets the packet pass, and the line that said so."""
    return decide_stages(machine.stages(context_of(packet)), packet)


def decide(machine: Machine, packet: Packet) -> bool:
    """Whether the device lets the packet pass."""
    return decision(machine, packet).passes
