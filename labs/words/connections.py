"""Words about connections: whether they came about, and as whom the server saw them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

from compiler.addresses import AddressSet, Wildcard, format_address, parse_address
from compiler.simulator.applications.outcome import ConnectionRecord
from compiler.simulator.sockets import Endpoint, FailureKind
from compiler.testing.dynamic.shares import astray
from labs.observation import Observation
from labs.topology import Lab
from labs.words.showing import came_through, counted, fate, plain_address, several, show_endpoint, show_record
from labs.words.word import ArgumentKind, Arguments, Judged, Parameter, Word, matching, within

__all__ = ["WORDS", "address_set"]

Entry = tuple[str, ConnectionRecord]

_SILENT = frozenset({FailureKind.TIMED_OUT})
_REPORTED = frozenset({FailureKind.PROHIBITED, FailureKind.UNREACHABLE})

TRAFFIC = Parameter(ArgumentKind.TRAFFIC, required=True)
TIME = Parameter(ArgumentKind.DURATION)
WINDOW = {"traffic": TRAFFIC, "after": TIME, "before": TIME}


def address_set(texts: tuple[str, ...], width: int) -> AddressSet:
    """Addresses (``10.0.0.1``), networks (``10.0.0.0/24``) and wildcards (``172.16.6.0 0.0.0.252``) of one family.

    ValueError where one of them, of whatever family, is none of these.
    """
    found = []
    for text in texts:
        own, described = _described(text)
        if own == width:
            found.append(described)
    return AddressSet.of(width, (), found)


def _described(text: str) -> tuple[int, Wildcard]:
    """Width and addresses of one of them. ValueError when it is none."""
    address, slash, length = (part.strip() for part in text.partition("/"))
    mask = ""
    if not slash:
        address, _, mask = (part.strip() for part in text.strip().partition(" "))
    value, width = parse_address(address)
    if slash:
        if not (length.isascii() and length.isdecimal() and len(length) <= 3 and int(length) <= width):
            raise ValueError(f"{text!r}: expected a prefix length from 0 to {width}, not {length!r}")
        return width, Wildcard.prefix(value, int(length), width)
    wild, own = parse_address(mask) if mask else (0, width)
    if own != width:
        raise ValueError(f"{text!r}: address and wildcard are of two families")
    return width, Wildcard.of(value, wild, width)


def _entries(observation: Observation, arguments: Arguments) -> Iterator[Entry]:
    for outcome in matching(observation, arguments.text("traffic")):
        for record in outcome.connections:
            if within(record, arguments):
                yield outcome.traffic, record


def _all_are(
    observation: Observation, arguments: Arguments, right: Callable[[ConnectionRecord], bool], said: str
) -> Judged:
    """Whether each connection is as it should be: the message names those that are not."""
    entries = list(_entries(observation, arguments))
    pattern = arguments.text("traffic")
    if not entries:
        return Judged(False, f"{pattern} made no connection in that time, so none was {said}")
    wrong = [show_record(*entry) for entry in entries if not right(entry[1])]
    if wrong:
        return Judged(False, f"{counted(len(wrong), 'connection')} of {len(entries):,} not {said}: {several(wrong)}")
    ways = Counter(fate(record) for _, record in entries if record.failure is not None or not came_through(record))
    how = f" ({several([f'{count:,} {way}' for way, count in ways.most_common()])})" if ways else ""
    return Judged(True, f"{counted(len(entries), 'connection')} of {pattern} {said}{how}")


def _connected(_: Lab, observation: Observation, arguments: Arguments) -> Judged:
    return _all_are(observation, arguments, lambda record: record.connected is not None, "connected")


def _answered(_: Lab, observation: Observation, arguments: Arguments) -> Judged:
    detail = arguments.text("with")
    said = f"answered with {detail!r}" if detail else "answered"
    return _all_are(
        observation,
        arguments,
        lambda record: record.failure is None and came_through(record) and detail in record.detail,
        said,
    )


def _refused(_: Lab, observation: Observation, arguments: Arguments) -> Judged:
    return _all_are(observation, arguments, lambda record: _kind(record) is FailureKind.REFUSED, "refused")


def _filtered(_: Lab, observation: Observation, arguments: Arguments) -> Judged:
    how = arguments.text("how", "any")
    said = {"any": "filtered", "silent": "filtered in silence", "reported": "filtered with an ICMP error"}[how]
    return _all_are(observation, arguments, lambda record: is_filtered(record, how), said)


def is_filtered(record: ConnectionRecord, how: str = "any") -> bool:
    """Whether nothing came back, or an ICMP error that says prohibited or unreachable."""
    if came_through(record):
        return False
    kind = _kind(record)
    silent = kind is None or kind in _SILENT
    return silent if how == "silent" else kind in _REPORTED if how == "reported" else silent or kind in _REPORTED


def _failed(_: Lab, observation: Observation, arguments: Arguments) -> Judged:
    return _all_are(
        observation, arguments, lambda record: record.failure is not None or not came_through(record), "failed"
    )


def _kind(record: ConnectionRecord) -> FailureKind | None:
    return record.failure.kind if record.failure else None


def _connected_only(_: Lab, observation: Observation, arguments: Arguments) -> Judged:
    """Exactly the clients outside ``except`` (or inside ``to``) connected; the others were filtered."""
    entries = list(_entries(observation, arguments))
    pattern = arguments.text("traffic")
    if not entries:
        return Judged(False, f"{pattern} made no connection in that time")
    excluded = arguments.texts("except")
    named = excluded or arguments.texts("to")
    sets = {width: address_set(named, width) for width in (32, 128)}
    wrong, through = [], 0
    for traffic, record in entries:
        inside = sets[record.client.family.width].contains(record.client.address)
        should = inside != bool(excluded)
        through += should
        if (record.connected is not None) != should or not (should or is_filtered(record)):
            wanted = "should have connected" if should else "should have been filtered"
            wrong.append(f"{show_record(traffic, record)}, {wanted}")
    if wrong:
        return Judged(False, f"{len(wrong):,} of {len(entries):,} wrong: {several(wrong)}")
    return Judged(True, f"{through:,} connected, {len(entries) - through:,} filtered: exactly the right ones")


# -- translations -------------------------------------------------------------------


def _seen_as(_: Lab, observation: Observation, arguments: Arguments) -> Judged:
    allowed = {width: address_set(arguments.texts("address"), width) for width in (32, 128)}
    kept = arguments.text("port") == "kept"
    entries = [entry for entry in _entries(observation, arguments) if entry[1].seen_as is not None]
    pattern = arguments.text("traffic")
    if not entries:
        return Judged(False, f"no server saw a connection of {pattern}")
    wrong = []
    for traffic, record in entries:
        seen = record.seen_as
        assert seen is not None
        if not allowed[seen.family.width].contains(seen.address) or (kept and seen.port != record.client.port):
            wrong.append(f"{traffic}#{record.index} {show_endpoint(record.client)} seen as {show_endpoint(seen)}")
    if wrong:
        return Judged(False, f"{len(wrong):,} of {len(entries):,} seen as another: {several(wrong)}")
    seen_as = sorted({_address(record.seen_as) for _, record in entries if record.seen_as})
    return Judged(True, f"{counted(len(entries), 'connection')} of {pattern} seen as {', '.join(seen_as)}")


def _split(_: Lab, observation: Observation, arguments: Arguments) -> Judged:
    """Connections by the address that servers saw, each address with its share within ``within`` connections."""
    over = tuple(map(plain_address, arguments.texts("over")))
    counts: Counter[str] = Counter()
    for _traffic, record in _entries(observation, arguments):
        if record.seen_as is not None:
            counts[_address(record.seen_as)] += 1
    total = sum(counts.values())
    found = ", ".join(f"{address} {counts[address]:,}" for address in (*over, *sorted(set(counts) - set(over))))
    if not total:
        return Judged(False, f"no server saw a connection of {arguments.text('traffic')}")
    strangers = set(counts) - set(over)
    limit = arguments.integer("within") or 0
    even = all(abs(counts[address] - total / len(over)) <= limit + (total % len(over) > 0) for address in over)
    return Judged(even and not strangers, f"{counted(total, 'connection')}: {found}")


def _sticky(_: Lab, observation: Observation, arguments: Arguments) -> Judged:
    """Each client keeps one address in the eyes of the servers."""
    entries = [record for _, record in _entries(observation, arguments) if record.seen_as is not None]
    if not entries:
        return Judged(False, f"no server saw a connection of {arguments.text('traffic')}")
    width = entries[0].client.family.width
    clients = {record.client.address for record in entries}
    ways = astray((record.client.address, _address(record.seen_as)) for record in entries)
    moved = [
        f"{format_address(client, width)} as {' and '.join(sorted(several_addresses))}"
        for client, several_addresses in sorted(ways.items())
    ]
    if moved:
        return Judged(False, f"{counted(len(moved), 'client')} seen under several addresses: {several(moved)}")
    return Judged(True, f"{counted(len(clients), 'client')} kept one address each")


def _address(endpoint: Endpoint | None) -> str:
    return format_address(endpoint.address, endpoint.family.width) if endpoint else "?"


_ADDRESSES = Parameter(ArgumentKind.ADDRESSES)

WORDS: dict[str, Word] = {
    "connected": Word("each connection came about", "traffic", WINDOW, _connected),
    "answered": Word(
        "each question was answered (DNS, ping, HTTP)",
        "traffic",
        WINDOW | {"with": Parameter(ArgumentKind.TEXT)},
        _answered,
    ),
    "refused": Word("each connection was refused: a reset, or port unreachable", "traffic", WINDOW, _refused),
    "filtered": Word(
        "each connection was filtered: no answer, or an ICMP error",
        "traffic",
        WINDOW | {"how": Parameter(ArgumentKind.TEXT, choices=("any", "silent", "reported"))},
        _filtered,
    ),
    "failed": Word("each connection failed, in whatever way", "traffic", WINDOW, _failed),
    "connected_only": Word(
        "exactly these clients connected, and the others were filtered",
        "traffic",
        WINDOW | {"to": _ADDRESSES, "except": _ADDRESSES},
        _connected_only,
    ),
    "seen_as": Word(
        "servers saw the connections come from these addresses",
        "traffic",
        WINDOW
        | {
            "address": Parameter(ArgumentKind.ADDRESSES, required=True),
            "port": Parameter(ArgumentKind.TEXT, choices=("kept", "any")),
        },
        _seen_as,
    ),
    "split": Word(
        "the connections share these addresses evenly",
        "traffic",
        WINDOW
        | {
            "over": Parameter(ArgumentKind.ADDRESSES, required=True),
            "within": Parameter(ArgumentKind.INTEGER),
        },
        _split,
    ),
    "sticky": Word("each client keeps one address in the eyes of the servers", "traffic", WINDOW, _sticky),
}
