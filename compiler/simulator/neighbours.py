"""Neighbours on a link: who has which address, by ARP and neighbour discovery.

The states are Linux's (``net/core/neighbour.c``), simplified: REACHABLE lasts
exactly 30 s (Linux: 15 to 45, drawn at random) and is confirmed by answers
only, not by the progress of TCP; STALE entries never leave by age.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from enum import Enum

from compiler.fields import ICMPV6, Family
from compiler.simulator.engine import SECOND, Engine, Timer
from compiler.simulator.frame import BROADCAST, ETHERNET, GROUP, ArpMessage, Datagram, Frame
from compiler.simulator.neighbour_messages import (
    ADVERTISEMENT,
    OVERRIDE,
    SOLICITATION,
    SOLICITED,
    SOURCE_LINK_OPTION,
    TARGET_LINK_OPTION,
    advertisement,
    arp_message,
    group_link_address,
    link_option,
    solicitation,
)
from compiler.simulator.node import Port

__all__ = ["NeighbourState", "Neighbours"]

_IPV4, _IPV6 = Family.IPV4, Family.IPV6

ATTEMPTS = 3
"""Requests before a neighbour counts as absent (mcast_solicit, ucast_solicit)."""
RETRANSMIT = SECOND
REACHABLE_TIME = 30 * SECOND
DELAY_FIRST_PROBE = 5 * SECOND
UNRESOLVED_OCTETS = 212_992
"""Room for datagrams that wait for one neighbour (Linux: unres_qlen_bytes)."""


class NeighbourState(Enum):
    """What is known of a neighbour (RFC 4861, 7.3.2)."""

    INCOMPLETE = "incomplete"
    REACHABLE = "reachable"
    STALE = "stale"
    """Known, not heard of lately: used, and asked again soon after."""
    DELAY = "delay"
    PROBE = "probe"
    """Asked again, at the address that is known."""


class _Entry:
    __slots__ = ("attempts", "family", "link", "octets", "queue", "source", "state", "timer")

    def __init__(self, family: Family, source: int) -> None:
        self.family = family
        self.state = NeighbourState.STALE
        self.link = 0
        self.source = source
        """Own address that questions come from: that of the first datagram, as with Linux's arp_announce=0."""
        self.attempts = 0
        self.queue: deque[Datagram] = deque()
        self.octets = 0
        self.timer: Timer | None = None


def _drop(_: Datagram) -> None:
    """Nobody wants to hear of datagrams whose neighbour is absent."""


