"""The proof that two devices, or pairs of their lists, let the same packets pass."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from compiler.analysis.comparison import Comparison
from compiler.analysis.contexts import contexts, renamed
from compiler.analysis.report import Claim, Report, Witness
from compiler.errors import UsageError
from compiler.fields import Family
from compiler.lowering.device import chain_name
from compiler.policy.packet import Path
from compiler.semantics.machine import Context, ListName, Machine, Standing

__all__ = ["device_claim", "list_claims", "named_alike", "pair_lists", "prove"]

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
    progress: Progress | None = None,
) -> Report:
    """Compares all that is bound, and each list by its pair.

    ``interfaces`` maps names of the left to names of the right. ``pairs`` names
    lists that belong together; without it lists pair by their bindings (the
    device claim) and then by name. UsageError when a list has no partner, or
    when there is nothing to compare.
    """
    comparison = Comparison(narrower=narrower)
    claims: list[Claim] = []
    bound = bool(left.interfaces() or right.interfaces() or _has_hooks(left) or _has_hooks(right))
    if bound and not pairs:
        claims.append(device_claim(left, right, comparison, interfaces or {}, whole_packets_only, progress))
    named = pair_lists(left, right, pairs)
    if bound and not pairs:  # what is bound is part of the device claim
        named = tuple(
            pair
            for pair in named
            if left.standing(pair[0]) is not Standing.BOUND and right.standing(pair[1]) is not Standing.BOUND
        )
    claims += list_claims(left, right, named, comparison, whole_packets_only)
    if not claims:
        raise UsageError(f"nothing to compare: neither {left.source} nor {right.source} has a list")
    whole_devices = bound and not pairs
    templates = (DEVICE_THEOREM, NARROWER_THEOREM) if whole_devices else (LIST_THEOREM, NARROWER_LIST_THEOREM)
    theorem = templates[narrower].format(left=left.source, right=right.source)
    assumptions = _assumptions(interfaces or {} if whole_devices else {}, whole_packets_only)
    if whole_devices:
        assumptions += tuple(_outside(left)) + tuple(_outside(right))
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
    missing = sorted(left.interfaces() - set(interfaces)) if interfaces else []
    names = right.interfaces() | {interfaces.get(name, name) for name in left.interfaces()}
    if missing and any(name in back for name in missing):
        raise UsageError(f"interface {missing[0]} of {left.source} is unmapped, and its name is taken on the right")
    everything = list(contexts(names, whole_packets_only=whole_packets_only))
    witnesses: list[Witness] = []
    counted: set[int] = set()
    entries = 0
    for number, context in enumerate(everything):
        stages, others = left.stages(renamed(context, back)), right.stages(context)
        for stage in (*stages, *others):
            if id(stage) not in counted:
                counted.add(id(stage))
                entries += len(stage.steps)
        if not stages and not others:
            continue
        for witness in comparison.witnesses(stages, others, context):
            witnesses.append(witness)
        if progress is not None and number % 64 == 0:
            progress(number, len(everything))
    relation = "narrower" if comparison.narrower else "equal"
    return Claim("the devices", relation, len(everything), entries, _plainest(witnesses))


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


def pair_lists(
    left: Machine, right: Machine, pairs: Sequence[tuple[str, str]]
) -> tuple[tuple[ListName, ListName], ...]:
    """Which list belongs to which: by the given pairs, else by name.

    ``acl-101`` is the chain of list 101. A list without a partner must never
    count as equal, so it is a UsageError; but not where it is bound (the
    devices themselves are compared then) or only another feature uses it.
    """
    mine, theirs = left.lists(), right.lists()
    if pairs:
        return tuple(_given(pair, mine, theirs, left.source, right.source) for pair in pairs)
    found = named_alike(mine, theirs)
    alone = [f"{name.name} of {left.source}" for name in _alone(left, {pair[0] for pair in found})]
    alone += [f"{name.name} of {right.source}" for name in _alone(right, {pair[1] for pair in found})]
    if alone:
        shown = ", ".join(alone[:8]) + (" …" if len(alone) > 8 else "")
        raise UsageError(f"no partner for list {shown}: name the pairs with --list LEFT=RIGHT")
    return found


def named_alike(mine: Sequence[ListName], theirs: Sequence[ListName]) -> tuple[tuple[ListName, ListName], ...]:
    """Pairs of lists of one name and family; the chain ``acl-101`` has the name 101."""
    by_name = {(name.name.removeprefix("acl-"), name.family): name for name in theirs}
    found = []
    for name in mine:
        for wanted in (name.name.removeprefix("acl-"), chain_name(name.name).removeprefix("acl-")):
            other = by_name.get((wanted, name.family))
            if other is not None:
                found.append((name, other))
                break
    return tuple(found)


def _alone(machine: Machine, paired: set[ListName]) -> Iterator[ListName]:
    for name in machine.lists():
        if name not in paired and machine.standing(name) is Standing.FREE:
            yield name


def _given(
    pair: tuple[str, str], mine: Sequence[ListName], theirs: Sequence[ListName], left: str, right: str
) -> tuple[ListName, ListName]:
    for name in mine:
        for other in theirs:
            if (name.name, other.name) == pair and name.family is other.family:
                return name, other
    known = {name.name for name in mine}, {other.name for other in theirs}
    for wanted, names, source in ((pair[0], known[0], left), (pair[1], known[1], right)):
        if wanted not in names:
            have = ", ".join(sorted(names)) or "none"
            raise UsageError(f"{source} has no list {wanted}; it has {have}")
    raise UsageError(f"lists {pair[0]} and {pair[1]} are of different address families")


def _has_hooks(machine: Machine) -> bool:
    """Whether anything stands in a packet's way without naming an interface."""
    return any(machine.stages(context) for context in contexts(()))


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
