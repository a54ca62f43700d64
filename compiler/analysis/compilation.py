"""A whole compile: lower, write, read back, prove. What is not proved is not returned."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from compiler.addresses import AddressSet
from compiler.analysis.equivalence import proof
from compiler.analysis.equivalence.report import Report
from compiler.analysis.lifting import lift
from compiler.dialects import read
from compiler.dialects.interface_names import spelled
from compiler.errors import CannotSay, GerbangError, Refusal
from compiler.fields import Family
from compiler.lowering.device import Lowered, chain_names, lower_device, select_lists, translations
from compiler.lowering.options import Fragments, Options, Placement
from compiler.lowering.translate import inner_names, translate
from compiler.policy.access_list import AccessList, Action, Clause, Device, Direction, Entry, Remark
from compiler.policy.match import ANY
from compiler.policy.ruleset import Ruleset
from compiler.semantics.lower import machine

__all__ = ["Compilation", "FailedProof", "compile_tree"]

Announce = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Compilation:
    """The text for the target, its proof, and what the user should know."""

    target: str
    text: str
    report: Report | None
    """None only when no proof was asked for."""
    refusals: tuple[Refusal, ...] = ()
    """Bounds that were taken: where the target is narrower than the source."""
    notes: tuple[str, ...] = ()


class FailedProof(GerbangError):
    """The text that was read back does not do what the source does: an error of the compiler."""

    exit_code = 1

    def __init__(self, report: Report) -> None:
        super().__init__("the output is not equal to its source; nothing is written")
        self.report = report

    def render(self) -> str:
        """The failed report with its witnesses."""
        return "\n".join([str(self), *self.report.lines()])


def compile_tree(
    tree: Device | Ruleset,
    target: str,
    options: Options,
    *,
    prove: bool = True,
    progress: proof.Progress | None = None,
    announce: Announce | None = None,
) -> Compilation:
    """Compiles to ``target`` (``ios``, ``routeros``, ``nftables``) and proves the text.

    Raises CannotSay when the target lacks words and no bound was accepted,
    FailedProof when the text read back differs. ``announce`` hears what will
    be large before it is built.
    """
    options = replace(options, interfaces=spelled(options.interfaces, tree, target))
    unknown = _bounds(tree)
    if isinstance(tree, Ruleset) and target != "ios":
        text, refusals = _write_chains(translate(tree, target, options), tree, options, unknown, prove=prove)
        notes: tuple[str, ...] = ()
        source: Device | Ruleset = tree
        used = machine(tree, bound="lower").interfaces()
    else:
        device = tree if isinstance(tree, Device) else lift(tree)
        selected, notes = select_lists(device, options)
        device = _only(device, selected)
        if announce is not None:
            for line in (*notes, *_sizes(device, target)):
                announce(line)
        text, refusals = _write_lists(device, target, options, unknown, prove=prove)
        # A lifted source is proved against what was read, not against the lifted tree.
        source = tree if isinstance(tree, Ruleset) and device.bindings else device
        used = frozenset(binding.interface for binding in device.bindings)
    if not prove:
        return Compilation(target, text, None, unknown + refusals, notes)
    interfaces = {name: options.interfaces.get(name, name) for name in used if name}
    called: dict[tuple[str, Family], str] = {}
    if target != "ios":
        called = inner_names(source, target) if isinstance(source, Ruleset) else chain_names(source.lists)
    report = _prove(
        source, text, target, options, interfaces, called, narrower=bool(unknown or refusals), progress=progress
    )
    report = replace(report, assumptions=report.assumptions + _assumptions(source, target, options))
    if not report.holds:
        raise FailedProof(report)
    return Compilation(target, text, report, unknown + refusals, notes)


def _write_lists(
    device: Device, target: str, options: Options, unknown: tuple[Refusal, ...], *, prove: bool
) -> tuple[str, tuple[Refusal, ...]]:
    """The text for bound lists, and the bounds taken."""
    if target != "ios":
        return _write_chains(lower_device(device, target, options), device, options, unknown, prove=prove)
    from compiler.dialects.ios.writer import write as write_ios

    bindings = tuple(
        replace(binding, interface=options.interfaces.get(binding.interface, binding.interface))
        for binding in device.bindings
    )
    lists = tuple(_lower_bound(access_list) for access_list in device.lists)
    header = _header(device, target, options, unknown, prove=prove)
    return write_ios(replace(device, lists=lists, bindings=bindings), header), ()


def _write_chains(
    lowered: Lowered, source: Device | Ruleset, options: Options, unknown: tuple[Refusal, ...], *, prove: bool
) -> tuple[str, tuple[Refusal, ...]]:
    """The text for chains, and the bounds taken. Raises CannotSay where none may be."""
    target = lowered.ruleset.dialect
    if lowered.refusals:
        raise CannotSay(target, lowered.refusals)
    if target == "nftables":
        from compiler.dialects.nftables.adapt import adapt as adapt_nftables

        ruleset, refusals = adapt_nftables(lowered.ruleset, options)
    else:
        from compiler.dialects.routeros.adapt import adapt as adapt_routeros

        ruleset, refusals = adapt_routeros(lowered.ruleset, options)
    refusals = tuple(dict.fromkeys(refusals))  # both halves of a list may stumble over one line
    if refusals and not options.bound:
        raise CannotSay(target, refusals)
    header = _header(source, target, options, unknown + refusals, prove=prove)
    ruleset = replace(ruleset, header=header)
    if target == "nftables":
        from compiler.dialects.nftables import writer

        return (writer.write_counted if options.counted else writer.write)(ruleset), refusals
    from compiler.dialects.routeros.writer import write as write_routeros

    return write_routeros(ruleset, options), refusals


def _prove(
    source: Device | Ruleset,
    text: str,
    target: str,
    options: Options,
    interfaces: dict[str, str],
    called: dict[tuple[str, Family], str],
    *,
    narrower: bool,
    progress: proof.Progress | None,
) -> Report:
    """The text alone, read by the target's own reader, against the source."""
    back = read(text, f"the {target} output", dialect=target)
    return proof.prove(
        machine(source, bound="lower" if narrower else "exact"),
        machine(back),
        interfaces=interfaces,
        narrower=narrower,
        whole_packets_only=options.fragments is Fragments.REASSEMBLED,
        called=called,
        progress=progress,
    )


