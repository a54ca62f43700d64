"""What-if sweeps: one question of thousands of items, on all cores or a cluster, that survive what breaks.

::

    from compiler.testing.sweeps import sweep

    for result in sweep(items, check, journal=Path("night.jsonl")):
        print(*result.lines(), sep="\\n")

Items: the configurations of a fleet, all sets of dead cables and nodes, seeds
of a lab, or whatever can be pickled and named.
"""

from __future__ import annotations

from compiler.testing.sweeps.items import Item, NamedItem
from compiler.testing.sweeps.result import Cause, Outcome, Result
from compiler.testing.sweeps.summary import Group, Summary
from compiler.testing.sweeps.sweeping import SweepStopped, sweep

__all__ = ["Cause", "Group", "Item", "NamedItem", "Outcome", "Result", "Summary", "SweepStopped", "sweep"]
