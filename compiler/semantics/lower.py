"""From a tree to its machine."""

from __future__ import annotations

from typing import Literal

from compiler.policy.access_list import Device
from compiler.policy.ruleset import Ruleset
from compiler.semantics.machine import Machine

__all__ = ["Bound", "machine"]

Bound = Literal["exact", "lower", "upper"]


def machine(tree: Device | Ruleset, *, bound: Bound = "exact") -> Machine:
    """What the device does with every packet.

    With clauses that are not modelled, ``"exact"`` raises InputErrors;
    ``"lower"`` is a machine that passes no packet the device would not pass,
    ``"upper"`` one that passes every packet that it might.
    """
    if isinstance(tree, Device):
        from compiler.semantics.router import RouterMachine

        return RouterMachine(tree, bound)
    from compiler.semantics.firewall import FirewallMachine

    return FirewallMachine(tree, bound)
