"""Two configurations: equal over all packets, or which packets change their verdict, each with a witness."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from appliance.workbench.compiling import Shown, size_of
from appliance.workbench.kinds import DIALECTS, kind_of
from appliance.workbench.remarks import Remark, remarks_of
from compiler.errors import GerbangError, UsageError

if TYPE_CHECKING:
    from compiler.analysis.traffic.difference import Change
    from compiler.policy.access_list import Device
    from compiler.policy.ruleset import Ruleset

__all__ = ["Changed", "Compared", "compare_texts"]


class Changed(NamedTuple):
    """Packets that the new configuration treats otherwise, in one situation."""

    where: str
    newly: str
    """``permitted`` or ``denied``."""
    packets: tuple[str, ...]
    is_whole: bool
    """Whether ``packets`` are all of them."""
    witness: Shown


@dataclass(frozen=True, slots=True)
class Compared:
    """What came of it. Equal when there are no changes, no notes and no remarks."""

    old: str
    new: str
    changes: tuple[Changed, ...] = ()
    notes: tuple[str, ...] = ()
    """Lists that came or went."""
    remarks: tuple[Remark, ...] = ()
    """Why nothing was compared."""
    size: str = ""
    seconds: float = field(default=0.0, compare=False)

    @property
    def is_equal(self) -> bool:
        """Whether no packet changes its verdict."""
        return not (self.changes or self.notes or self.remarks)


def compare_texts(
    old: tuple[str, str],
    new: tuple[str, str],
    interfaces: tuple[tuple[str, str], ...],
    tell: Callable[[tuple[int, int]], Any],
) -> Compared:
    """Compare two (name, text); ``interfaces`` are names of the old with those of the new. Never raises for them."""
    began = time.perf_counter()
    try:
        done = _compared(old, new, interfaces, tell)
    except GerbangError as error:
        done = Compared(old[0], new[0], remarks=remarks_of(error, ""))
    return replace(done, seconds=time.perf_counter() - began)


def _compared(
    old: tuple[str, str],
    new: tuple[str, str],
    interfaces: tuple[tuple[str, str], ...],
    tell: Callable[[tuple[int, int]], Any],
) -> Compared:
    from compiler.analysis.equivalence.proof import prove
    from compiler.analysis.traffic.difference import differences
    from compiler.cli.tree import interface_map
    from compiler.semantics.lower import machine

    trees = _read(*old), _read(*new)
    machines = machine(trees[0]), machine(trees[1])
    names = interface_map(interfaces, *trees)
    report = differences(*machines, interfaces=names, progress=lambda number, total: tell((number, total)))
    size = ""
    if report.empty:  # said as a theorem only when the prover agrees
        proof = prove(*machines, interfaces=names)
        assert proof.holds
        size = size_of(proof)
    changes = tuple(_changed(one, old[0], new[0]) for one in report.changes)
    return Compared(old[0], new[0], changes, tuple(report.notes), size=size)


def _read(name: str, text: str) -> Device | Ruleset:
    from compiler.dialects import read

    kind = kind_of(text, name)
    if kind not in DIALECTS:
        raise UsageError(f"{name} is no configuration of a device")
    if not text.strip():
        raise UsageError(f"{name} is empty")
    return read(text, name, dialect=kind.value)


def _changed(change: Change, old: str, new: str) -> Changed:
    from compiler.policy.match_text import format_match

    packet, left, right = change.example.lines(old, new)
    witness = Shown(
        packet.removeprefix("packet").strip(),
        left.strip(),
        right.strip(),
        change.example.left.span.line,
        change.example.right.span.line,
    )
    packets = tuple(format_match(match) for match in change.packets)
    return Changed(change.where, change.newly, packets, change.whole, witness)
