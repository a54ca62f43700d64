"""What rules ask of a router's memory, and what they change: connections, marks, counters, translations.

Proofs treat all of it as clauses outside the model; the simulator runs it. A
:class:`~compiler.policy.access_list.Clause` carries its meaning from here when
its configuration was read with ``unmodelled="simulate"``. The order of a rule's
clauses is the order in which the device looks at them.

Marks are numbers in Linux and names in RouterOS, where ``""`` is no mark.
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from compiler.fields import Family
from compiler.integers import IntegerSet

__all__ = [
    "AddToSet",
    "AddressKind",
    "AddressRange",
    "AssignHelper",
    "ChangeField",
    "ClampSegment",
    "Condition",
    "Counter",
    "DirectionIs",
    "Effect",
    "Evaluate",
    "Hash",
    "HelperIs",
    "InSet",
    "LengthIn",
    "Limit",
    "LocalAddress",
    "MarkIn",
    "MarkNamed",
    "MarkValue",
    "Meaning",
    "Number",
    "NumberIn",
    "Numbered",
    "RandomNumber",
    "Reflect",
    "Register",
    "SetMark",
    "SkipFirewall",
    "State",
    "StateIn",
    "StatusIs",
    "Translate",
    "Translation",
    "Untrack",
]


class State(Enum):
    """What connection tracking says of a packet (Linux ``ct state``, RouterOS ``connection-state``)."""

    NEW = "new"
    ESTABLISHED = "established"
    RELATED = "related"
    INVALID = "invalid"
    UNTRACKED = "untracked"


class Register(Enum):
    """Where a mark is kept."""

    PACKET = "packet"
    """The packet's own mark; gone when it leaves the router (skb mark, RouterOS ``packet-mark``)."""
    CONNECTION = "connection"
    ROUTING = "routing"
    """RouterOS's ``routing-mark``: the table to look in."""


# -- numbers ------------------------------------------------------------------------


class Counter(NamedTuple):
    """``numgen inc mod M offset O``, RouterOS ``nth``: 0 to M-1 in turn, plus O. Each rule has its own."""

    modulus: int
    offset: int = 0


class RandomNumber(NamedTuple):
    """``numgen random mod M offset O``."""

    modulus: int
    offset: int = 0


class Hash(NamedTuple):
    """The kernel's jhash over the fields, one after the other in network order, mod M, plus O.

    ``fields`` are names of :class:`~compiler.policy.packet.Packet` (``source``,
    ``destination_port`` …). ``seed`` is None where the device draws it at boot.
    ``per_connection`` is RouterOS's per-connection-classifier: its key has no
    padding between fields, and ports count only where the protocol has them.
    """

    fields: tuple[str, ...]
    modulus: int
    seed: int | None = None
    offset: int = 0
    per_connection: bool = False


Number = Counter | RandomNumber | Hash

# -- conditions ---------------------------------------------------------------------


class StateIn(NamedTuple):
    """The packet's state is one of these."""

    states: frozenset[State]


class StatusIs(NamedTuple):
    """``ct status`` and RouterOS ``connection-nat-state``: bits that must be set, or clear."""

    bits: frozenset[str]
    """Of ``snat``, ``dnat``, ``seen-reply``, ``assured``, ``confirmed``, ``expected``, ``dying``: any of them."""
    negated: bool = False


class DirectionIs(NamedTuple):
    """The packet goes the way of the connection's first packet, or the other way."""

    original: bool


class MarkIn(NamedTuple):
    """``(mark & mask)`` lies in the set."""

    register: Register
    values: IntegerSet
    mask: int = 0xFFFFFFFF


class MarkNamed(NamedTuple):
    """RouterOS: the mark has this name; ``""`` asks for no mark."""

    register: Register
    name: str
    negated: bool = False


class NumberIn(NamedTuple):
    """The number, drawn now, lies in the set."""

    number: Number
    values: IntegerSet


class Limit(NamedTuple):
    """A token bucket that holds ``burst`` packets (or octets) and gets ``amount`` more each ``period`` nanoseconds.

    It is full at first. Holds while there are tokens; with ``over`` when there are none.
    """

    amount: int
    period: int
    burst: int
    over: bool = False
    octets: bool = False


class AddressKind(Enum):
    """What an address is to this router (``fib daddr type``, RouterOS ``dst-address-type``)."""

    LOCAL = "local"
    UNICAST = "unicast"
    BROADCAST = "broadcast"
    MULTICAST = "multicast"
    BLACKHOLE = "blackhole"
    UNREACHABLE = "unreachable"
    PROHIBIT = "prohibit"


