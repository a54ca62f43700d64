"""Laws of links: when frames arrive, what is dropped and counted, what failures take, what taps see."""

from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compiler.simulator.engine import MILLISECOND, SECOND, Engine
from compiler.simulator.frame import ETHERNET, Frame
from compiler.simulator.link import Link, Wire
from compiler.simulator.node import Port

NANOSECOND_AN_OCTET = 8 * SECOND


class End:
    """A node that notes what arrives."""

    def __init__(self, engine, name):
        self.engine = engine
        self.name = name
        self.arrived = []
        self.carrier = []

    def receive(self, port, frame):
        self.arrived.append((self.engine.now, frame))

    def carrier_changed(self, port, is_up):
        self.carrier.append(is_up)


class Pair:
    """Two ends and a link."""

    def __init__(self, forward, backward=None, seed="1"):
        self.engine = Engine()
        self.left, self.right = End(self.engine, "left"), End(self.engine, "right")
        self.ports = Port(self.left, "a", 1), Port(self.right, "b", 2)
        self.link = Link(self.engine, "wire", self.ports, (forward, backward or forward), seed)
        self.dropped = []
        for direction in (self.link.forward, self.link.backward):
            direction.on_drop = lambda frame, reason: self.dropped.append((self.engine.now, frame, reason))

    def send_at(self, moments, size=86):
        """Frames of ``size + 14`` octets from the left."""
        frames = [Frame(size) for _ in moments]
        for moment, frame in zip(moments, frames, strict=True):
            self.engine.at(moment, self.ports[0].send, frame)
        return frames


def taken(direction):
    return direction.frames, direction.drops_queue, direction.drops_loss, direction.drops_down


@pytest.mark.parametrize(
    ("rate", "size", "takes"), [(10_000_000, 986, 800_000), (3_000_000, 1486, 4_000_000), (7, 1, 17_142_857_143)]
)
def test_one_frame(rate, size, takes):
    """Sending takes the frame's octets with the Ethernet header, rounded up to a nanosecond; then the delay."""
    pair = Pair(Wire(rate, 5 * MILLISECOND))
    frame = Frame(size)
    pair.ports[0].send(frame)
    pair.engine.run()
    assert pair.right.arrived == [(takes + 5 * MILLISECOND, frame)]
    assert frame.link_source == 1
    assert (pair.link.forward.frames, pair.link.forward.octets) == (1, size + ETHERNET)


