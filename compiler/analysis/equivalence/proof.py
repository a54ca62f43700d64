"""The proof that two devices, or pairs of their lists, let the same packets pass."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import product

from compiler.analysis.equivalence.comparison import Comparison
from compiler.analysis.equivalence.contexts import OTHER, contexts, interface_names, renamed
from compiler.analysis.equivalence.pairing import left_out, pair_lists
from compiler.analysis.equivalence.report import Claim, Report, Witness
from compiler.errors import UsageError
from compiler.fields import Family
from compiler.policy.packet import Path
from compiler.semantics.machine import Context, ListName, Machine

__all__ = ["Progress", "device_claim", "list_claims", "prove"]

Progress = Callable[[int, int], None]

DEVICE_THEOREM = (
    "for every well-formed packet (complete layer-4 header unless it is a non-initial fragment), every ingress and "
    "egress interface, forwarded, to or from the router: {left} lets it pass if and only if {right} does"
)
_NAMED = 8
"""Interfaces that a report names."""

NARROWER_THEOREM = (
    "for every well-formed packet, every ingress and egress interface, forwarded, to or from the router: "
    "what {right} lets pass, {left} lets pass too"
)
LIST_THEOREM = "the lists are equal; nothing is claimed about where they are bound"
NARROWER_LIST_THEOREM = (
    "no list of {right} lets pass what its list of {left} does not; nothing is claimed about where they are bound"
)


def prove(
    left: Machine,
    right: Machine,
    *,
    interfaces: Mapping[str, str] | None = None,
    pairs: Sequence[tuple[str, str]] = (),
    narrower: bool = False,
    whole_packets_only: bool = False,
    called: Mapping[tuple[str, Family], str] | None = None,
    progress: Progress | None = None,
) -> Report:
    """Compares all that is bound, and each list by its pair.

    ``interfaces`` maps names of the left to names of the right. ``pairs`` names
    lists that belong together; without it lists pair by their bindings (the
    device claim), by what a compile called them (``called``), and by name.
    UsageError when a list has no partner, or when there is nothing to compare.
    """
    comparison = Comparison(narrower=narrower)
    claims: list[Claim] = []
    bound = left.is_placed() or right.is_placed()
    if bound and not pairs:
        claims.append(device_claim(left, right, comparison, interfaces or {}, whole_packets_only, progress))
    named = pair_lists(left, right, pairs, called)
    claims += list_claims(left, right, named, comparison, whole_packets_only)
    if not claims:
        raise UsageError(f"nothing to compare: {left.source} and {right.source} have no lists that belong together")
    whole_devices = bound and not pairs
    templates = (DEVICE_THEOREM, NARROWER_THEOREM) if whole_devices else (LIST_THEOREM, NARROWER_LIST_THEOREM)
    theorem = templates[narrower].format(left=left.source, right=right.source)
    assumptions = _assumptions(interfaces or {} if whole_devices else {}, whole_packets_only)
    if whole_devices:
        assumptions += tuple(_outside(left)) + tuple(_outside(right)) + tuple(left_out(left, right))
    return Report(left.source, right.source, theorem, assumptions, tuple(claims))


def device_claim(
    left: Machine,
    right: Machine,
    comparison: Comparison,
    interfaces: Mapping[str, str],
    whole_packets_only: bool = False,
    progress: Progress | None = None,
) -> Claim:
    """One claim over every context that either side can tell apart."""
    back = {there: here for here, there in interfaces.items()}
    names = interface_names(left, right, interfaces)
    witnesses: list[Witness] = []
    counted: dict[int, int] = {}
    total = number = 0
    for family, noninitial in product(Family, (False,) if whole_packets_only else (False, True)):
        count, chosen = _telling(left, right, names, back, comparison, family, noninitial)
        total += count
        for context in chosen:
            stages, others = left.stages(renamed(context, back)), right.stages(context)
            counted.update((id(stage), len(stage.steps)) for stage in (*stages, *others))
            witnesses += comparison.witnesses(stages, others, context)
            number += 1
            if progress is not None and number % 64 == 0:
                progress(number, total)
    relation = "narrower" if comparison.narrower else "equal"
    return Claim("the devices", relation, total, sum(counted.values()), _plainest(witnesses))


def _telling(
    left: Machine,
    right: Machine,
    names: frozenset[str],
    back: Mapping[str, str],
    comparison: Comparison,
    family: Family,
    noninitial: bool,
) -> tuple[int, list[Context]]:
    """How many contexts there are, and those that must be looked at.

    A forwarded packet passes when it passes what its ingress asks and what its
    egress asks. Where the two sides ask the same in each part, they let the
    same pass for every pair of interfaces: a thousand interfaces are two
    thousand comparisons, not a million.
    """
    everything = list(contexts(names, family, noninitial))
    forwarded = [context for context in everything if context.path is Path.FORWARD]
    alike: tuple[dict[str, bool], dict[str, bool]] = ({}, {})
    for context in forwarded:
        if OTHER not in (context.ingress, context.egress):
            continue
        parts = left.ways(renamed(context, back)), right.ways(context)
        if parts[0] is None or parts[1] is None:
            return len(everything), everything
        for side, name in enumerate((context.ingress, context.egress)):
            if name not in alike[side]:
                alike[side][name] = not comparison.witnesses(parts[0][side], parts[1][side], context)
    chosen = [
        context
        for context in everything
        if context.path is not Path.FORWARD
        or OTHER in (context.ingress, context.egress)
        or not (alike[0][context.ingress] and alike[1][context.egress])
    ]
    return len(everything), chosen


def list_claims(
    left: Machine,
    right: Machine,
    named: Iterable[tuple[ListName, ListName]],
    comparison: Comparison,
    whole_packets_only: bool = False,
) -> Iterator[Claim]:
    """One claim for each pair of lists."""
    for mine, theirs in named:
        halves = (False,) if whole_packets_only else (False, True)
        witnesses: list[Witness] = []
        entries = 0
        for noninitial in halves:
            context = Context(mine.family, Path.FORWARD, "", "", noninitial)
            stages = left.list_stages(mine, noninitial=noninitial)
            others = right.list_stages(theirs, noninitial=noninitial)
            entries += sum(len(stage.steps) for stage in (*stages, *others))
            witnesses += comparison.witnesses(stages, others, context)
        what = f"list {mine.name}" if mine.name == theirs.name else f"list {mine.name} and {theirs.name}"
        if mine.family is Family.IPV6:
            what += " (IPv6)"
        relation = "narrower" if comparison.narrower else "equal"
        yield Claim(what, relation, len(halves), entries, _plainest(witnesses))


def _plainest(witnesses: Sequence[Witness]) -> tuple[Witness, ...]:
    """One witness for each direction: forwarded and whole before odd ones."""
    chosen: dict[bool, Witness] = {}
    for witness in sorted(
        witnesses, key=lambda one: (one.packet.path is not Path.FORWARD, one.packet.noninitial, one.packet.family)
    ):
        chosen.setdefault(witness.left.passes, witness)
    return tuple(chosen.values())


def _outside(machine: Machine) -> Iterator[str]:
    """What a configuration also does, and the model leaves out."""
    texts = list(dict.fromkeys(clause.text for clause in machine.features))
    for text in texts[:_NAMED]:
        yield f"{machine.source} also has {text!r}, which is not part of the claim"
    if len(texts) > _NAMED:
        yield f"{machine.source} has {len(texts) - _NAMED} more such lines"


def _assumptions(interfaces: Mapping[str, str], whole_packets_only: bool) -> tuple[str, ...]:
    lines = []
    if interfaces:
        named = [f"{here} is {there}" for here, there in interfaces.items() if here != there]
        named = named or ["each keeps its name"]
        more = f" and {len(named) - _NAMED} more as given" if len(named) > _NAMED else ""
        lines.append("interfaces: " + ", ".join(named[:_NAMED]) + more)
    if whole_packets_only:
        lines.append("non-initial fragments never reach the lists: the target reassembles packets first")
    return tuple(lines)
