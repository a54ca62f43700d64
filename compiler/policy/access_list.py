"""Access lists as Cisco routers mean them, and the device that binds them.

An entry holds what its text says; what a device DOES with it (fragments, the
implicit entries, undefined lists) is said once, in ``compiler.semantics``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from compiler.addresses import AddressSet
from compiler.fields import Family
from compiler.integers import IntegerSet
from compiler.policy.match import Match
from compiler.policy.stateful import Meaning
from compiler.source import NOWHERE, Span

__all__ = [
    "AccessList",
    "Action",
    "Binding",
    "Clause",
    "Device",
    "Direction",
    "Entry",
    "ListKind",
    "ListUse",
    "NetworkGroup",
    "Remark",
    "ServiceGroup",
    "TimeRange",
]


class Action(Enum):
    """What an entry decides."""

    PERMIT = "permit"
    DENY = "deny"

    @property
    def permits(self) -> bool:
        """Whether packets pass."""
        return self is Action.PERMIT


class ListKind(Enum):
    """Standard lists look at the source only; IPv6 lists are always extended."""

    STANDARD = "standard"
    EXTENDED = "extended"


class Direction(Enum):
    """Which way packets cross the interface, seen from the router."""

    IN = "in"
    OUT = "out"


@dataclass(frozen=True, slots=True)
class Clause:
    """Words of an entry or rule that proofs do not model (``reflect MIRROR``).

    ``meaning`` is what the simulator makes of them, when they were read for it.
    """

    text: str
    span: Span = NOWHERE
    meaning: Meaning | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One line that decides: the union of ``matches`` gets ``action``.

    ``matches`` has one element but for service groups. ``noninitial`` is never
    set in them: whether fragments match follows from ``fragments`` and from
    the layer-4 fields. The group names are kept for writers; the matches
    already hold the groups' members. ``sequence`` is 0 where lists have none.
    """

    action: Action
    matches: tuple[Match, ...]
    sequence: int = 0
    fragments: bool = False
    log: str = ""
    """``""``, ``"log"`` or ``"log-input"``."""
    source_group: str = ""
    destination_group: str = ""
    service_group: str = ""
    time_range: str = ""
    layer4_named: bool = False
    """Whether the text names a layer-4 field even where it constrains nothing (``range 0 65535``)."""
    unmodelled: tuple[Clause, ...] = ()
    hits: int | None = None
    """Packets counted, from ``show access-lists``."""
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class Remark:
    """A comment between entries; it keeps its place."""

    text: str
    sequence: int = 0
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class AccessList:
    """A list of one family, in order. First match decides; what no entry matches is denied."""

    name: str
    family: Family
    kind: ListKind
    lines: tuple[Entry | Remark, ...]
    span: Span = NOWHERE

    @property
    def entries(self) -> tuple[Entry, ...]:
        """The lines that decide."""
        return tuple(line for line in self.lines if isinstance(line, Entry))


@dataclass(frozen=True, slots=True)
class NetworkGroup:
    """``object-group network``: named addresses, with the names of nested groups."""

    name: str
    addresses: AddressSet
    members: tuple[AddressSet | str, ...] = ()
    description: str = ""
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class ServiceGroup:
    """``object-group service``: named protocols, ports and ICMP types."""

    name: str
    matches: tuple[Match, ...]
    members: tuple[Match | str, ...] = ()
    description: str = ""
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class TimeRange:
    """``time-range``: minutes of the week, minutes since 1970; None is always. Both must hold."""

    name: str
    week_minutes: IntegerSet | None = None
    date_minutes: IntegerSet | None = None
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class Binding:
    """``ip access-group LIST in``: the list decides what crosses the interface."""

    interface: str
    direction: Direction
    family: Family
    access_list: str
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class ListUse:
    """A list named elsewhere: ``purpose`` says by what (access-class, route-map, NAT …)."""

    access_list: str
    purpose: str
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class Device:
    """What of a whole configuration has to do with packets.

    ``lists`` holds IPv4 and IPv6 lists; a name may occur once in each family.
    ``interfaces`` are all interfaces of the configuration, bound or not.
    ``features`` names what changes packets elsewhere (``"nat inside source"``).
    """

    source: str
    lists: tuple[AccessList, ...]
    bindings: tuple[Binding, ...] = ()
    uses: tuple[ListUse, ...] = ()
    network_groups: tuple[NetworkGroup, ...] = ()
    service_groups: tuple[ServiceGroup, ...] = ()
    time_ranges: tuple[TimeRange, ...] = ()
    interfaces: tuple[str, ...] = ()
    features: tuple[Clause, ...] = ()
    skipped_lines: int = 0
    hostname: str = ""
    lines: tuple[str, ...] = field(default=(), repr=False, compare=False)
    """The source's text, for messages that quote it."""

    def find(self, name: str, family: Family | None = None) -> AccessList | None:
        """The list of that name (and family), or None."""
        for access_list in self.lists:
            if access_list.name == name and family in (None, access_list.family):
                return access_list
        return None
