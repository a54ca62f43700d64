"""Neighbours: asked for, answered, remembered, doubted, given up."""

import pytest

from compiler.fields import Family
from compiler.simulator.engine import MILLISECOND, SECOND, Engine
from compiler.simulator.frame import BROADCAST, ArpMessage, Datagram
from compiler.simulator.link import Link, Wire
from compiler.simulator.neighbour_messages import group_link_address, solicited_node
from compiler.simulator.neighbours import Neighbours, NeighbourState
from compiler.simulator.node import Port, link_address
from compiler.simulator.wire import frame_bytes

LEFT, RIGHT = 0x0A000001, 0x0A000002
LEFT6, RIGHT6 = 0xFE80 << 112 | 0x1111_1111, 0xFE80 << 112 | 0x2222_2222
OWN = {
    "left": ((Family.IPV4, LEFT), (Family.IPV6, LEFT6)),
    "right": ((Family.IPV4, RIGHT), (Family.IPV6, RIGHT6)),
}


class Station:
    """A node that keeps all that it gets."""

    def __init__(self, engine, name, **settings):
        self.name = name
        self.port = Port(self, "eth0", link_address(name, "eth0"))
        self.own = OWN[name]
        self.failed = []
        self.neighbours = Neighbours(engine, self.port, lambda: self.own, failed=self.failed.append, **settings)
        self.got = []
        self.is_deaf = False

    def receive(self, port, frame):
        if not self.is_deaf and self.neighbours.accepts(frame) and not self.neighbours.receive(frame):
            self.got.append(frame)

    def carrier_changed(self, port, is_up):
        if not is_up:
            self.neighbours.flush()


class Pair:
    def __init__(self, **left):
        self.engine = Engine()
        self.left, self.right = Station(self.engine, "left", **left), Station(self.engine, "right")
        ends = self.left.port, self.right.port
        self.link = Link(self.engine, "wire", ends, (Wire(delay=MILLISECOND), Wire(delay=MILLISECOND)), "seed")
        self.seen = []
        self.link.forward.tap(lambda time, frame: self.seen.append((time, frame.copy())))
        self.link.backward.tap(lambda time, frame: self.seen.append((time, frame.copy())))

    def asked(self):
        """When left asked, and at which link address."""
        return [
            (time, frame.link_destination)
            for time, frame in self.seen
            if frame.link_source == self.left.port.link_address
            and ((isinstance(frame, ArpMessage) and not frame.is_reply) or getattr(frame, "icmp_type", 0) == 135)
        ]


def datagram(family=Family.IPV4, size=100):
    source, destination = (LEFT, RIGHT) if family == 4 else (LEFT6, RIGHT6)
    return Datagram(family, source, destination, 17, size, 1, 2)


FAMILIES = [(Family.IPV4, RIGHT), (Family.IPV6, RIGHT6)]


@pytest.mark.parametrize(("family", "there"), FAMILIES)
def test_a_neighbour_is_asked_for_once_and_then_remembered(family, there):
    pair = Pair()
    sent = [datagram(family) for _ in range(3)]
    for one in sent:
        pair.left.neighbours.send(one, there)
    assert pair.left.neighbours.state(family, there) is NeighbourState.INCOMPLETE
    pair.engine.run(10 * MILLISECOND)
    assert pair.right.got == sent  # in order, all three
    assert pair.left.neighbours.link(family, there) == pair.right.port.link_address
    assert pair.left.neighbours.state(family, there) is NeighbourState.REACHABLE
    group = BROADCAST if family == 4 else 0x3333FF222222
    assert pair.asked() == [(0, group)]
    late = datagram(family)
    pair.left.neighbours.send(late, there)
    pair.engine.run(20 * MILLISECOND)
    assert pair.right.got[-1] is late
    assert late.link_destination == pair.right.port.link_address
    assert len(pair.asked()) == 1


@pytest.mark.parametrize(("family", "there"), FAMILIES)
def test_who_was_asked_knows_the_asker(family, there):
    pair = Pair()
    pair.left.neighbours.send(datagram(family), there)
    pair.engine.run(10 * MILLISECOND)
    here = LEFT if family == 4 else LEFT6
    assert pair.right.neighbours.state(family, here) is NeighbourState.STALE
    answer = datagram(family)
    pair.right.neighbours.send(answer, here)
    assert answer.link_destination == pair.left.port.link_address  # at once, without a question
    assert pair.right.neighbours.state(family, here) is NeighbourState.DELAY