def reference(sent, wire):
    """Arrivals and drops by the textbook: a list of what waits, looked through from end to end each time."""
    arrivals, accepted = [], []
    for moment, size in sent:
        octets = size + ETHERNET
        takes = 0 if wire.rate is None else -(-octets * 8 * SECOND // wire.rate)
        waiting = [one for start, one in accepted if start > moment]
        free = max([start + (-(-one * 8 * SECOND // wire.rate)) for start, one in accepted] or [0]) if wire.rate else 0
        no_room = (wire.queue is not None and len(waiting) >= wire.queue) or (
            wire.queue_octets is not None and sum(waiting) + octets > wire.queue_octets
        )
        if free > moment and no_room:
            arrivals.append(None)
            continue
        start = max(free, moment)
        if wire.rate is not None:
            accepted.append((start, octets))
        arrivals.append(start + takes + wire.delay)
    return arrivals


WIRES = st.builds(
    Wire,
    st.sampled_from((None, NANOSECOND_AN_OCTET, NANOSECOND_AN_OCTET // 3)),
    st.sampled_from((0, 100, 1000)),
    st.sampled_from((None, 0, 1, 2, 5)),
    st.sampled_from((None, 0, 150, 400)),
)
SENT = st.lists(st.tuples(st.integers(0, 40).map(lambda n: n * 50), st.sampled_from((36, 86, 136))), max_size=40)


@given(WIRES, SENT, st.booleans())
def test_arrivals_and_drops(wire, sent, tapped):
    """Every way of sending that a direction may choose gives what the textbook gives."""
    sent = sorted(sent, key=lambda one: one[0])
    pair = Pair(wire)
    if tapped:
        pair.link.forward.tap(lambda moment, frame: None)
    frames = []
    for moment, size in sent:
        frames.append(Frame(size))
        pair.engine.at(moment, pair.ports[0].send, frames[-1])
    pair.engine.run()
    due = reference(sent, wire)
    assert [frame for _, frame in pair.right.arrived] == [
        f for f, when in zip(frames, due, strict=True) if when is not None
    ]
    assert [when for when, _ in pair.right.arrived] == [when for when in due if when is not None]
    assert [frame for _, frame, _ in pair.dropped] == [f for f, when in zip(frames, due, strict=True) if when is None]
    assert all(reason == "queue full" for *_, reason in pair.dropped)
    direction = pair.link.forward
    assert taken(direction) == (len(pair.right.arrived), len(pair.dropped), 0, 0)
    assert direction.octets == sum(frame.size + ETHERNET for _, frame in pair.right.arrived)
    assert direction.waiting == 0


def test_waiting():
    """Those behind the one being sent."""
    pair = Pair(Wire(NANOSECOND_AN_OCTET, 1000, queue=3))
    pair.send_at([0, 0, 0, 0, 0])
    for moment, waiting in ((0, 3), (99, 3), (100, 2), (250, 1), (300, 0)):
        pair.engine.run(moment)
        assert pair.link.forward.waiting == waiting
    assert pair.link.forward.drops_queue == 1


@given(WIRES, SENT, WIRES)
def test_figures_that_change(wire, sent, other):
    """Frames already accepted arrive as planned; those of one wire never overtake each other."""
    pair = Pair(wire)
    sent = sorted(sent, key=lambda one: one[0])
    early = reference([one for one in sent if one[0] < 1000], wire)
    for moment, size in sent:
        pair.engine.at(moment, pair.ports[0].send, Frame(size))
    pair.engine.at(1000, lambda _: pair.link.forward.set_wire(other))
    # What the change's own moment brings was asked for before it.
    early += reference(sent, wire)[len(early) : len([one for one in sent if one[0] <= 1000])]
    pair.engine.run()
    moments = [when for when, _ in pair.right.arrived]
    planned = [when for when in early if when is not None]
    assert sorted(set(planned) - set(moments)) == []
    assert len(moments) + len(pair.dropped) == len(sent)


class TestFailure:
    """Cut and mended."""

    def test_loses_what_waits_and_what_is_on_its_way(self):
        pair = Pair(Wire(NANOSECOND_AN_OCTET, 250, queue=None))
        frames = pair.send_at([0, 0, 0, 0, 0, 0])  # they arrive at 350, 450, ... 850
        pair.engine.at(460, lambda _: pair.link.set_up(False))
        pair.engine.run()
        assert [when for when, _ in pair.right.arrived] == [350, 450]
        assert [(frame, reason) for _, frame, reason in pair.dropped] == [(one, "link down") for one in frames[2:]]
        assert taken(pair.link.forward) == (6, 0, 0, 4)
        assert pair.left.carrier == pair.right.carrier == [False]

    def test_takes_nothing_while_it_is_down_and_starts_empty(self):
        pair = Pair(Wire(NANOSECOND_AN_OCTET, 0, queue=1))
        pair.send_at([0, 0])
        pair.engine.at(50, lambda _: pair.link.set_up(False))
        lost = pair.send_at([60])
        pair.engine.at(70, lambda _: pair.link.set_up(True))
        after = pair.send_at([80, 80, 80])
        pair.engine.run()
        assert pair.right.arrived == [(180, after[0]), (280, after[1])]
        assert [frame for _, frame, reason in pair.dropped if reason == "link down"][-1] is lost[0]
        assert taken(pair.link.forward) == (4, 1, 0, 3)
        assert pair.right.carrier == [False, True]

    def test_one_way_only(self):
        """The other way carries on, and no port notices."""
        pair = Pair(Wire(NANOSECOND_AN_OCTET, 500))
        pair.link.set_up(False, backward=False)
        pair.send_at([0])
        answer = Frame(86)
        pair.engine.at(0, pair.ports[1].send, answer)
        pair.engine.run()
        assert pair.right.arrived == []
        assert pair.left.arrived == [(600, answer)]
        assert pair.left.carrier == pair.right.carrier == []
        assert pair.ports[0].carrier

    def test_frames_of_another_link_are_left_alone(self):
        engine = Engine()
        ends = [End(engine, str(n)) for n in range(4)]
        ports = [Port(end, "p", n) for n, end in enumerate(ends)]
        links = [
            Link(engine, str(n), (ports[2 * n], ports[2 * n + 1]), (Wire(None, 9), Wire(None, 9)), "1") for n in (0, 1)
        ]
        for port in ports:
            port.send(Frame(50))
        links[0].set_up(False)
        engine.run()
        assert [len(end.arrived) for end in ends] == [0, 0, 1, 1]

    @given(WIRES, SENT, st.lists(st.integers(0, 60).map(lambda n: n * 50 + 25), max_size=6))
    def test_every_frame_is_somewhere(self, wire, sent, flaps):
        """Arrived or dropped, once; and nothing arrives while the link is down."""
        pair = Pair(wire)
        for moment, size in sent:
            pair.engine.at(moment, pair.ports[0].send, Frame(size))
        spans = sorted(set(flaps))
        for number, moment in enumerate(spans):
            pair.engine.at(moment, pair.link.set_up, number % 2 == 1)
        pair.engine.run()
        found = [frame for _, frame in pair.right.arrived] + [frame for _, frame, _ in pair.dropped]
        assert len(found) == len(set(map(id, found))) == len(sent)
        down = list(zip(spans[::2], [*spans[1::2], 1 << 60], strict=False))
        assert not [when for when, _ in pair.right.arrived for begin, end in down if begin <= when < end]


class TestLoss:
    """A share of frames is lost on the way, and holds its place in the queue before."""

    def test_share(self):
        """20,000 frames at 10 %: a deviation of more than five sigma has odds of one in a million."""
        pair = Pair(Wire(None, 10, loss=0.1))
        for _ in range(20_000):
            pair.ports[0].send(Frame(50))
        pair.engine.run()
        assert abs(pair.link.forward.drops_loss - 2000) < 5 * (20_000 * 0.1 * 0.9) ** 0.5
        assert len(pair.right.arrived) == 20_000 - pair.link.forward.drops_loss
        assert pair.link.forward.frames == 20_000

    def test_is_the_links_own(self):
        """The n-th frame's fate hangs on seed, name, way and n; not on moments or on other links."""

        def fates(moments, seed="1", name="wire", backward=False):
            engine = Engine()
            ends = End(engine, "left"), End(engine, "right")
            ports = Port(ends[0], "a", 1), Port(ends[1], "b", 2)
            wire = Wire(NANOSECOND_AN_OCTET, 10, queue=None, loss=0.5)
            Link(engine, name, ports, (wire, wire), seed)
            frames = [Frame(50) for _ in moments]
            for moment, frame in zip(moments, frames, strict=True):
                engine.at(moment, ports[backward].send, frame)
            engine.run()
            arrived = {id(frame) for _, frame in ends[not backward].arrived}
            return [id(frame) in arrived for frame in frames]

        one = fates([0] * 64)
        assert one == fates(range(0, 64_000, 1000))
        assert one == [Random("1/wire/forward").random() >= 0.5, *one[1:]]
        assert len({tuple(fates([0] * 64, *other)) for other in ((), ("2",), ("1", "x"), ("1", "wire", True))}) == 4

    def test_lost_frames_take_their_time(self):
        """The wire is busy with them, and they wait in the queue: what is dropped at its tail stays the same."""
        pairs = [Pair(Wire(NANOSECOND_AN_OCTET, 0, queue=2, loss=loss)) for loss in (0.0, 0.5, 1.0)]
        random = Random(3)
        moments = sorted(random.randrange(20_000) for _ in range(220))
        for pair in pairs:
            pair.send_at(moments)
            pair.engine.run()
        assert len({(pair.link.forward.frames, pair.link.forward.drops_queue) for pair in pairs}) == 1
        assert pairs[0].link.forward.drops_queue > 10
        without = {when for when, _ in pairs[0].right.arrived}
        assert {when for when, _ in pairs[1].right.arrived} < without
        assert pairs[2].right.arrived == []


def test_asymmetric_wires():
    """1 Mbit/s up, 8 Mbit/s down, as an ISP sells it."""
    pair = Pair(Wire(1_000_000, 3 * MILLISECOND), Wire(8_000_000, MILLISECOND))
    for port in pair.ports:
        port.send(Frame(986))
    pair.engine.run()
    assert [when for when, _ in pair.right.arrived] == [11 * MILLISECOND]
    assert [when for when, _ in pair.left.arrived] == [2 * MILLISECOND]


@given(WIRES, SENT)
def test_taps_see_what_the_queue_accepts_when_it_is_sent(wire, sent):
    """Two taps see the same, in order; each frame when its first octet goes out; what is dropped they do not see."""
    pair = Pair(wire)
    one, other = [], []
    pair.link.forward.tap(lambda moment, frame: one.append((moment, frame)))
    pair.link.forward.tap(lambda moment, frame: other.append((moment, frame)))
    for moment, size in sent:
        pair.engine.at(moment, pair.ports[0].send, Frame(size))
    pair.engine.run()
    assert one == other
    assert [frame for _, frame in one] == [frame for _, frame in pair.right.arrived]
    for (begun, frame), (arrived, _) in zip(one, pair.right.arrived, strict=True):
        takes = 0 if wire.rate is None else -(-(frame.size + ETHERNET) * 8 * SECOND // wire.rate)
        assert begun == arrived - takes - wire.delay
    assert all(early <= late for (early, _), (late, _) in pairwise(one))


def test_taps_see_what_is_lost_later():
    """They stand at the sender."""
    pair = Pair(Wire(None, 10, loss=1.0))
    seen = []
    pair.link.forward.tap(lambda moment, frame: seen.append(frame))
    frames = pair.send_at([0, 5])
    pair.engine.run()
    assert seen == frames
    assert pair.right.arrived == []


def test_same_network_same_run():
    """Twice the same, loss and ties included."""

    def run():
        pair = Pair(Wire(NANOSECOND_AN_OCTET, 100, queue=3, loss=0.2), seed="9")
        random = Random(5)
        frames = pair.send_at(sorted(random.randrange(0, 3000, 100) for _ in range(60)))
        numbers = {id(frame): number for number, frame in enumerate(frames)}
        pair.engine.run()
        arrived = [(when, numbers[id(frame)]) for when, frame in pair.right.arrived]
        return arrived, [(when, numbers[id(frame)], reason) for when, frame, reason in pair.dropped]

    assert run() == run()


def test_a_port_has_one_link():
    pair = Pair(Wire())
    with pytest.raises(ValueError, match="left:a has a link already"):
        Link(pair.engine, "second", pair.ports, (Wire(), Wire()), "1")
