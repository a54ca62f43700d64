"""Links of the kernel world: rates, queues, cuts and captures."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from compiler.simulator.capture_reader import read_capture
from compiler.simulator.engine import MILLISECOND, SECOND
from compiler.simulator.frame import Datagram
from compiler.simulator.sockets import FailureKind
from labs.kernel import run, why_not
from labs.kernel.world import KernelWorld
from labs.topology import Fault, FaultKind, LinkDirection, Traffic, TrafficKind
from tests.labs.kernel.moments import Moments, Silence, watched
from tests.labs.kernel.topologies import star

pytestmark = pytest.mark.skipif(bool(why_not()), reason=why_not())

KIND = TrafficKind


@pytest.fixture
def moments(monkeypatch: pytest.MonkeyPatch) -> Moments:
    """When faults really happen."""
    return watched(monkeypatch)


PINGS = Traffic("ping", KIND.PING, "anna", "server", count=60, interval=20 * MILLISECOND, timeout=1500 * MILLISECOND)
"""Patient ones: what a loaded machine answers late is not lost."""
COMING_UP = 150 * MILLISECOND
"""How long a bridge's port or a loaded machine may lose packets behind a mended cable; a lost question costs 1 s."""
ATTEMPTS = 5
"""Where the machine slept through a whole silence nobody asked in it, and the run says nothing."""


def lost_and_answered(seen: Moments, faults: tuple[Fault, ...]) -> tuple[list[int], list[int]]:
    """When the pings of one run were sent, those that were lost and the others."""
    seen.clear()
    outcome = run(star(PINGS, faults=faults, seconds=6)).outcome("ping")
    assert outcome is not None
    assert len(outcome.connections) == 60
    lost = [record.started for record in outcome.connections if record.failure is not None]
    return lost, [record.started for record in outcome.connections if record.failure is None]


def check(seen: Moments, planned: list[tuple[int, int]], *faults: Fault) -> None:
    """Pings from anna to the server, one each 20 ms, are lost in the silences and at no other time.

    A silence lasts from when the cable was really cut until it was really
    mended, which a loaded machine may do late, but never early.
    """
    for _ in range(ATTEMPTS):
        lost, answered = lost_and_answered(seen, faults)
        silences = seen.silences()
        if all(any(one.cut <= moment < one.mending for moment in lost + answered) for one in silences):
            break
    else:
        pytest.fail(f"nobody asked in a silence in {ATTEMPTS} runs")
    assert len(silences) == len(planned)
    for one, (begin, end) in zip(silences, planned, strict=True):
        assert begin <= one.cutting
        assert end <= one.mending
        assert not [moment for moment in answered if one.cut <= moment < one.mending]
        # What is under way when the cable is cut is lost too: the last ones before it, none before an answered one.
        before = [moment for moment in answered if moment < one.cutting]
        assert before
        assert not [moment for moment in lost if last_mended(silences, one) + COMING_UP <= moment < max(before)]
    assert not [moment for moment in lost if silences[-1].settled + COMING_UP <= moment]
    assert max(answered) > silences[-1].mending


def last_mended(silences: list[Silence], one: Silence) -> int:
    """When the silence before this one ended, or the run began."""
    return max((other.settled for other in silences if other.settled <= one.cutting), default=-COMING_UP)


def test_a_transfer_fills_the_line() -> None:
    """3 Mbit/s of frames are 2.87 of payload: 1448 octets in each frame of 1514."""
    lab = star(
        Traffic("down", KIND.DOWNLOAD, "anna", "server", port=19, duration=2 * SECOND),
        up=LinkDirection(512_000, queue=50),
        down=LinkDirection(3_000_000, queue=50),
    )
    observation = run(lab)
    record = observation.outcomes[0].connections[0]
    assert record.connected is not None
    assert record.ended is not None
    lasted = (record.ended - record.connected) / SECOND
    # Never above the line; below it by as much as the processes at both ends had to wait for the machine.
    assert 2_200_000 < record.transferred * 8 / lasted < 2_900_000
    down = next(count for count in observation.links if (count.link, count.direction) == ("wan", "down"))
    assert down.octets * 8 < 3_000_000 * (lasted + 0.3)