class LocalAddress(NamedTuple):
    """``field`` (``source`` or ``destination``) is an address of one of these kinds."""

    field: str
    kinds: frozenset[AddressKind]
    negated: bool = False


class LengthIn(NamedTuple):
    """The packet's length in octets, IP header included, lies in the set."""

    values: IntegerSet


class HelperIs(NamedTuple):
    """The connection was expected by a helper of that name (``connection-type=ftp``)."""

    name: str
    negated: bool = False


class InSet(NamedTuple):
    """The address in ``field`` is now a member of a set that rules fill."""

    table: str
    name: str
    field: str
    negated: bool = False


class Evaluate(NamedTuple):
    """Cisco ``evaluate``: the packet is an answer that the reflexive list of that name now permits.

    Source and destination (with ports, or the ICMP identifier) stand the other
    way round than in the packet that :class:`Reflect` saw. A packet that the
    list does not permit goes on to the next entry.
    """

    name: str


Condition = (
    StateIn
    | StatusIs
    | DirectionIs
    | MarkIn
    | MarkNamed
    | NumberIn
    | Limit
    | LocalAddress
    | LengthIn
    | HelperIs
    | InSet
    | Evaluate
)

# -- effects ------------------------------------------------------------------------


class MarkValue(NamedTuple):
    """``(register & mask) ^ flip``: a mark taken from another, as ``ct mark and 0xff`` does."""

    register: Register
    mask: int = 0xFFFFFFFF
    flip: int = 0


class Numbered(NamedTuple):
    """A number, drawn now, or what ``table`` maps it to; a number that the table lacks ends the rule."""

    number: Number
    table: tuple[tuple[IntegerSet, int], ...] = ()


class SetMark(NamedTuple):
    """``register = (register & ~mask) ^ value``: the bits outside ``mask`` stay."""

    register: Register
    value: int | str | MarkValue | Numbered
    mask: int = 0xFFFFFFFF


class Translation(Enum):
    """Which address changes."""

    SOURCE = "snat"
    DESTINATION = "dnat"
    MASQUERADE = "masquerade"
    """The source becomes the address of the interface that the packet leaves by."""
    REDIRECT = "redirect"
    """The destination becomes the router itself."""
    NETMAP_SOURCE = "netmap-source"
    """One to one: the network part changes, the host part stays."""
    NETMAP_DESTINATION = "netmap-destination"


class AddressRange(NamedTuple):
    """First and last address, both included."""

    family: Family
    first: int
    last: int


class Translate(NamedTuple):
    """Translate this connection, and leave the chain (its first packet decides).

    ``addresses`` may be chosen by ``number`` (``dnat to numgen inc mod 2 map``):
    then the table maps each number to an address. ``ports`` are first and last.
    """

    kind: Translation
    addresses: tuple[AddressRange, ...] = ()
    ports: tuple[int, int] | None = None
    persistent: bool = False
    """The same client gets the same address of the range (``persistent``, RouterOS ``same``)."""
    random: bool = False
    number: Number | None = None
    table: tuple[tuple[IntegerSet, AddressRange], ...] = ()


class Untrack(NamedTuple):
    """``notrack``: connection tracking shall not look at the packet."""


class SkipFirewall(NamedTuple):
    """RouterOS ``fasttrack-connection``: later packets of the connection meet neither chains nor marks."""


class ChangeField(NamedTuple):
    """Rewrite a header field: ``traffic_class`` under ``mask``, or ``ttl``; ``step`` adds instead of setting."""

    field: str
    value: int
    mask: int = 0xFF
    step: bool = False


class ClampSegment(NamedTuple):
    """Lower the MSS option of SYN packets: to ``size``, or to the route's MTU when None."""

    size: int | None = None


class AddToSet(NamedTuple):
    """Put the address in ``field`` into a set for ``timeout`` nanoseconds (0: for good)."""

    table: str
    name: str
    field: str
    timeout: int = 0
    refresh: bool = True
    """An entry that is there already starts anew (``update``, RouterOS), or not (``add``)."""
    remove: bool = False


class AssignHelper(NamedTuple):
    """``ct helper set``: watch the connection for others that it announces (``ftp``)."""

    name: str


class Reflect(NamedTuple):
    """Cisco ``reflect``: the reflexive list of that name permits the answers to this packet.

    An entry goes after ``timeout`` nanoseconds without a packet of its
    connection; each packet that matches here or there starts the time anew.
    Cisco IOS ends those of TCP five seconds after two FIN, and at once after RST
    ("Configuring IP Session Filtering").
    """

    name: str
    timeout: int = 300_000_000_000


Effect = SetMark | Translate | Untrack | SkipFirewall | ChangeField | ClampSegment | AddToSet | AssignHelper | Reflect

Meaning = Condition | Effect
