"""``gerbang explain``: each list and line in plain words, and the address tables of odd wildcards."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from compiler.addresses import AddressSet, Wildcard, format_address
from compiler.analysis.explanation.address_table import AddressTable, address_table
from compiler.analysis.explanation.plain_words import match_words, protocol_words
from compiler.analysis.findings.lints.quoting import quoted
from compiler.errors import UsageError
from compiler.fields import ICMP_PROTOCOLS, PORT_PROTOCOLS, Family
from compiler.integers import IntegerSet
from compiler.policy.access_list import AccessList, Clause, Device, Direction, Entry
from compiler.policy.match import Match, without_layer4
from compiler.policy.packet import Packet
from compiler.policy.packet_text import format_packet
from compiler.policy.ruleset import Chain, Rule, Ruleset, Verdict
from compiler.source import Span

__all__ = ["Explanation", "LineExplanation", "ListExplanation", "SourceTable", "explain", "template_packet"]

_RUNS_SHOWN = 8
_EPHEMERAL = 1025
_TABLES = 64
"""Tables built for one list: each looks at all its entries."""
_VERDICTS = {
    Verdict.ACCEPT: "Accepts",
    Verdict.DROP: "Drops",
    Verdict.REJECT: "Rejects",
    Verdict.RETURN: "Returns to the caller with",
    Verdict.CONTINUE: "Counts or logs",
}


@dataclass(frozen=True, slots=True)
class SourceTable:
    """Which sources of a prefix the whole list lets reach what one entry is about.

    ``table`` is None where it would be too large; ``why`` says so.
    """

    template: Packet
    within: AddressSet
    table: AddressTable | None
    why: str = ""

    def lines(self, most: int) -> Iterator[str]:
        """The packets that are meant, then the rows."""
        yield f"sources of {_ends(self.within)}, for packets such as: {format_packet(self.template)}"
        if self.table is None:
            yield self.why
        else:
            yield from self.table.lines(most)

    def as_json(self) -> dict[str, object]:
        """Plain data with all rows."""
        rows = self.table.as_json() if self.table is not None else {"refused": self.why}
        return {"packet": format_packet(self.template), "within": _ends(self.within), **rows}


@dataclass(frozen=True, slots=True)
class LineExplanation:
    """One entry or rule: its text, a sentence, exact sizes of its odd wildcards, and a table."""

    span: Span
    text: str
    sentence: str
    wildcards: tuple[str, ...] = ()
    table: SourceTable | None = None


@dataclass(frozen=True, slots=True)
class ListExplanation:
    """A list or a chain: what it is, where it works, its lines in order, and how it ends."""

    name: str
    heading: str
    entries: tuple[LineExplanation, ...]
    ending: str

    def lines(self, most: int) -> Iterator[str]:
        """The printed form; tables are cut at ``most`` rows."""
        yield self.heading
        for entry in self.entries:
            yield f"  {entry.span.line}: {entry.text}" if entry.text else f"  {entry.span.line}:"
            yield f"      {entry.sentence}"
            for line in entry.wildcards:
                yield f"      {line}"
            if entry.table is not None:
                for line in entry.table.lines(most):
                    yield f"        {line}"
        yield f"  end: {self.ending}"


@dataclass(frozen=True, slots=True)
class Explanation:
    """A whole configuration, or one list of it."""

    source: str
    lists: tuple[ListExplanation, ...]

    def lines(self, most: int = 40) -> Iterator[str]:
        """The printed form; each table is cut at ``most`` rows, with exact counts of the rest."""
        for position, one in enumerate(self.lists):
            if position:
                yield ""
            yield from one.lines(most)

    def as_json(self) -> dict[str, object]:
        """Plain data, tables whole."""
        return {
            "file": self.source,
            "lists": [
                {
                    "name": one.name,
                    "about": one.heading,
                    "ending": one.ending,
                    "entries": [
                        {
                            "line": entry.span.line,
                            "text": entry.text,
                            "sentence": entry.sentence,
                            "wildcards": list(entry.wildcards),
                            "table": entry.table.as_json() if entry.table is not None else None,
                        }
                        for entry in one.entries
                    ],
                }
                for one in self.lists
            ],
        }


def explain(
    tree: Device | Ruleset, list_name: str | None = None, within: AddressSet | Wildcard | None = None
) -> Explanation:
    """Every list or chain of the tree, or those named ``list_name``.

    ``within`` limits the tables of source addresses; without it each table is
    about the least prefix that holds the wildcard. UsageError when nothing has
    that name.
    """
    limits = AddressSet.wildcard(within) if isinstance(within, Wildcard) else within
    if isinstance(tree, Device):
        lists = [one for one in tree.lists if list_name in (None, one.name)]
        found = tuple(_explain_list(tree, one, limits) for one in lists)
        known = sorted({one.name for one in tree.lists})
    else:
        chains = [one for one in tree.chains if list_name in (None, one.name)]
        found = tuple(_explain_chain(tree, one) for one in chains)
        known = sorted({one.name for one in tree.chains})
    if list_name is not None and not found:
        raise UsageError(f"{tree.source}: no list {list_name!r}; there is {', '.join(known) or 'none'}")
    return Explanation(tree.source, found)


# -- access lists ------------------------------------------------------------------


def _explain_list(device: Device, access_list: AccessList, within: AddressSet | None) -> ListExplanation:
    places = [
        f"{'into' if binding.direction is Direction.IN else 'out of'} {binding.interface}"
        for binding in device.bindings
        if (binding.access_list, binding.family) == (access_list.name, access_list.family)
    ]
    places += [f"in {use.purpose}" for use in device.uses if use.access_list == access_list.name]
    family = "IPv6 list" if access_list.family is Family.IPV6 else f"{access_list.kind.value} list"
    used = ", ".join(dict.fromkeys(places)) or "nowhere in this text"
    heading = f"{family} {access_list.name} ({len(access_list.entries)} entries), used {used}"
    if not access_list.entries:
        ending = "a list without entries permits everything"
    elif access_list.family is Family.IPV6:
        ending = "permits neighbour discovery (nd-na, nd-ns), denies all the rest"
    else:
        ending = "denies all the rest"
    entries = []
    tables = 0
    for entry in access_list.entries:
        entries.append(_explain_entry(device, access_list, entry, within, build=tables < _TABLES))
        tables += entries[-1].table is not None
    return ListExplanation(access_list.name, heading, tuple(entries), ending)


def _explain_entry(
    device: Device, access_list: AccessList, entry: Entry, within: AddressSet | None, *, build: bool
) -> LineExplanation:
    verb = "Permits" if entry.action.permits else "Denies"
    packets = "; and ".join(
        match_words(match, entry.source_group, entry.destination_group) for match in entry.matches[:_RUNS_SHOWN]
    )
    more = len(entry.matches) - _RUNS_SHOWN
    sentence = f"{verb} {packets}" + (f"; and {more} more services" if more > 0 else "")
    sentence += _fragment_words(entry)
    if entry.time_range:
        defined = any(one.name == entry.time_range for one in device.time_ranges)
        sentence += f"; during {entry.time_range}" + ("" if defined else " (not defined: always)")
    if entry.log:
        sentence += "; logs"
    if entry.unmodelled:
        sentence += _at_most(entry.unmodelled)
    if entry.hits is not None:
        sentence += f"; {entry.hits:,} packets so far"
    odd = [match for match in entry.matches if match.source is not None and match.source.wildcards]
    table = _source_table(device, access_list, entry, odd[0], within, build=build) if odd else None
    return LineExplanation(
        entry.span, quoted(device.lines, entry.span), sentence + ".", tuple(_wildcard_lines(entry.matches)), table
    )


def _fragment_words(entry: Entry) -> str:
    """What happens to fragments other than the first, where the sentence before does not say it.

    A denial with a service group does two things at once: a service that looks
    at layer 4 never denies such a fragment, and one that does not, does.
    """
    if entry.fragments:
        return ", only fragments other than the first"
    reading = [match for match in entry.matches if entry.layer4_named or match.looks_at_layer4]
    if not reading:
        return ""
    if entry.action.permits:
        return "; fragments other than the first pass on addresses and protocol alone"
    whole = [match for match in entry.matches if match not in reading]
    passing = [match for match in reading if not any(_holds(other, match) for other in whole)]
    if not passing:
        return "; fragments other than the first are denied too"
    if not whole:
        return "; fragments other than the first go on to the next entry"
    return (
        f"; of the fragments other than the first, those of {_protocols(whole)} are denied too, "
        f"those of {_protocols(passing)} go on to the next entry"
    )


def _holds(whole: Match, reading: Match) -> bool:
    """Whether a match that does not look at layer 4 has every fragment of one that does."""
    if reading.protocol is None or whole != without_layer4(reading)._replace(protocol=whole.protocol):
        return False
    return whole.protocol is None or reading.protocol.issubset(whole.protocol)


def _protocols(matches: list[Match]) -> str:
    return ", ".join(dict.fromkeys(protocol_words(match.protocol) for match in matches))


def _at_most(unmodelled: tuple[Clause, ...]) -> str:
    return f"; at most that (outside the model: {', '.join(clause.text for clause in unmodelled)})"


def _wildcard_lines(matches: tuple[Match, ...]) -> Iterator[str]:
    """The exact size of each odd wildcard and its first runs; no more of them are built."""
    seen: set[Wildcard] = set()
    for match in matches:
        for addresses in (match.source, match.destination):
            for wildcard in addresses.wildcards if addresses is not None else ():
                if wildcard in seen:
                    continue
                seen.add(wildcard)
                count = wildcard.run_count()
                runs = [run for run, _ in zip(wildcard.runs(), range(_RUNS_SHOWN), strict=False)]
                shown = ", ".join(_range_words(low, high, wildcard.width) for low, high in runs)
                more = f" … and {count - len(runs):,} more" if count > len(runs) else ""
                value, mask = (format_address(one, wildcard.width) for one in (wildcard.value, wildcard.mask))
                yield (
                    f"{value} {mask}: {wildcard.size():,} addresses in {count:,} ranges "
                    f"of {1 << wildcard.trailing:,}: {shown}{more}"
                )


def _range_words(low: int, high: int, width: int) -> str:
    return format_address(low, width) + (f"-{format_address(high, width)}" if high > low else "")


def _source_table(
    device: Device, access_list: AccessList, entry: Entry, match: Match, within: AddressSet | None, *, build: bool
) -> SourceTable:
    template = template_packet(match, access_list.family, noninitial=entry.fragments)
    limits = within
    if limits is None:
        low, high = match.source.hull() if match.source is not None else (0, 0)
        free = (1 << (low ^ high).bit_length()) - 1
        limits = AddressSet.wildcard(Wildcard.of(low, free, access_list.family.width))
    if not build:
        return SourceTable(template, limits, None, f"left out: the first {_TABLES} tables of a list are built")
    try:
        table = address_table(access_list, template, limits, time_ranges=device.time_ranges)
    except UsageError as error:
        return SourceTable(template, limits, None, str(error))
    return SourceTable(template, limits, table)


def template_packet(match: Match, family: Family, *, noninitial: bool = False) -> Packet:
    """A typical packet of a match: its first addresses, the lowest port, a first segment where TCP allows it."""
    source = match.source.hull()[0] if match.source is not None else 0
    destination = match.destination.hull()[0] if match.destination is not None else 0
    protocol = _member(match.protocol, 6)
    carries_ports = PORT_PROTOCOLS.contains(protocol) and not noninitial
    carries_type = ICMP_PROTOCOLS.contains(protocol) and not noninitial
    return Packet(
        family,
        source,
        destination,
        protocol,
        _member(match.source_port, _EPHEMERAL) if carries_ports else 0,
        _member(match.destination_port, 80) if carries_ports else 0,
        _member(match.tcp_flags, 2) if protocol == 6 and not noninitial else 0,
        _member(match.icmp_type, 8) if carries_type else 0,
        _member(match.icmp_code, 0) if carries_type else 0,
        _member(match.traffic_class, 0),
        _member(match.ttl, 64),
        _member(match.week_minute, 0),
        _member(match.date_minute, 0),
        noninitial,
    )


def _member(numbers: IntegerSet | None, wanted: int) -> int:
    if numbers is None or numbers.contains(wanted) or not numbers.intervals:
        return wanted
    return numbers.intervals[0][0]


def _ends(addresses: AddressSet) -> str:
    wildcard = addresses.as_wildcard()
    if wildcard is not None and wildcard.prefix_length is not None:
        return f"{format_address(wildcard.value, wildcard.width)}/{wildcard.prefix_length}"
    low, high = addresses.hull()
    return f"{format_address(low, addresses.width)}-{format_address(high, addresses.width)}"


# -- chains ------------------------------------------------------------------------


def _explain_chain(ruleset: Ruleset, chain: Chain) -> ListExplanation:
    families = " and ".join(f"IPv{family.value}" for family in sorted(chain.families))
    where = f"hook {chain.hook.value}, priority {chain.priority}" if chain.hook else "called by other chains"
    heading = f"chain {chain.name} of table {chain.table} ({len(chain.rules)} rules, {families}; {where})"
    entries = tuple(
        LineExplanation(
            rule.span,
            quoted(ruleset.lines, rule.span),
            _rule_sentence(rule),
            tuple(_wildcard_lines((rule.match,))),
        )
        for rule in chain.rules
    )
    ending = f"the policy is {chain.policy.value}" if chain.hook else "goes back to the caller"
    return ListExplanation(chain.name, heading, entries, ending)


def _rule_sentence(rule: Rule) -> str:
    if rule.verdict in (Verdict.JUMP, Verdict.GOTO):
        back = "" if rule.verdict is Verdict.JUMP else " and does not come back"
        verb = f"Goes to chain {rule.target}{back} with"
    else:
        verb = _VERDICTS[rule.verdict]
    sentence = f"{verb} {match_words(rule.match, rule.source_set, rule.destination_set)}"
    if rule.answer:
        sentence += f"; answers {rule.answer}"
    if rule.log is not None and rule.verdict is not Verdict.CONTINUE:
        sentence += "; logs"
    if rule.unmodelled:
        sentence += _at_most(rule.unmodelled)
    return ("Disabled: " if rule.disabled else "") + sentence + "."
