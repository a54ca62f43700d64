"""When all lines are read: groups into entries, drafts into values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches

from compiler.addresses import AddressSet
from compiler.dialects.ios.entries import Body
from compiler.dialects.ios.groups import Flattening, GroupDraft, network_group, service_group
from compiler.dialects.ios.lists import ListDraft
from compiler.dialects.ios.reflexive import clause_meaning
from compiler.dialects.ios.state import State
from compiler.dialects.ios.words import Fault, locate
from compiler.errors import InputError, SyntaxFault
from compiler.fields import Family
from compiler.policy.access_list import AccessList, Clause, Entry, NetworkGroup, Remark, ServiceGroup, TimeRange
from compiler.policy.match import Match
from compiler.source import Span

__all__ = ["finish_groups", "finish_lists", "finish_time_ranges"]


def finish_groups(state: State) -> tuple[dict[str, NetworkGroup], dict[str, ServiceGroup]]:
    """All groups with their members resolved; cycles and undefined members are errors."""
    network: dict[str, NetworkGroup] = {}
    service: dict[str, ServiceGroup] = {}
    flattening = Flattening(state.network_groups)
    for name, draft in state.network_groups.items():
        try:
            network[name] = network_group(draft, flattening)
        except Fault as fault:
            state.errors.append(_member_error(state, draft, fault))
    flattening = Flattening(state.service_groups)
    for name, draft in state.service_groups.items():
        try:
            service[name] = service_group(draft, flattening)
        except Fault as fault:
            state.errors.append(_member_error(state, draft, fault))
    return network, service


def _member_error(state: State, draft: GroupDraft, fault: Fault) -> InputError:
    span = list(draft.members.values())[fault.index]
    return SyntaxFault(fault.message, span, state.lines[span.line - 1])


def finish_time_ranges(state: State) -> dict[str, TimeRange]:
    """All time ranges."""
    return {name: draft.finish() for name, draft in state.time_ranges.items()}


def finish_lists(
    state: State, network: Mapping[str, NetworkGroup], service: Mapping[str, ServiceGroup]
) -> tuple[AccessList, ...]:
    """All lists, their entries with the members of the groups."""
    groups = _Groups(state, network, service)
    return tuple(
        AccessList(draft.name, draft.family, draft.kind, _lines(state, draft, groups), draft.span)
        for draft in state.lists.values()
    )


class _Groups:
    """Looks groups up by name; Fault with the word that names an unknown one."""

    def __init__(self, state: State, network: Mapping[str, NetworkGroup], service: Mapping[str, ServiceGroup]) -> None:
        self.state = state
        self.network = network
        self.service = service

    def matches(self, body: Body, family: Family, words: list[str]) -> tuple[Match, ...]:
        """The entry's matches; none when a group of it has an error of its own."""
        match = body.match
        for name in (body.source_group, body.destination_group):
            if name:
                self._check(name, self.state.network_groups, "network", family, words)
                if name not in self.network:
                    return ()
        if body.source_group:
            match = match._replace(source=self._addresses(body.source_group))
        if body.destination_group:
            match = match._replace(destination=self._addresses(body.destination_group))
        name = body.service_group
        if not name:
            return (match,)
        self._check(name, self.state.service_groups, "service", family, words)
        if name not in self.service:
            return ()
        return tuple(
            match._replace(
                protocol=member.protocol,
                source_port=member.source_port,
                destination_port=member.destination_port,
                icmp_type=member.icmp_type,
                icmp_code=member.icmp_code,
            )
            for member in self.service[name].matches
        )

    def _addresses(self, name: str) -> AddressSet | None:
        addresses = self.network[name].addresses
        return None if addresses.is_any else addresses

    def _check(self, name: str, drafts: Mapping[str, GroupDraft], kind: str, family: Family, words: list[str]) -> None:
        draft = drafts.get(name)
        index = next(
            (at for at, word in enumerate(words) if word == name and words[at - 1].lower() == "object-group"), 0
        )
        if draft is None:
            near = get_close_matches(name, list(drafts), 1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise Fault(f"the object-group {kind} {name} is not defined{hint}", index)
        if not draft.members:
            raise Fault(f"the object-group {name} is empty", index)
        if draft.family is not family:
            raise Fault(
                f"the object-group {name} is for IPv{draft.family.value}, the list for IPv{family.value}", index
            )


def _lines(state: State, draft: ListDraft, groups: _Groups) -> tuple[Entry | Remark, ...]:
    lines: list[Entry | Remark] = []
    for sequence, content, span, hits, before in draft.ordered():
        if before:
            lines.extend(before)
        if isinstance(content, Remark):
            lines.append(content)
            continue
        try:
            lines.append(_entry(state, draft.family, groups, content, sequence, hits, span))
        except Fault as fault:
            state.errors.append(fault.as_error(state.source, span.line, state.lines[span.line - 1]))
    lines.extend(draft.pending)
    return tuple(lines)


def _entry(
    state: State, family: Family, groups: _Groups, body: Body, sequence: int, hits: int | None, span: Span
) -> Entry:
    action, match, fragments, log, source, destination, service, time_range, layer4_named, unmodelled, _ = body
    matches: tuple[Match, ...] = (match,)
    if source or destination or service:
        matches = groups.matches(body, family, state.lines[span.line - 1].split())
    clauses: tuple[Clause, ...] = ()
    if unmodelled or time_range:
        clauses = tuple(_clauses(state, family, body, span))
    return Entry(
        action,
        matches,
        sequence,
        fragments,
        log,
        source,
        destination,
        service,
        time_range,
        layer4_named,
        clauses,
        hits,
        span,
    )


def _clauses(state: State, family: Family, body: Body, span: Span) -> Iterator[Clause]:
    """What of the entry is outside the model, when bounding; an empty time range too."""
    text = state.lines[span.line - 1]
    for clause, index, count in body.unmodelled:
        place = locate(state.source, span.line, text, index, count)
        meaning = clause_meaning(clause, family, state.reflexive_timeout) if state.simulate else None
        yield Clause(clause, place, meaning)
    draft = state.time_ranges.get(body.time_range)
    if draft is not None and not draft.lines:
        words = text.split()
        index = next((at for at, word in enumerate(words[:-1]) if word == "time-range"), 0)
        why = "the time-range has neither 'absolute' nor 'periodic': whether it is active is not documented"
        if not state.bound:
            raise Fault(f"'time-range {body.time_range}' is not modelled: {why}", index, 2, unmodelled=True)
        yield Clause(f"time-range {body.time_range}", locate(state.source, span.line, text, index, 2))
