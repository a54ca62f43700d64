"""What is known of a network while the lines of its configuration are read."""

from __future__ import annotations

from typing import NamedTuple

from compiler.dialects.ios.state import State
from compiler.dialects.ios.words import Fault
from compiler.policy.network import InterfaceAddress, NatSide, Prefix, Route, StaticTranslation
from compiler.policy.stateful import AddressRange
from compiler.source import Span

__all__ = [
    "DynamicDraft",
    "EntryDraft",
    "Given",
    "InterfaceDraft",
    "MapDraft",
    "MapLine",
    "NetworkState",
    "Pool",
    "RouteKey",
]


class Given(NamedTuple):
    """An address of an interface, and where it stands."""

    address: InterfaceAddress
    span: Span


class InterfaceDraft:
    """An interface whose lines are being read. ``mtu`` and ``ip_mtu`` are None until they are given."""

    def __init__(self, name: str, span: Span) -> None:
        self.name = name
        self.span = span
        self.primary: Given | None = None
        self.secondaries: list[Given] = []
        self.six: list[Given] = []
        self.enabled = True
        self.mtu: int | None = None
        self.ip_mtu: int | None = None
        self.ip_mtu_span = span
        self.nat: NatSide | None = None
        self.policy = ""
        self.policy_span = span
        self.unreachables = True
        self.comment = ""

    def given(self) -> list[Given]:
        """All addresses, the primary first."""
        return [*([self.primary] if self.primary else []), *self.secondaries, *self.six]


class RouteKey(NamedTuple):
    """What makes a static route another one: IOS replaces a route of the same key."""

    prefix: Prefix
    address: int | None
    interface: str


class MapLine(NamedTuple):
    """A line of a route map; it is read when it is known what the map is for."""

    number: int
    text: str
    words: list[str]


class EntryDraft:
    """One sequence of a route map."""

    def __init__(self, *, permits: bool, span: Span) -> None:
        self.permits = permits
        self.span = span
        self.lines: list[MapLine] = []


class MapDraft(NamedTuple):
    """A route map: entries by sequence."""

    name: str
    span: Span
    entries: dict[int, EntryDraft]


class Pool(NamedTuple):
    """``ip nat pool``."""

    addresses: AddressRange
    span: Span


class DynamicDraft(NamedTuple):
    """``ip nat inside source list|route-map``: the pool is a name still."""

    access_list: str
    route_map: str
    pool: str
    interface: str
    overload: bool
    span: Span


class NetworkState(State):
    """The drafts of everything, beside the current line."""

    def __init__(self, text: str, source: str) -> None:
        super().__init__(text, source, bound=True)
        depths = [len(line) - len(line.lstrip()) for line in self.lines if line.strip() and line.strip()[0] != "!"]
        self.base = min(depths, default=0)
        self.ports: dict[str, InterfaceDraft] = {}
        self.routes: dict[RouteKey, Route] = {}
        self.maps: dict[str, MapDraft] = {}
        self.statics: dict[StaticTranslation, StaticTranslation] = {}
        self.dynamics: dict[tuple[str, str], DynamicDraft] = {}
        self.pools: dict[str, Pool] = {}
        self.name_servers: list[int] = []
        self.multipath_policy = "l3"

    def line_span(self) -> Span:
        """The place of the whole current line."""
        return self.span(0, len(self.text.split()))

    def fault_at(self, span: Span, message: str, index: int, count: int = 1) -> None:
        """Keep an error of an earlier line."""
        text = self.lines[span.line - 1]
        self.errors.append(Fault(message, index, count).as_error(self.source, span.line, text))