@pytest.mark.parametrize(("family", "there"), FAMILIES)
def test_an_absent_neighbour_fails_after_three_questions(family, there):
    pair = Pair()
    pair.right.own = ()
    sent = [datagram(family) for _ in range(2)]
    for one in sent:
        pair.left.neighbours.send(one, there)
    pair.engine.run(3 * SECOND - 1)
    assert pair.left.failed == []
    pair.engine.run()
    assert pair.left.failed == sent
    assert [time for time, _ in pair.asked()] == [0, SECOND, 2 * SECOND]
    assert pair.engine.now == 3 * SECOND
    assert pair.left.neighbours.state(family, there) is None
    pair.left.neighbours.send(datagram(family), there)  # a new attempt
    assert pair.left.neighbours.state(family, there) is NeighbourState.INCOMPLETE


@pytest.mark.parametrize(("family", "there"), FAMILIES)
def test_a_neighbour_that_is_used_is_asked_again_where_it_was(family, there):
    pair = Pair()
    pair.left.neighbours.send(datagram(family), there)
    pair.engine.run(31 * SECOND)
    assert pair.left.neighbours.state(family, there) is NeighbourState.STALE
    pair.left.neighbours.send(datagram(family), there)
    assert pair.left.neighbours.state(family, there) is NeighbourState.DELAY
    pair.engine.run(35 * SECOND)
    assert len(pair.asked()) == 1
    pair.engine.run(37 * SECOND)
    assert pair.asked()[1] == (36 * SECOND, pair.right.port.link_address)
    assert pair.left.neighbours.state(family, there) is NeighbourState.REACHABLE
    assert len(pair.right.got) == 2


@pytest.mark.parametrize(("family", "there"), FAMILIES)
def test_a_neighbour_that_has_gone_is_noticed_by_use(family, there):
    pair = Pair()
    pair.left.neighbours.send(datagram(family), there)
    pair.engine.run(31 * SECOND)
    pair.right.is_deaf = True
    pair.left.neighbours.send(datagram(family), there)
    pair.engine.run(31 * SECOND + 8 * SECOND)
    assert [time for time, _ in pair.asked()[1:]] == [36 * SECOND, 37 * SECOND, 38 * SECOND]
    assert pair.left.neighbours.state(family, there) is None
    assert pair.left.failed == []  # those that were sent are lost without a word
    last = datagram(family)
    pair.left.neighbours.send(last, there)
    pair.engine.run()
    assert pair.left.failed == [last]


def test_an_engine_without_traffic_comes_to_rest():
    pair = Pair()
    pair.left.neighbours.send(datagram(), RIGHT)
    pair.engine.run()
    assert pair.engine.now == 30 * SECOND + 2 * MILLISECOND


