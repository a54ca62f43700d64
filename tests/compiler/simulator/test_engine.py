"""Laws of the engine: order, determinism, running up to a moment, forgetting; and of timers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compiler.simulator.engine import Engine, Timer

DELAYS = st.integers(0, 5)


@given(st.lists(DELAYS))
def test_events_in_order_of_time_then_of_asking(times):
    engine, seen = Engine(), []
    for number, time in enumerate(times):
        engine.at(time, lambda number: seen.append((engine.now, number)), number)
    engine.run()
    assert seen == sorted((time, number) for number, time in enumerate(times))


@given(st.lists(st.tuples(DELAYS, st.lists(DELAYS, max_size=4)), max_size=6))
def test_events_that_ask_for_events(plan):
    """As a list sorted anew after each event would have it."""

    def real():
        engine, seen = Engine(), []

        def happen(number):
            seen.append((engine.now, number))
            if number < len(plan):
                for delay in plan[number][1]:
                    engine.after(delay, happen, number + len(plan))

        for number, (time, _) in enumerate(plan):
            engine.at(time, happen, number)
        engine.run()
        return seen

    waiting, seen, asked = [], [], 0
    for number, (time, _) in enumerate(plan):
        waiting.append((time, asked, number))
        asked += 1
    while waiting:
        waiting.sort()
        now, _, number = waiting.pop(0)
        seen.append((now, number))
        if number < len(plan):
            for delay in plan[number][1]:
                waiting.append((now + delay, asked, number + len(plan)))
                asked += 1
    assert real() == seen == real()


def test_the_past_is_refused():
    engine = Engine()
    engine.run(10)
    with pytest.raises(ValueError, match="9 ns is past: it is 10 ns"):
        engine.at(9, print)
    with pytest.raises(ValueError, match="past"):
        engine.run(9)
    with pytest.raises(ValueError, match="past"):
        engine.after(-1, print)
    assert engine.heap == []


@given(st.lists(DELAYS), st.lists(DELAYS))
def test_run_until_is_the_same_in_pieces(times, stops):
    """Events of the last moment happen, also those asked for in it; the clock stands at the moment asked for."""
    engine, seen = Engine(), []

    def happen(number):
        seen.append((engine.now, number))
        if number < 100:
            engine.after(number % 2, happen, number + 100)

    for number, time in enumerate(times):
        engine.at(time, happen, number)
    for stop in sorted(stops):
        engine.run(stop)
        assert engine.now == stop
        assert all(time > stop for time, *_ in engine.heap)
        assert len(seen) == sum((time <= stop) + (time + number % 2 <= stop) for number, time in enumerate(times))
    engine.run()
    assert [time for time, _ in seen] == sorted(time for time, _ in seen)
    assert len(seen) == 2 * len(times)


def test_an_event_that_raises_leaves_the_engine_fit():
    engine, seen = Engine(), []

    def fail(_):
        raise RuntimeError("the node is broken")

    engine.at(3, fail)
    engine.at(4, seen.append, "later")
    with pytest.raises(RuntimeError):
        engine.run(5)
    assert engine.now == 3
    engine.at(9, seen.append, "last")
    engine.run()
    assert seen == ["later", "last"]
    assert engine.now == 9


def test_an_event_may_run_the_engine_on():
    """A run within a run ends at its own moment."""
    engine, seen = Engine(), []
    engine.at(1, lambda _: engine.run(3))
    engine.at(2, seen.append, 2)
    engine.at(4, seen.append, 4)
    engine.run(3)
    assert (engine.now, seen) == (3, [2])
    engine.run()
    assert seen == [2, 4]


@given(st.lists(st.tuples(DELAYS, st.booleans())))
def test_forget_takes_one_action_and_leaves_the_rest(events):
    engine, kept, gone = Engine(), [], []
    for number, (time, forgotten) in enumerate(events):
        engine.at(time, gone.append if forgotten else kept.append, (time, number))
    asked = [(time, number) for number, (time, forgotten) in enumerate(events) if forgotten]
    assert engine.forget(gone.append) == sorted(asked)
    engine.run()
    assert gone == []
    assert kept == sorted((time, number) for number, (time, forgotten) in enumerate(events) if not forgotten)


def test_forget_in_the_middle_of_a_run():
    """The heap stays the same list: a run and links hold it."""
    engine, seen = Engine(), []
    heap = engine.heap
    engine.at(1, lambda _: engine.forget(seen.append))
    engine.at(2, seen.append, 2)
    engine.at(3, lambda _: engine.at(4, seen.append, 4))
    engine.run(5)
    assert seen == [4]
    assert engine.heap is heap


class TestTimer:
    """One thing that may happen later."""

    def test_rings_once(self):
        engine, rung = Engine(), []
        timer = Timer(engine, lambda: rung.append(engine.now))
        timer.start(5)
        assert timer.due == 5
        engine.run()
        assert rung == [5]
        assert timer.due is None

    def test_stopped(self):
        engine, rung = Engine(), []
        timer = Timer(engine, lambda: rung.append(engine.now))
        timer.start(5)
        engine.run(3)
        timer.stop()
        assert timer.due is None
        engine.run()
        assert rung == []

    def test_put_off_costs_no_event_each_time(self):
        """A retransmission timer is put off with every acknowledgement."""
        engine, rung = Engine(), []
        timer = Timer(engine, lambda: rung.append(engine.now))
        for moment in range(100):
            engine.run(moment)
            timer.start(200)
            assert len(engine.heap) == 1
        engine.run()
        assert rung == [299]

    def test_starts_again_from_its_own_action(self):
        engine, rung = Engine(), []

        def ring():
            rung.append(engine.now)
            if len(rung) < 3:
                timer.start(7)

        timer = Timer(engine, ring)
        timer.start(7)
        engine.run()
        assert rung == [7, 14, 21]

    @given(st.lists(st.tuples(DELAYS, st.one_of(st.none(), st.integers(0, 9))), max_size=12))
    def test_law(self, steps):
        """After any starts and stops it rings when the last start said, if nothing came between."""
        engine, rung, expected = Engine(), [], []
        timer = Timer(engine, lambda: rung.append(engine.now))
        due = None
        for wait, delay in steps:
            until = engine.now + wait
            if due is not None and due <= until:
                expected.append(due)
                due = None
            engine.run(until)
            if delay is None:
                timer.stop()
                due = None
            else:
                timer.start(delay)
                due = until + delay
            assert timer.due == due
        engine.run()
        assert rung == expected + ([due] if due is not None else [])