def _only(device: Device, lists: tuple[AccessList, ...]) -> Device:
    """The device with these lists and their bindings alone; its name says so where a bound list is left out."""
    if len(lists) == len(device.lists):
        return device
    names = {access_list.name for access_list in lists}
    bindings = tuple(binding for binding in device.bindings if binding.access_list in names)
    source = device.source
    if len(bindings) < len(device.bindings):
        source = f"{device.source} with only list {', '.join(sorted(names))}"
    return replace(device, source=source, lists=lists, bindings=bindings)


def _bounds(tree: Device | Ruleset) -> tuple[Refusal, ...]:
    """Clauses of the source that are not modelled, which the reader was told to bound."""
    if isinstance(tree, Device):
        lines: list[tuple[str, tuple[Clause, ...]]] = [
            (entry.action.value, entry.unmodelled) for access_list in tree.lists for entry in access_list.entries
        ]
    else:
        lines = [(rule.verdict.value, rule.unmodelled) for chain in tree.chains for rule in chain.rules]
    return tuple(
        Refusal(f"{action} … {clause.text}", "not modelled: bounded from below", clause.span)
        for action, clauses in lines
        for clause in clauses
    )


def _lower_bound(access_list: AccessList) -> AccessList:
    """The list without clauses that are not modelled: unknown permits go, unknown denies deny all they name."""
    if not any(entry.unmodelled for entry in access_list.entries):
        return access_list
    kept: list[Entry | Remark] = []
    for line in access_list.lines:
        if isinstance(line, Remark) or not line.unmodelled:
            kept.append(line)
        elif not line.action.permits:
            kept.append(replace(line, unmodelled=()))
    if not any(isinstance(line, Entry) for line in kept):  # an empty list would permit everything
        kept.append(Entry(Action.DENY, (ANY,), sequence=10))
    return replace(access_list, lines=tuple(kept))


def _sizes(device: Device, target: str) -> tuple[str, ...]:
    """What odd wildcards will cost on a target that has none."""
    if target != "routeros":
        return ()
    seen: dict[AddressSet, str] = {}
    for access_list in device.lists:
        for entry in access_list.entries:
            for match in entry.matches:
                for addresses in (match.source, match.destination):
                    if addresses is not None and addresses.wildcards:
                        seen.setdefault(addresses, f"{entry.span}")
    return tuple(f"{place}: an address list of {addresses.run_count():,} entries" for addresses, place in seen.items())


def _header(
    source: Device | Ruleset, target: str, options: Options, refusals: tuple[Refusal, ...], *, prove: bool
) -> tuple[str, ...]:
    lines = [f"Compiled by Gerbang from {source.source} to {target}."]
    if not prove:
        lines.append("NOT PROVED: the proof was switched off (--no-proof).")
    elif refusals:
        lines.append("Proved by reading back: it lets pass nothing that its source does not.")
        lines.append("It is NARROWER than its source here:")
        lines += [f"  {refusal}" for refusal in refusals]
    else:
        lines.append("Proved by reading back: it lets pass exactly what its source lets pass.")
    if target != "ios" and isinstance(source, Device):
        answer = "IOS would answer with ICMP administratively prohibited"
        lines.append(f"Denied packets: {options.deny.value}. {answer}.")
    lines += [f"Assumed: {line}" for line in _assumptions(source, target, options)]
    return tuple(lines)


def _assumptions(source: Device | Ruleset, target: str, options: Options) -> tuple[str, ...]:
    lines = []
    if target == "ios":
        lines.append("the device has no lists of these names yet, or just these: what is loaded adds to what is there")
    if target != "ios" and (isinstance(source, Ruleset) or source.bindings):
        lines.append("other rules of the target neither change packets before these nor are part of the claim")
        lines += _translation_assumptions(source, options)
        if options.fragments is Fragments.UNTRACKED:
            lines.append("nothing on the target tracks connections or reassembles fragments")
        if target == "routeros":
            lines.append("no fasttrack on the target")
    dialects = {target, source.dialect if isinstance(source, Ruleset) else "ios"}
    if "routeros" in dialects:
        lines.append("relative to Gerbang's model of RouterOS: no device has been a witness")
    return tuple(lines)


def _translation_assumptions(source: Device | Ruleset, options: Options) -> Iterator[str]:
    late = True
    if isinstance(source, Device):
        late = any(binding.direction is Direction.OUT for binding in source.bindings)
        if late and any(translations(source, family) for family in Family):
            yield "the target translates addresses as the source does, at the usual priorities"
            return
    if late or options.placement is Placement.FILTER:
        yield "no address translation on the target changes packets before its forward and input hooks"