def test_the_oldest_that_waits_gives_way():
    pair = Pair(unresolved_octets=3 * 114)
    sent = [datagram() for _ in range(5)]
    for one in sent:
        pair.left.neighbours.send(one, RIGHT)
    pair.engine.run(SECOND // 2)
    assert pair.right.got == sent[2:]
    assert pair.left.neighbours.drops_queue == 2


def test_the_question_comes_from_the_address_that_the_datagram_has():
    pair = Pair()
    pair.left.own = ((Family.IPV4, 0x0A000009), (Family.IPV4, LEFT))
    pair.left.neighbours.send(datagram(), RIGHT)
    forwarded = datagram()
    forwarded.source = 0xC0000201
    pair.left.neighbours.send(forwarded, 0x0A000003)
    pair.engine.run(MILLISECOND)
    senders = [frame.sender for _, frame in pair.seen if isinstance(frame, ArpMessage) and not frame.is_reply]
    assert senders == [LEFT, 0x0A000009]


def test_discovery_messages_are_as_the_standard_has_them():
    scapy = pytest.importorskip("scapy.all")
    pair = Pair()
    pair.left.neighbours.send(datagram(Family.IPV6), RIGHT6)
    pair.engine.run(10 * MILLISECOND)
    question, answer = (scapy.Ether(frame_bytes(frame)) for _, frame in pair.seen[:2])
    assert (question.dst, question[scapy.IPv6].dst) == ("33:33:ff:22:22:22", "ff02::1:ff22:2222")
    assert (question[scapy.IPv6].hlim, answer[scapy.IPv6].hlim) == (255, 255)
    assert question[scapy.ICMPv6ND_NS].tgt == "fe80::2222:2222"
    assert question[scapy.ICMPv6NDOptSrcLLAddr].lladdr == question.src
    advertisement = answer[scapy.ICMPv6ND_NA]
    assert (advertisement.R, advertisement.S, advertisement.O) == (0, 1, 1)
    assert answer[scapy.ICMPv6NDOptDstLLAddr].lladdr == answer.src
    for message in question, answer:
        again = message.copy()
        del again[scapy.IPv6].payload.cksum
        assert bytes(again) == bytes(message)


def test_a_router_says_that_it_is_one():
    pair = Pair()
    pair.right.neighbours.router = True
    pair.left.neighbours.send(datagram(Family.IPV6), RIGHT6)
    pair.engine.run(10 * MILLISECOND)
    assert pair.seen[1][1].identifier == 0xE000


def test_discovery_from_beyond_a_router_is_not_heeded():
    pair = Pair()
    pair.left.neighbours.send(datagram(Family.IPV6), RIGHT6)
    pair.engine.run(10 * MILLISECOND)
    question = pair.seen[0][1].copy()
    question.ttl = 254
    before = len(pair.seen)
    assert pair.right.neighbours.receive(question)
    pair.engine.run(20 * MILLISECOND)
    assert len(pair.seen) == before


def test_discovery_for_others_is_for_others():
    pair = Pair()
    message = Datagram(Family.IPV6, LEFT6, 0x20010DB8 << 96 | 5, 58, 72, icmp_type=135, data=bytes(24), ttl=255)
    assert not pair.right.neighbours.receive(message)
    assert not pair.right.neighbours.receive(datagram())
    echo = Datagram(Family.IPV6, LEFT6, RIGHT6, 58, 48, icmp_type=128)
    assert not pair.right.neighbours.receive(echo)


def test_a_station_that_moves_says_so():
    pair = Pair()
    for family, there in FAMILIES:
        pair.left.neighbours.send(datagram(family), there)
    pair.engine.run(10 * MILLISECOND)
    pair.right.port.link_address = 0x020000000077
    pair.right.neighbours.announce()
    pair.engine.run(20 * MILLISECOND)
    for family, there in FAMILIES:
        assert pair.left.neighbours.link(family, there) == 0x020000000077
        assert pair.left.neighbours.state(family, there) is NeighbourState.STALE


def test_announcements_of_strangers_make_no_entries():
    pair = Pair()
    pair.right.neighbours.announce()
    pair.engine.run(10 * MILLISECOND)
    assert all(pair.left.neighbours.state(family, there) is None for family, there in FAMILIES)


def test_a_probe_for_an_own_address_is_answered():
    pair = Pair()
    probe = ArpMessage(is_reply=False, sender=0, sender_link=pair.left.port.link_address, target=RIGHT)
    probe.link_destination = BROADCAST
    pair.left.port.send(probe)
    pair.engine.run(10 * MILLISECOND)
    reply = pair.seen[-1][1]
    assert (reply.is_reply, reply.sender, reply.link_destination) == (True, RIGHT, pair.left.port.link_address)
    assert pair.right.neighbours.state(Family.IPV4, 0) is None


def advertisement(link, flags, destination=LEFT6):
    message = Datagram(Family.IPV6, RIGHT6, destination, 58, 72, icmp_type=136, ttl=255)
    message.data = RIGHT6.to_bytes(16) + (b"\2\1" + link.to_bytes(6) if link else b"")
    message.size = 48 + len(message.data)
    message.identifier = flags
    return message


def test_an_advertisement_that_does_not_override_raises_doubt_only():
    # RFC 4861, 7.2.5: another address without the override flag makes a reachable entry stale.
    pair = Pair()
    pair.left.neighbours.send(datagram(Family.IPV6), RIGHT6)
    pair.engine.run(10 * MILLISECOND)
    pair.left.neighbours.receive(advertisement(0x020000000077, 0x4000))
    assert pair.left.neighbours.state(Family.IPV6, RIGHT6) is NeighbourState.STALE
    assert pair.left.neighbours.link(Family.IPV6, RIGHT6) == pair.right.port.link_address
    pair.engine.run()  # no timer of the better days is left
    assert pair.left.neighbours.state(Family.IPV6, RIGHT6) is NeighbourState.STALE
    pair.left.neighbours.receive(advertisement(0x020000000077, 0x6000))
    assert pair.left.neighbours.state(Family.IPV6, RIGHT6) is NeighbourState.REACHABLE
    assert pair.left.neighbours.link(Family.IPV6, RIGHT6) == 0x020000000077
    pair.left.neighbours.receive(advertisement(None, 0x4000))  # may leave the address out when it was asked there
    assert pair.left.neighbours.link(Family.IPV6, RIGHT6) == 0x020000000077


def test_who_checks_for_a_duplicate_is_told_by_all():
    pair = Pair()
    probe = Datagram(Family.IPV6, 0, solicited_node(RIGHT6), 58, 64, icmp_type=135, ttl=255)
    probe.data = RIGHT6.to_bytes(16)
    probe.link_destination = 0x3333FF222222
    pair.left.port.send(probe)
    pair.engine.run(10 * MILLISECOND)
    answer = pair.seen[-1][1]
    assert (answer.icmp_type, answer.destination, answer.identifier) == (136, 0xFF02 << 112 | 1, 0x2000)
    assert pair.right.neighbours.state(Family.IPV6, 0) is None


def test_frames_for_other_cards_are_not_accepted():
    pair = Pair()
    frame = datagram()
    for destination, expected in ((pair.left.port.link_address, True), (0x020000000005, False), (BROADCAST, True)):
        frame.link_destination = destination
        assert pair.left.neighbours.accepts(frame) is expected


def test_a_lost_carrier_forgets_everything():
    pair = Pair()
    pair.left.neighbours.send(datagram(), RIGHT)
    pair.engine.run(10 * MILLISECOND)
    pair.left.neighbours.send(datagram(), 0x0A000003)  # waits
    pair.link.set_up(False)
    assert pair.left.neighbours.link(Family.IPV4, RIGHT) is None
    assert pair.left.neighbours.drops_queue == 1
    pair.engine.run()
    assert pair.left.failed == []


def test_without_arp_only_what_was_said_is_known():
    pair = Pair(static={(Family.IPV4, RIGHT): 0x020000000099})
    known, unknown = datagram(), datagram()
    pair.left.neighbours.send(known, RIGHT)
    pair.left.neighbours.send(unknown, 0x0A000003)
    assert (known.link_destination, pair.left.failed) == (0x020000000099, [unknown])
    question = ArpMessage(is_reply=False, sender=RIGHT, sender_link=7, target=LEFT)
    assert pair.left.neighbours.receive(question)
    pair.engine.run()
    assert [frame for _, frame in pair.seen if isinstance(frame, ArpMessage)] == []
    assert pair.left.neighbours.link(Family.IPV4, RIGHT) == 0x020000000099


@pytest.mark.parametrize(
    ("family", "address", "expected"),
    [
        (Family.IPV4, 0xFFFFFFFF, BROADCAST),
        (Family.IPV4, 0xE0000001, 0x01005E000001),
        (Family.IPV4, 0xEF81_0203, 0x01005E010203),  # RFC 1112: bit 23 of the address is lost
        (Family.IPV4, RIGHT, None),
        (Family.IPV6, 0xFF02 << 112 | 0x1FF222222, 0x3333FF222222),
        (Family.IPV6, RIGHT6, None),
    ],
)
def test_groups_have_addresses_of_their_own(family, address, expected):
    assert group_link_address(family, address) == expected
    if expected is not None:
        pair = Pair()
        to_group = datagram(family)
        pair.left.neighbours.send(to_group, address)
        assert to_group.link_destination == expected
        pair.engine.run()
        assert pair.right.got == [to_group]
        assert pair.asked() == []


def test_the_solicited_node_has_the_last_three_octets():
    assert solicited_node(0x20010DB8 << 96 | 0x01800E8C6C) == 0xFF02 << 112 | 0x1_FF0E_8C6C  # RFC 4291, 2.7.1
