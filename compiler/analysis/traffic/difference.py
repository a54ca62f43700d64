"""Which traffic changes its verdict between two configurations: all of it, as few rules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from compiler.analysis.equivalence.comparison import Comparison
from compiler.analysis.equivalence.pairing import named_alike, pair_lists, unbound
from compiler.analysis.equivalence.proof import Progress
from compiler.analysis.equivalence.report import Witness
from compiler.analysis.traffic.views import View, views
from compiler.policy.match import Match
from compiler.policy.match_text import format_match
from compiler.policy.packet import Path
from compiler.semantics.decision import decide
from compiler.semantics.machine import Context, Machine

if TYPE_CHECKING:
    from oxidd.bdd import BDDFunction

__all__ = ["Change", "ChangedPackets", "DifferenceReport", "change_of", "changed_packets", "differences", "unpaired"]

_RULES = 12
"""Rules of one change that are shown; that more exist is always said."""


class ChangedPackets(NamedTuple):
    """All packets that one situation newly permits, or newly denies, as a set."""

    view: View
    newly: str
    """``"permitted"`` or ``"denied"``."""
    packets: BDDFunction


@dataclass(frozen=True, slots=True)
class Change:
    """Packets that the new configuration treats differently, in one situation."""

    where: str
    newly: str
    """``"permitted"`` or ``"denied"``."""
    packets: tuple[Match, ...]
    whole: bool
    """Whether ``packets`` are all; False when only the first were written out."""
    example: Witness

    def as_json(self) -> dict[str, object]:
        """Plain data."""
        return {
            "where": self.where,
            "newly": self.newly,
            "packets": [format_match(match) for match in self.packets],
            "whole": self.whole,
            "example": self.example.as_json(),
        }


@dataclass(frozen=True, slots=True)
class DifferenceReport:
    """All changes between two configurations."""

    old: str
    new: str
    changes: tuple[Change, ...]
    notes: tuple[str, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether no packet changes its verdict and no list came or went."""
        return not self.changes and not self.notes

    def lines(self) -> list[str]:
        """For a person at a terminal."""
        if self.empty:
            return [f"No packet changes its verdict between {self.old} and {self.new}."]
        lines = list(self.notes)
        for change in self.changes:
            lines.append(f"{change.where}: newly {change.newly}")
            sign = "+" if change.newly == "permitted" else "-"
            lines += [f"  {sign} {format_match(match)}" for match in change.packets]
            if not change.whole:
                lines.append(f"  {sign} … and more (only the first {len(change.packets)} rules are shown)")
            lines += [f"    {line}" for line in change.example.lines(self.old, self.new)]
        return lines

    def markdown(self) -> str:
        """For a comment under a change request."""
        if self.empty:
            return f"No packet changes its verdict between `{self.old}` and `{self.new}`.\n"
        lines = [f"### Traffic that changes its verdict: `{self.old}` → `{self.new}`", ""]
        lines += [f"- {note}" for note in self.notes]
        if self.changes:
            lines += ["| where | newly | packets |", "|---|---|---|"]
        for change in self.changes:
            texts = [format_match(match) for match in change.packets] + ([] if change.whole else ["… and more"])
            lines.append(f"| {change.where} | **{change.newly}** | {'<br>'.join(texts)} |")
        return "\n".join(lines) + "\n"

    def as_json(self) -> dict[str, object]:
        """Plain data."""
        return {
            "old": self.old,
            "new": self.new,
            "notes": list(self.notes),
            "changes": [change.as_json() for change in self.changes],
        }


def differences(
    old: Machine,
    new: Machine,
    *,
    interfaces: Mapping[str, str] | None = None,
    pairs: Sequence[tuple[str, str]] = (),
    whole_packets_only: bool = False,
    progress: Progress | None = None,
) -> DifferenceReport:
    """Everything that changes: for bound lists by interface, for all others by list.

    ``interfaces`` maps names of the old to names of the new; ``pairs`` names
    lists that were renamed; ``whole_packets_only`` leaves later fragments out.
    Lists that came or went are told in the notes.
    """
    found = changed_packets(
        old, new, interfaces=interfaces, pairs=pairs, whole_packets_only=whole_packets_only, progress=progress
    )
    changes = tuple(change_of(one) for one in found)
    notes = () if pairs else tuple(unpaired(old, new))
    return DifferenceReport(old.source, new.source, changes, notes)


def changed_packets(
    old: Machine,
    new: Machine,
    *,
    interfaces: Mapping[str, str] | None = None,
    pairs: Sequence[tuple[str, str]] = (),
    whole_packets_only: bool = False,
    progress: Progress | None = None,
) -> Iterator[ChangedPackets]:
    """What :func:`differences` tells, as sets: one for each situation and direction that has any."""
    comparison = Comparison()
    situations = [] if pairs else list(views(old, new, interfaces or {}, whole_packets_only=whole_packets_only))
    situations += _list_views(old, new, pairs, whole_packets_only=whole_packets_only)
    for number, view in enumerate(situations):
        if progress is not None:
            progress(number, len(situations))
        yield from _changes(view, comparison)


def _list_views(
    old: Machine, new: Machine, pairs: Sequence[tuple[str, str]], *, whole_packets_only: bool
) -> Iterator[View]:
    """Lists by name; bound ones show in what their interfaces do."""
    for mine, theirs in pair_lists(old, new, pairs) if pairs else named_alike(unbound(old), unbound(new)):
        for noninitial in (False,) if whole_packets_only else (False, True):
            context = Context(mine.family, Path.FORWARD, "", "", noninitial)
            yield View(
                f"list {mine.name}",
                context,
                old.list_stages(mine, noninitial=noninitial),
                new.list_stages(theirs, noninitial=noninitial),
            )


def unpaired(old: Machine, new: Machine) -> Iterator[str]:
    """Lists that came or went."""
    for machine, other in ((old, new), (new, old)):
        known = {(name.name.removeprefix("acl-"), name.family) for name in other.lists()}
        for name in dict.fromkeys(machine.lists()):
            if (name.name.removeprefix("acl-"), name.family) not in known:
                yield f"list {name.name} is only in {machine.source}"


def _changes(view: View, comparison: Comparison) -> Iterator[ChangedPackets]:
    permitted: BDDFunction | None = None
    denied: BDDFunction | None = None
    for difference in comparison.differences(view.left, view.right, view.context):
        permitted = difference.right_only if permitted is None else permitted | difference.right_only
        denied = difference.left_only if denied is None else denied | difference.left_only
    if permitted is None or denied is None:
        return
    for packets, newly in ((permitted, "permitted"), (denied, "denied")):
        if packets.satisfiable():
            yield ChangedPackets(view, newly, packets)


def change_of(found: ChangedPackets) -> Change:
    """The set in a few rules, with an example."""
    from compiler.symbolic.describe import describe
    from compiler.symbolic.space import space
    from compiler.symbolic.witness import shortest_packet

    view, newly, packets = found
    family_space = space(view.context.family)
    matches, whole = describe(family_space.as_it_came(packets), family_space, _RULES)
    if view.context.noninitial:
        matches = tuple(match._replace(noninitial=True) for match in matches)
    packet = shortest_packet(packets, family_space, view.context)
    example = Witness(packet, decide(view.left, packet), decide(view.right, packet))
    return Change(view.where, newly, matches, whole, example)