class Neighbours:
    """The neighbours at one port.

    ``own`` gives the port's addresses; questions for others are not answered.
    With ``static`` there is no ARP and no discovery: an address that it lacks
    has failed at once, and messages of those protocols are not heeded.
    ``failed`` gets each datagram whose next hop did not answer three requests,
    1 s apart; ``router`` sets the flag in advertisements.

    Directed broadcasts are the caller's to know: it gives 255.255.255.255 as
    their next hop.
    """

    __slots__ = (
        "_engine",
        "_entries",
        "_own",
        "_port",
        "_resolved",
        "_room",
        "drops_queue",
        "failed",
        "is_static",
        "router",
    )

    def __init__(
        self,
        engine: Engine,
        port: Port,
        own: Callable[[], Iterable[tuple[Family, int]]],
        *,
        static: Mapping[tuple[Family, int], int] | None = None,
        failed: Callable[[Datagram], object] = _drop,
        router: bool = False,
        unresolved_octets: int = UNRESOLVED_OCTETS,
    ) -> None:
        self._engine = engine
        self._port = port
        self._own = own
        self._room = unresolved_octets
        self.failed = failed
        self.router = router
        self.is_static = static is not None
        self.drops_queue = 0
        """Datagrams that gave way to later ones while their neighbour was asked for, or went with a flush."""
        self._resolved: dict[int, int] = {}
        """Link addresses to use without a second thought, by :func:`_key`."""
        self._entries: dict[int, _Entry] = {}
        for (family, address), link in (static or {}).items():
            self._resolved[_key(family, address)] = link

    def send(self, datagram: Datagram, next_hop: int) -> None:
        """Send to the neighbour ``next_hop`` (of the datagram's family), now or when it has answered."""
        link = self._resolved.get(next_hop if datagram.family is _IPV4 else ~next_hop)
        if link is None:
            self._resolve(datagram, next_hop)
        else:
            datagram.link_destination = link
            self._port.send(datagram)

    def accepts(self, frame: Frame) -> bool:
        """Whether the frame is addressed to this port, or to a group: what a card lets through."""
        return frame.link_destination == self._port.link_address or bool(frame.link_destination & GROUP)

    def receive(self, frame: Frame) -> bool:
        """Heed an ARP or discovery message; whether it was one, and so needs nothing else done."""
        if isinstance(frame, ArpMessage):
            if not self.is_static:
                self._hear_arp(frame)
            return True
        if not isinstance(frame, Datagram) or frame.protocol != ICMPV6 or frame.family is not _IPV6:
            return False
        if frame.icmp_type not in {SOLICITATION, ADVERTISEMENT} or frame.is_fragment:
            return False
        if frame.destination >> 120 != 0xFF and not self._is_own(_IPV6, frame.destination):
            return False
        # A hop limit of 255 shows that no router has passed it on (RFC 4861, 7.1).
        if not self.is_static and frame.ttl == 255 and not frame.icmp_code and frame.data and len(frame.data) >= 16:
            self._hear_discovery(frame, frame.data)
        return True

    def link(self, family: Family, address: int) -> int | None:
        """The link address that is known, or None."""
        key = _key(family, address)
        entry = self._entries.get(key)
        if entry is not None:
            return entry.link or None
        return self._resolved.get(key)

    def state(self, family: Family, address: int) -> NeighbourState | None:
        """What is known of a neighbour; None for nothing, and for static and group addresses."""
        entry = self._entries.get(_key(family, address))
        return entry.state if entry else None

    def flush(self) -> None:
        """Forget all that was learnt, and drop what waits, as Linux does when the carrier is lost."""
        for key, entry in self._entries.items():
            self._resolved.pop(key, None)
            self.drops_queue += len(entry.queue)
            if entry.timer:
                entry.timer.stop()
        self._entries.clear()

    def announce(self) -> None:
        """Tell the link of the own addresses: gratuitous ARP (RFC 5227, 3) and unsolicited advertisements."""
        for family, address in self._own():
            if family is _IPV4:
                self._port.send(arp_message(self._port.link_address, address, address, BROADCAST, is_reply=False))
            else:
                self._advertise(address)

    # -- sending -----------------------------------------------------------------

    def _resolve(self, datagram: Datagram, next_hop: int) -> None:
        family = datagram.family
        group = group_link_address(family, next_hop)
        key = _key(family, next_hop)
        if group is not None:
            datagram.link_destination = self._resolved[key] = group
            self._port.send(datagram)
            return
        if self.is_static:
            self.failed(datagram)
            return
        entry = self._entries.get(key)
        if entry is None:
            entry = self._entries[key] = _Entry(family, self._source(datagram))
            entry.state = NeighbourState.INCOMPLETE
            self._queue(entry, datagram)
            self._ask(key, entry)
        elif entry.state is NeighbourState.INCOMPLETE:
            self._queue(entry, datagram)
        else:  # STALE: use it, and ask whether it is still there if nothing is heard for a while
            entry.source = self._source(datagram)
            entry.state = NeighbourState.DELAY
            self._resolved[key] = datagram.link_destination = entry.link
            self._wait(key, entry, DELAY_FIRST_PROBE)
            self._port.send(datagram)

    def _queue(self, entry: _Entry, datagram: Datagram) -> None:
        entry.queue.append(datagram)
        entry.octets += datagram.size + ETHERNET
        while entry.octets > self._room:
            entry.octets -= entry.queue.popleft().size + ETHERNET
            self.drops_queue += 1

    def _wait(self, key: int, entry: _Entry, delay: int) -> None:
        if entry.timer is None:
            entry.timer = Timer(self._engine, lambda: self._expired(key, entry))
        entry.timer.start(delay)

    def _expired(self, key: int, entry: _Entry) -> None:
        if entry.state is NeighbourState.REACHABLE:
            self._doubt(key, entry)
        elif entry.state is NeighbourState.DELAY:
            entry.state = NeighbourState.PROBE
            entry.attempts = 0
            self._ask(key, entry)
        elif entry.attempts < ATTEMPTS:
            self._ask(key, entry)
        else:
            del self._entries[key]
            self._resolved.pop(key, None)
            for datagram in entry.queue:
                self.failed(datagram)

    def _ask(self, key: int, entry: _Entry) -> None:
        entry.attempts += 1
        self._wait(key, entry, RETRANSMIT)
        own = self._port.link_address
        if entry.family is _IPV4:
            self._port.send(arp_message(own, entry.source, key, entry.link or BROADCAST, is_reply=False))
        else:
            self._port.send(solicitation(own, entry.source, ~key, entry.link))

    def _source(self, datagram: Datagram) -> int:
        own = [address for family, address in self._own() if family is datagram.family]
        if datagram.source in own:
            return datagram.source
        return own[0] if own else 0

    def _is_own(self, family: Family, address: int) -> bool:
        return (family, address) in self._own()

    # -- hearing -----------------------------------------------------------------

    def _hear_arp(self, message: ArpMessage) -> None:
        """RFC 826 as Linux does it (``arp_process``): only questions to this port make new entries."""
        if message.sender_link & GROUP or self._is_own(_IPV4, message.sender):
            return  # nonsense, or somebody claims this port's address
        for_us = self._is_own(_IPV4, message.target)
        if not message.is_reply and for_us:
            if message.sender:
                self._learn(_IPV4, message.sender, message.sender_link, create=True, confirmed=False)
            own, to = self._port.link_address, message.sender_link
            self._port.send(arp_message(own, message.target, message.sender, to, is_reply=True, target_link=to))
        elif message.sender:
            confirmed = message.is_reply and for_us
            self._learn(_IPV4, message.sender, message.sender_link, create=False, confirmed=confirmed)

    def _hear_discovery(self, message: Datagram, data: bytes) -> None:
        """RFC 4861, 7.2.3 to 7.2.5."""
        target = int.from_bytes(data[:16])
        if message.icmp_type == SOLICITATION:
            if not self._is_own(_IPV6, target):
                return
            link = link_option(data[16:], SOURCE_LINK_OPTION)
            if not message.source:  # duplicate address detection: tell everybody
                self._advertise(target)
                return
            if link is not None:
                self._learn(_IPV6, message.source, link, create=True, confirmed=False)
            self._advertise(target, (message.source, message.link_source if link is None else link))
        elif not self._is_own(_IPV6, target):
            link = link_option(data[16:], TARGET_LINK_OPTION)
            entry = self._entries.get(~target)
            if entry is None:
                return
            if link is None:  # it may be left out in answers to unicast questions
                link = entry.link
            if link and (message.identifier & OVERRIDE or not entry.link or link == entry.link):
                self._learn(_IPV6, target, link, create=False, confirmed=bool(message.identifier & SOLICITED))
            elif entry.state is NeighbourState.REACHABLE:  # another address, not meant to override: doubt the entry
                self._doubt(~target, entry)

    def _learn(self, family: Family, address: int, link: int, *, create: bool, confirmed: bool) -> None:
        key = _key(family, address)
        entry = self._entries.get(key)
        if entry is None:
            if not create:
                return
            entry = self._entries[key] = _Entry(family, 0)
        changed = entry.link != link
        if not confirmed and not changed:
            return  # nothing new, and no answer
        entry.link = link
        entry.attempts = 0
        waiting, entry.queue, entry.octets = entry.queue, deque(), 0
        if confirmed:
            entry.state = NeighbourState.REACHABLE
            self._resolved[key] = link
            self._wait(key, entry, REACHABLE_TIME)
        else:
            self._doubt(key, entry)
        for datagram in waiting:
            self.send(datagram, address)

    def _doubt(self, key: int, entry: _Entry) -> None:
        """What is known may be wrong: the next datagram will have it verified."""
        entry.state = NeighbourState.STALE
        self._resolved.pop(key, None)
        if entry.timer:
            entry.timer.stop()

    def _advertise(self, target: int, asker: tuple[int, int] | None = None) -> None:
        self._port.send(advertisement(self._port.link_address, target, router=self.router, asker=asker))


def _key(family: Family, address: int) -> int:
    """One number for an address of either family: negative for IPv6."""
    return address if family is _IPV4 else ~address
