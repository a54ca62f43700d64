"""The stateless part of a rule as one Python expression: the same meaning as ``policy.packet.matches``, compiled.

A match is decided millions of times in a run; walking its sixteen fields each
time costs ten times as much as an expression over the fields that it names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache

from compiler.addresses import AddressSet
from compiler.integers import IntegerSet
from compiler.policy.match import InterfaceSet, Match
from compiler.simulator.frame import Datagram

__all__ = ["Moment", "Predicate", "predicate"]

Moment = tuple[int, int]
"""Minute of the week and minute since 1970, in the device's own time."""

Predicate = Callable[[Datagram, str, str, Moment], bool]
"""Of a datagram, the names of ingress and egress, and the moment."""

_LONGEST = 8
"""Intervals written as comparisons; more are looked up in the set."""

_FIELDS = {
    "protocol": "d.protocol",
    "source_port": "d.source_port",
    "destination_port": "d.destination_port",
    "tcp_flags": "d.tcp_flags",
    "icmp_type": "d.icmp_type",
    "icmp_code": "d.icmp_code",
    "traffic_class": "d.traffic_class",
    "ttl": "d.ttl",
    "week_minute": "now[0]",
    "date_minute": "now[1]",
}


@lru_cache(maxsize=1 << 14)
def predicate(match: Match, *, reads_payload: bool = False) -> Predicate:
    """Whether a datagram lies in the match.

    With ``reads_payload`` a layer-4 condition is asked of later fragments too
    (nft: of whatever octets stand there): the caller has put them into the fields.
    """
    names: dict[str, object] = {}
    conditions = list(_conditions(match, names, reads_payload=reads_payload))
    if not conditions:
        return _always
    source = f"lambda d, i, e, now: {' and '.join(conditions)}"
    made: Predicate = eval(source, names)  # our own text: fields and numbers only
    return made


def _always(_datagram: Datagram, _ingress: str, _egress: str, _now: Moment) -> bool:
    return True


def _conditions(match: Match, names: dict[str, object], *, reads_payload: bool) -> Iterator[str]:
    if match.family is not None:
        yield f"d.family == {int(match.family)}"
    payload = reads_payload and match.looks_at_layer4
    if match.noninitial is not None and not payload:
        yield "d.fragment_offset > 0" if match.noninitial else "d.fragment_offset == 0"
    for interfaces, name in ((match.ingress, "i"), (match.egress, "e")):
        if interfaces is not None:
            yield _interface(interfaces, name, names)
    for field, expression in _FIELDS.items():
        values: IntegerSet | None = getattr(match, field)
        if values is not None:
            yield _integers(values, expression, names)
    for field in ("source", "destination"):
        addresses: AddressSet | None = getattr(match, field)
        if addresses is not None:
            width = f"d.family == {4 if addresses.width == 32 else 6}"
            yield f"{width} and {_addresses(addresses, f'd.{field}', names)}"


def _kept(value: object, names: dict[str, object]) -> str:
    name = f"kept{len(names)}"
    names[name] = value
    return name


def _interface(interfaces: InterfaceSet, name: str, names: dict[str, object]) -> str:
    if any(one.endswith("*") for one in interfaces.names):
        return f"{_kept(interfaces.contains, names)}({name})"
    said = "not in" if interfaces.negated else "in"
    return f"{name} {said} {_kept(interfaces.names, names)}"


def _integers(values: IntegerSet, expression: str, names: dict[str, object]) -> str:
    if len(values.intervals) > _LONGEST:
        return f"{_kept(values.contains, names)}({expression})"
    if not values.intervals:
        return "False"
    return "(" + " or ".join(_interval(low, high, expression) for low, high in values.intervals) + ")"


def _interval(low: int, high: int, expression: str) -> str:
    return f"{expression} == {low}" if low == high else f"{low} <= {expression} <= {high}"


def _addresses(addresses: AddressSet, expression: str, names: dict[str, object]) -> str:
    wildcard = addresses.as_wildcard()
    if wildcard is not None:
        if not wildcard.mask:
            return f"{expression} == {wildcard.value}"
        care = ~wildcard.mask & (1 << addresses.width) - 1
        return f"{expression} & {care} == {wildcard.value}"
    return f"{_kept(addresses.contains, names)}({expression})"