def test_a_queue_holds_as_many_frames_as_it_says() -> None:
    """100 datagrams at once into a queue of 10: one goes through the bucket, 10 wait.

    A frame takes 61 ms of this line: where sending all takes longer on a loaded machine one more finds room.
    """
    lab = star(
        Traffic("burst", KIND.UDP, "anna", "server", port=9, rate=10**9, size=1472, count=100, duration=SECOND),
        up=LinkDirection(200_000, queue=10),
    )
    observation = run(lab)
    outcome = observation.outcomes[0]
    assert outcome.sent == 100
    assert 10 <= outcome.received <= 14
    (up,) = (count for count in observation.links if (count.link, count.direction) == ("wan", "up"))
    assert 100 - outcome.received <= up.drops <= 105 - outcome.received  # questions for addresses may be lost too


BROKEN = [(200 * MILLISECOND, 700 * MILLISECOND)]


def test_a_cut_link_mends(moments: Moments) -> None:
    (begin, end), *_ = BROKEN
    check(moments, BROKEN, Fault(FaultKind.LINK_DOWN, "wan", begin), Fault(FaultKind.LINK_UP, "wan", end))


def test_a_flapping_link(moments: Moments) -> None:
    length = 250 * MILLISECOND
    silences = [(begin * MILLISECOND, begin * MILLISECOND + length) for begin in (200, 800)]
    flap = Fault(FaultKind.LINK_FLAP, "wan", silences[0][0], "both", length, 350 * MILLISECOND, 2)
    check(moments, silences, flap)


@pytest.mark.parametrize("direction", ["up", "down"])
def test_a_link_cut_one_way_only(moments: Moments, direction: str) -> None:
    (begin, end), *_ = BROKEN
    cut = Fault(FaultKind.LINK_DOWN, "wan", begin, direction)
    check(moments, BROKEN, cut, Fault(FaultKind.LINK_UP, "wan", end, direction))


def test_a_node_that_fails_and_returns(moments: Moments) -> None:
    (begin, end), *_ = BROKEN
    check(moments, BROKEN, Fault(FaultKind.NODE_DOWN, "router", begin), Fault(FaultKind.NODE_UP, "router", end))


def test_a_node_and_a_link_that_start_shut() -> None:
    lab = star(replace(PINGS, count=2))
    for changed in (
        replace(lab, nodes=tuple(replace(node, is_up=node.name != "switch") for node in lab.nodes)),
        replace(lab, links=tuple(replace(link, is_up=link.name != "wan") for link in lab.links)),
    ):
        assert not any(record.failure is None for record in run(changed).outcomes[0].connections)


def test_a_link_that_changes_its_rate() -> None:
    slow = Fault(FaultKind.LINK_CHANGE, "wan", 0, down=LinkDirection(200_000, queue=5))
    lab = star(
        Traffic("down", KIND.DOWNLOAD, "anna", "server", port=19, duration=SECOND, start=50 * MILLISECOND),
        faults=(slow,),
    )
    record = run(lab).outcomes[0].connections[0]
    assert 0 < record.transferred < 40_000


def test_what_the_kernel_lacks_is_said() -> None:
    lab = star(replace(PINGS, count=1), up=LinkDirection(delay=10 * MILLISECOND, loss=0.5))
    assert [feature for feature, _ in run(lab).lacks] == ["delay", "loss"]


def test_captures_hold_what_was_on_the_wire(tmp_path: Path) -> None:
    lab = star(Traffic("down", KIND.DOWNLOAD, "anna", "server", port=19, octets=50_000))
    observation = run(lab, captures=("wan", "anna-switch"), folder=tmp_path)
    files = {name: tmp_path / f"star-{name}-kernel.pcapng" for name in ("wan", "anna-switch")}
    assert dict(observation.captures) == {name: str(path) for name, path in files.items()}
    for path in files.values():
        frames = list(read_capture(path))
        moments = [moment for moment, _ in frames]
        assert moments == sorted(moments)
        segments = [frame for _, frame in frames if isinstance(frame, Datagram) and frame.source_port == 19]
        assert max(frame.size for frame in segments) == 1500
        assert sum(frame.size - 20 - 20 - len(frame.tcp_options) for frame in segments) >= 50_000


def test_a_cut_ends_connections_by_silence() -> None:
    lab = star(
        Traffic("late", KIND.CONNECT, "anna", "server", port=80, start=100 * MILLISECOND, timeout=300 * MILLISECOND),
        faults=(Fault(FaultKind.LINK_DOWN, "anna-switch", 10 * MILLISECOND),),
    )
    failure = run(lab).outcomes[0].connections[0].failure
    assert failure is not None
    assert failure.kind is FailureKind.TIMED_OUT  # a host keeps its route when the carrier is lost, as in the simulator


def test_a_world_can_be_closed_twice() -> None:
    world = KernelWorld(star(), 1)
    world.close()
    world.close()
