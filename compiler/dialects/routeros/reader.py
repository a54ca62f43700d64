"""RouterOS scripts and exports -> the tree of their firewall.

The script is run on empty tables, as a router would: rows are added, changed
and moved, and what stands in the tables at the end is read. Menus that do not
filter packets are skipped and counted; those that change packets or their way
become features, which proofs list.

Read for the simulator, mangle and NAT are tables like the others, and what
rules ask of connections, marks and counters has a meaning.
"""

from __future__ import annotations

from typing import Literal

from compiler.dialects.routeros.router import Router
from compiler.dialects.routeros.script import parse
from compiler.policy.ruleset import Ruleset

__all__ = ["read"]


def read(
    text: str,
    source: str,
    *,
    version: int | None = None,
    unmodelled: Literal["refuse", "bound", "simulate"] = "refuse",
) -> Ruleset:
    """The firewall that a script or an export leaves on a router whose tables were empty.

    ``version`` is 6 or 7; without it the export's own head decides, and in mode
    ``simulate`` also words that only one of them has. Raises InputErrors with
    every place that cannot be read. With ``unmodelled="bound"`` clauses outside
    the model stay in ``Rule.unmodelled``; with ``"simulate"`` they stand there
    with their meanings.
    """
    script = parse(text, source)
    if unmodelled == "simulate":
        from compiler.dialects.routeros.simulated import SimulatedRouter

        router: Router = SimulatedRouter(script, version)
    else:
        router = Router(script, version, unmodelled == "bound")
    for statement in script.statements:
        router.run(statement)
    ruleset = router.ruleset()
    router.raise_faults()
    return ruleset
