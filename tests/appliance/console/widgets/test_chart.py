"""Plots: no extreme is lost, ticks are round, nothing ends the drawing."""

from __future__ import annotations

import math
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.pilot import Pilot

from appliance.console.widgets.calendar import moved
from appliance.console.widgets.chart import Canvas, Series, downsampled, nice_ticks
from appliance.console.widgets.plot import Plot
from tests.appliance.console.widgets.rooms import SIZES, Stage, days, play

finite = st.floats(-1e15, 1e15)
points = st.lists(st.tuples(finite, finite), max_size=200).map(sorted)


@given(points, st.integers(1, 30))
def test_downsampling_keeps_extremes(series: list[tuple[float, float]], most: int) -> None:
    kept = downsampled(series, most)
    assert len(kept) <= 2 * most
    if series:
        assert max(y for _, y in kept) == max(y for _, y in series)
        assert min(y for _, y in kept) == min(y for _, y in series)
    rest = iter(series)
    assert all(point in rest for point in kept)


def test_a_peak_of_one_point_in_a_million_is_drawn() -> None:
    series = [(float(x), 1000.0 if x == 54_321 else 0.0) for x in range(100_000)]
    assert (54_321.0, 1000.0) in downsampled(series, 40)


@given(st.floats(), st.floats(), st.integers(1, 20))
def test_ticks_are_few_and_inside(low: float, high: float, most: int) -> None:
    ticks = nice_ticks(low, high, most)
    assert len(ticks) <= most + 1
    if math.isfinite(high - low) and high > low and len(ticks) > 1:
        slack = (high - low) * 1e-6 + 1e-11
        assert all(low - slack <= tick <= high + slack for tick in ticks)


def test_ticks_are_round() -> None:
    assert nice_ticks(0, 97, 6) == (0, 20, 40, 60, 80)
    assert nice_ticks(-0.3, 0.3, 4) == (-0.2, 0.0, 0.2)


def test_a_line_goes_from_corner_to_corner() -> None:
    canvas = Canvas(4, 2)
    canvas.draw(0, Series("x", ((0, 0), (7, 7))), (0, 7, 0, 7))
    assert ["".join(text for text, _ in canvas.line(y)) for y in range(2)] == ["  ⡠⠊", "⡠⠊  "]


def test_a_point_alone_is_seen() -> None:
    canvas = Canvas(5, 3)
    canvas.draw(0, Series("x", ((1, 1),)), (0, 2, 0, 2))
    drawn = [text for y in range(3) for text, _ in canvas.line(y)]
    assert sum((ord(text) - 0x2800).bit_count() for text in drawn if text != " ") == 5


def test_bars_stand_on_zero() -> None:
    canvas = Canvas(3, 2)
    canvas.draw(1, Series("x", ((0, 8), (2, 4)), "bar"), (0, 2, 0, 8))
    assert ["".join(text for text, _ in canvas.line(y)) for y in range(2)] == ["█  ", "█ █"]


@pytest.mark.parametrize("size", [*SIZES, (20, 6), (8, 3)])
def test_drawn_at_any_size(size: tuple[int, int]) -> None:
    async def act(app: Stage, pilot: Pilot[None], plot: Plot) -> None:
        nasty: list[tuple[Series, ...]] = [
            (),
            (Series("[/x]", ()),),
            (Series("one", ((1.0, 1.0),)), Series("two", ((0.0, math.nan), (math.inf, 2.0)), "bar")),
            (Series("huge", ((-1e308, -1e308), (1e308, 1e308)), "steps"),),
            (Series("same", ((5.0, 3.0), (5.0, 3.0))),),
        ]
        for series in nasty:
            plot.series = series
            plot.on_resize()
            lines = ["".join(part.text for part in plot.render_line(y)) for y in range(plot.size.height)]
            assert {len(line) for line in lines} == {plot.size.width}
        plot.show((Series("a", ((0.0, 1.0), (1.0, 5.0))), Series("[b]", ((1.0, 2.0),))))
        plot.focus()
        await pilot.press("y")

    app = play(lambda: Plot("Load [/x]", unit="Mbit/s"), act, size)
    assert app.copied == ["x\ta\t[b]\n0.0\t1.0\t\n1.0\t5.0\t2.0"]


def test_new_data_wait_for_the_next_half_second() -> None:
    async def act(app: Stage, pilot: Pilot[None], plot: Plot) -> None:
        plot.show((Series("a", ((0.0, 1.0),)),))
        drawn = plot._drawn
        for _ in range(5):
            plot.show((Series("b", ((0.0, 2.0),)),))
        assert plot._drawn == drawn
        await pilot.pause(0.6)
        assert plot._drawn > drawn
        assert "b" in "".join(part.text for part in plot.render_line(0))

    play(lambda: Plot("x"), act)


@given(days, st.integers(-(10**5), 10**5), st.integers(-2000, 2000))
def test_a_day_that_moves_stays_a_day_of_a_record(day: date, by: int, months: int) -> None:
    assert date(1900, 1, 1) <= moved(day, days=by, months=months) <= date(2999, 12, 31)


def test_a_month_after_the_last_of_january() -> None:
    assert moved(date(2013, 1, 31), months=1) == date(2013, 2, 28)
    assert moved(date(2012, 12, 31), months=2) == date(2013, 2, 28)


def test_categories_have_their_names_whole_as_many_as_fit() -> None:
    days = {float(place): f"2026-11-{place:02}" for place in range(1, 17)}

    async def act(app: Stage, pilot: Pilot[None], plot: Plot) -> None:
        plot.show([Series("Received", tuple((place, place) for place in days), "bar")], labels=days)
        await pilot.pause()
        axis = "".join(part.text for part in plot.render_line(plot.size.height - 1)).split()
        assert len(axis) >= 4
        assert set(axis) <= set(days.values())
        assert plot.table().splitlines()[1].startswith("2026-11-01\t1")

    play(lambda: Plot("Received"), act)
