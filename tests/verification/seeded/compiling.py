"""A Cisco list and a packet, through the compiler: whether the target decides as the source does."""

from __future__ import annotations

from hypothesis import strategies as st

from compiler.analysis.compilation import compile_tree
from compiler.dialects import read
from compiler.errors import GerbangError
from compiler.lowering.options import Fragments, Options
from compiler.policy.packet import Packet
from compiler.semantics.decision import context_of, decide
from compiler.semantics.lower import machine
from compiler.testing.policies import Policy
from compiler.testing.strategies import packets_near, policies
from compiler.testing.strategies.cisco import INTERFACE

__all__ = ["cases", "differs", "entries_of"]

_NAMES = {"nftables": "eth1", "routeros": "ether1", "ios": INTERFACE}
"""The interface's name on each target."""


@st.composite
def cases(draw: st.DrawFn, of: st.SearchStrategy[Policy] | None = None) -> tuple[Policy, Packet]:
    """A policy, of the public strategy if no other is given, and a packet at a corner of one of its rules."""
    policy = draw(policies("ios") if of is None else of)
    return policy, draw(packets_near(policy))


def differs(policy: Policy, packet: Packet, target: str) -> bool:
    """Whether the two decide the packet differently, or the compiler's text cannot even be read."""
    here = decide(policy.machine.stages(context_of(packet)), packet).passes
    options = Options(interfaces={INTERFACE: _NAMES[target]}, fragments=Fragments.UNTRACKED)
    text = compile_tree(policy.tree, target, options, prove=False).text
    try:
        back = machine(read(text, "target", dialect=target))
    except GerbangError:
        return True
    there = packet._replace(ingress=_NAMES[target])
    return decide(back.stages(context_of(there)), there).passes is not here


def entries_of(policy: Policy) -> tuple[str, ...]:
    """The lines of its list."""
    return tuple(line.strip() for line in policy.tree.lines if line.startswith((" permit", " deny")))
