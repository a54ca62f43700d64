"""Access lists of a Cisco router, run: what ``compiler.semantics.router`` says of them, compiled."""

from __future__ import annotations

from typing import NamedTuple

from compiler.fields import ICMP, PORT_PROTOCOLS, TCP, Family
from compiler.policy.access_list import AccessList, Device, Entry
from compiler.policy.stateful import Evaluate, Reflect
from compiler.semantics.router import NEIGHBOUR_DISCOVERY, entry_matches
from compiler.simulator.frame import Datagram
from compiler.simulator.router.connections import FIN, RST
from compiler.simulator.router.matching import Predicate, predicate
from compiler.simulator.router.memory import Memory
from compiler.source import Span

__all__ = ["Lists", "Said"]

_AFTER_CLOSE = 5_000_000_000
"""Nanoseconds that a reflected entry lives on after both sides have sent FIN (Cisco, "IP Session Filtering")."""


class Said(NamedTuple):
    """Whether the list lets the packet pass, and the entry that says so; None for what is implicit."""

    permits: bool
    entry: Entry | None


class _Compiled(NamedTuple):
    entry: Entry
    whole: tuple[Predicate, ...]
    later: tuple[Predicate, ...]
    reflect: Reflect | None
    evaluate: Evaluate | None


class _Reflected:
    """A mirrored permit that a session has put up."""

    __slots__ = ("closing", "until")

    def __init__(self, until: int) -> None:
        self.until = until
        self.closing = 0


_Session = tuple[Family, int, int, int, int, int]


class Lists:
    """All lists of a device, and the sessions that they have seen."""

    def __init__(self, device: Device, memory: Memory) -> None:
        self._memory = memory
        self._times = {time_range.name: time_range for time_range in device.time_ranges}
        self._lists = {(one.name, one.family): self._compile(one) for one in device.lists}
        self._sessions: dict[str, dict[_Session, _Reflected]] = {}
        self._reads_moment = bool(device.time_ranges)
        self._packets = dict.fromkeys((one.entry.span for entries in self._lists.values() for one in entries), 0)

    def _compile(self, access_list: AccessList) -> tuple[_Compiled, ...]:
        return tuple(self._entry(entry) for entry in access_list.entries)

    def _entry(self, entry: Entry) -> _Compiled:
        meanings = [clause.meaning for clause in entry.unmodelled]
        reflect = next((one for one in meanings if isinstance(one, Reflect)), None)
        evaluate = next((one for one in meanings if isinstance(one, Evaluate)), None)
        whole, later = (
            tuple(predicate(match) for match in entry_matches(entry, self._times, noninitial=noninitial))
            for noninitial in (False, True)
        )
        return _Compiled(entry, whole, later, reflect, evaluate)

    def counts(self) -> list[tuple[Span, int]]:
        """The place of each entry, and how many packets it has matched so far."""
        return list(self._packets.items())

    def exists(self, name: str, family: Family) -> bool:
        """Whether the list is there and has entries: else it permits everything."""
        return bool(self._lists.get((name, family)))

    def decide(self, name: str, datagram: Datagram) -> Said:
        """What the list of that name says of the datagram."""
        entries = self._lists.get((name, datagram.family))
        if not entries:
            return Said(True, None)
        now = self._memory.moment() if self._reads_moment else (0, 0)
        is_later = datagram.fragment_offset > 0
        for one in entries:
            if one.evaluate is not None:
                if self._is_reflected(one.evaluate.name, datagram):
                    return self._said(one, True)
                continue
            for matches in one.later if is_later else one.whole:
                if matches(datagram, "", "", now):
                    if one.reflect is not None and one.entry.action.permits:
                        self._reflect(one.reflect, datagram)
                    return self._said(one, one.entry.action.permits)
        if datagram.family is Family.IPV6 and any(matches(datagram, "", "", now) for matches in _DISCOVERY):
            return Said(True, None)
        return Said(False, None)

    def _said(self, one: _Compiled, permits: bool) -> Said:
        self._packets[one.entry.span] += 1
        return Said(permits, one.entry)

    # -- reflexive lists -----------------------------------------------------------------------

    def _reflect(self, reflect: Reflect, datagram: Datagram) -> None:
        """Put up the mirror of this packet's session, or let it live on."""
        sessions = self._sessions.setdefault(reflect.name, {})
        key = _session(datagram, mirrored=True)
        until = self._memory.engine.now + reflect.timeout
        known = sessions.get(key)
        if known is None:
            known = sessions[key] = _Reflected(until)
        known.until = until
        self._closing(known, datagram)

    def _is_reflected(self, name: str, datagram: Datagram) -> bool:
        known = self._sessions.get(name, {}).get(_session(datagram, mirrored=False))
        if known is None or known.until <= self._memory.engine.now:
            return False
        self._closing(known, datagram)
        return True

    def _closing(self, known: _Reflected, datagram: Datagram) -> None:
        now = self._memory.engine.now
        if datagram.protocol == TCP and datagram.tcp_flags & RST:
            known.until = now
        elif datagram.protocol == TCP and datagram.tcp_flags & FIN:
            known.closing += 1
            if known.closing >= 2:
                known.until = min(known.until, now + _AFTER_CLOSE)


_DISCOVERY = tuple(predicate(match) for match in NEIGHBOUR_DISCOVERY)


def _session(datagram: Datagram, *, mirrored: bool) -> _Session:
    if datagram.protocol == ICMP:
        first = second = datagram.identifier
    elif PORT_PROTOCOLS.contains(datagram.protocol):
        first, second = datagram.source_port, datagram.destination_port
    else:
        first = second = 0
    family, protocol = datagram.family, datagram.protocol
    if mirrored:
        return family, protocol, datagram.destination, datagram.source, second, first
    return family, protocol, datagram.source, datagram.destination, first, second
