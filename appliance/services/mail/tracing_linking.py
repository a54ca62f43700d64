"""Events to traces: which lines of all daemons are about one message.

A message has one queue id while Postfix has it, but queue ids are used again,
and a message gets another one when it is put in the queue anew, when a reader's
rule sends it on, and for the notification to its sender. What belongs together
is found by Message-ID, by the queue ids that a line links, and by the session
of LMTP. The order of lines of different messages does not matter.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from appliance.services.mail.tracing_event import Event, Step

__all__ = ["Trace", "traces_of"]

_ORDER = {step: place for place, step in enumerate(Step)}
_POSTFIX_ENDS = frozenset({Step.DONE, Step.REMOVED, Step.REQUEUED})
_Ranked = tuple[object, int, Event]
"""What it belongs to, its place among what happened in the same second, and the event."""
_BEFORE = 5.0
"""Seconds that clocks and log buffers of two daemons may be apart."""


@dataclass(frozen=True, slots=True)
class Trace:
    """All that is known of one message, in the order of time."""

    events: tuple[Event, ...]

    @property
    def began(self) -> float:
        """When it was first seen."""
        return self.events[0].at

    @property
    def message_id(self) -> str:
        """The first Message-ID, or an empty text: a refused message has none."""
        return next((event.message_id for event in self.events if event.message_id), "")

    @property
    def queue_ids(self) -> tuple[str, ...]:
        """In the order in which they were used."""
        return tuple(dict.fromkeys(event.queue_id for event in self.events if event.queue_id))

    @property
    def sender(self) -> str:
        """Of the first that has one: its notification comes later."""
        return next((event.sender for event in self.events if event.sender), "")


def traces_of(events: Iterable[Event]) -> list[Trace]:
    """The traces, the newest first. The events of one daemon come in the order in which it wrote them."""
    groups = _Groups()
    lives: dict[str, list[_Life]] = defaultdict(list)
    others: list[Event] = []
    fetched: list[Event] = []
    for event in events:
        if event.step is Step.FETCHED:
            fetched.append(event)
        elif event.queue_id and event.daemon != "rspamd":
            _lived(event, lives[event.queue_id])
        else:
            others.append(event)
    kept: list[_Ranked] = []
    for queue_id, several in lives.items():
        for place, life in enumerate(several):
            node: object = ("queue", queue_id, place)
            for rank, event in life.ranked():
                groups.join(node, *_nodes(event))
                kept.append((node, rank, event))
    # Linked ids last: now it is known which use of the id is meant.
    for node, _rank, event in kept:
        if event.linked and (linked := _nearest(lives.get(event.linked, []), event.at)) is not None:
            groups.join(node, ("queue", event.linked, linked))
    for number, event in enumerate(others):
        kept.append((_placed(event, number, lives, groups), _ORDER[event.step], event))
    return [_with_fetching(trace, fetched) for trace in _gathered(kept, groups)]


class _Life:
    """One use of a queue id: from its first line to the one that says that it has left."""

    __slots__ = ("ended", "events")

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.ended = False

    def ranked(self) -> Iterator[tuple[int, Event]]:
        """Of one second the order of things counts, but Postfix's lines stay as they were written."""
        second, rank = 0, 0
        for event in self.events:
            rank = max(rank, _ORDER[event.step]) if int(event.at) == second else _ORDER[event.step]
            second = int(event.at)
            yield rank, event


def _lived(event: Event, lives: list[_Life]) -> None:
    if not lives or lives[-1].ended:
        lives.append(_Life())
    lives[-1].events.append(event)
    lives[-1].ended = event.step in _POSTFIX_ENDS


def _nodes(event: Event) -> list[tuple[str, str]]:
    nodes = []
    if event.message_id:
        nodes.append(("message", event.message_id))
    # A session of LMTP is one message; in one of IMAP a reader deletes many.
    if event.session and event.daemon == "lmtp":
        nodes.append(("session", event.session))
    return nodes


def _placed(event: Event, number: int, lives: dict[str, list[_Life]], groups: _Groups) -> object:
    """Where an event of another daemon than Postfix belongs."""
    nodes: list[tuple[object, ...]] = [*_nodes(event)]
    if event.queue_id and (nearest := _nearest(lives.get(event.queue_id, []), event.at)) is not None:
        nodes.append(("queue", event.queue_id, nearest))
    elif event.queue_id:
        nodes.append(("queue", event.queue_id, -1))
    if event.step is Step.REFUSED and not nodes:
        # One client that tries the same again and again.
        nodes.append(("refused", event.sender, event.recipient, event.reason))
    node: tuple[object, ...] = nodes[0] if nodes else ("alone", number)
    groups.join(node, *nodes[1:])
    return node


def _nearest(lives: Sequence[_Life], at: float) -> int | None:
    """The use of a queue id in which this moment lies, or that is nearest to it."""
    if not lives:
        return None

    def distance(place: int) -> float:
        first, last = lives[place].events[0].at - _BEFORE, lives[place].events[-1].at + _BEFORE
        return max(0.0, first - at, at - last)

    return min(range(len(lives)), key=lambda place: (distance(place), -place))


class _Groups:
    """Union and find (Tarjan), with paths halved."""

    def __init__(self) -> None:
        self._above: dict[object, object] = {}

    def find(self, node: object) -> object:
        above = self._above
        above.setdefault(node, node)
        while above[node] != node:
            above[node] = above[above[node]]
            node = above[node]
        return node

    def join(self, first: object, *others: object) -> None:
        root = self.find(first)
        for other in others:
            self._above[self.find(other)] = root


def _gathered(kept: Iterable[_Ranked], groups: _Groups) -> list[Trace]:
    gathered: dict[object, list[_Ranked]] = defaultdict(list)
    for one in kept:
        gathered[groups.find(one[0])].append(one)
    traces = []
    for several in gathered.values():
        # Only some daemons write parts of a second.
        several.sort(key=lambda one: (int(one[2].at), one[1]))
        traces.append(Trace(tuple(_once(event for _node, _rank, event in several))))
    return sorted(traces, key=lambda trace: (-trace.began, trace.queue_ids, trace.message_id))


def _once(events: Iterable[Event]) -> Iterator[Event]:
    """Dovecot says twice that it has put a message into a folder: its delivery, and the plugin mail_log."""
    stored: set[tuple[str, str, str]] = set()
    for event in events:
        if event.step is Step.STORED:
            what = (event.who, event.folder, event.session)
            if what in stored:
                continue
            stored.add(what)
        yield event


def _with_fetching(trace: Trace, fetched: Sequence[Event]) -> Trace:
    """With the first time that each of its readers has fetched mail by POP3 since it lay in the inbox."""
    arrived = {event.who: event.at for event in reversed(trace.events) if event.step is Step.STORED and _inbox(event)}
    more = []
    for who, since in arrived.items():
        gone = min((one.at for one in trace.events if one.step is Step.EXPUNGED and one.who == who), default=None)
        for event in fetched:
            if event.who == who and event.at >= since and (gone is None or event.at <= gone + _BEFORE):
                more.append(event)
                break
    return Trace(tuple(sorted((*trace.events, *more), key=lambda one: int(one.at)))) if more else trace


def _inbox(event: Event) -> bool:
    return event.folder.upper() == "INBOX"
