"""One packet through a whole device, for tests."""

from compiler.semantics.decision import context_of
from compiler.semantics.decision import decide as decide_stages


def decision(device, packet):
    """Whether the device lets the packet pass, and by which line."""
    return decide_stages(device.stages(context_of(packet)), packet)


def decide(device, packet):
    """Whether the device lets the packet pass."""
    return decision(device, packet).passes
