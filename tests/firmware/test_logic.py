"""The pump's rules (irrigation/logic.c) on the host, a second a step: examples by hand, laws by Hypothesis."""

from __future__ import annotations

import ctypes

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

UNKNOWN, BROKEN, SHORT = -100, -101, -102
LOW, NOT_RISING, OVERFULL, E_BROKEN, E_SHORT, ON, OFF, RECOVERED = (1 << bit for bit in range(8))
NONE, L_NOT_RISING, L_OVERFULL = range(3)


class Saved(ctypes.Structure):
    _fields_ = [
        (name, ctypes.c_uint8)
        for name in ("automatic", "want", "filling", "lock", "band", "fill_minutes", "fill_base", "alarms")
    ]


class FieldState(ctypes.Structure):
    _fields_ = [
        ("saved", Saved),
        ("pump", ctypes.c_uint8),
        ("override", ctypes.c_uint8),
        ("fault", ctypes.c_uint8),
        ("events", ctypes.c_uint8),
        ("fill_seconds", ctypes.c_uint8),
        ("override_left", ctypes.c_uint16),
    ]


class Times(ctypes.Structure):
    _fields_ = [("fill", ctypes.c_uint8), ("override", ctypes.c_uint16)]


class Field:
    def __init__(self, library, fill=2, override=60):
        self.c, self.state, self.times = library, FieldState(), Times(fill, override)

    def second(self, level):
        self.state.events = 0
        self.c.field_second(ctypes.byref(self.state), ctypes.c_int16(level), ctypes.byref(self.times))
        return self.state.events

    def on(self):
        self.c.field_automatic(ctypes.byref(self.state))

    def off(self):
        self.c.field_off(ctypes.byref(self.state))

    def button(self, level):
        self.c.field_button(ctypes.byref(self.state), ctypes.c_int16(level), ctypes.byref(self.times))

    pump = property(lambda self: bool(self.state.pump))
    lock = property(lambda self: self.state.saved.lock)


@pytest.mark.parametrize(
    ("level", "pump", "event"),
    [(0, True, LOW), (299, True, LOW), (300, True, ON), (599, True, ON), (600, True, 0), (849, True, 0),
     (850, False, OFF), (1000, False, OFF), (1001, False, OVERFULL)],
)  # fmt: skip
def test_first_second_after_the_command_at_each_border(irrigation_host, level, pump, event):
    field = Field(irrigation_host)
    field.on()
    assert (field.second(level), field.pump) == (event, pump)


def test_filling_time_is_exact(irrigation_host):
    field = Field(irrigation_host, fill=2)
    field.on()
    seconds = 0
    while not field.lock:
        field.second(200)
        seconds += 1
    assert seconds == 122
    assert not field.pump


@pytest.mark.parametrize(("rise", "locked"), [(49, True), (50, False)])
def test_five_points_and_not_less(irrigation_host, rise, locked):
    field = Field(irrigation_host, fill=1)
    field.on()
    field.second(100)
    for _ in range(61):
        field.second(100 + rise)
    assert bool(field.lock) is locked


def test_fault_is_told_once_and_recovery_too(irrigation_host):
    field = Field(irrigation_host)
    field.on()
    field.second(500)
    assert [field.second(BROKEN) for _ in range(3)] == [E_BROKEN, 0, 0]
    assert field.second(SHORT) == E_SHORT
    assert not field.pump
    assert field.second(500) & RECOVERED
    assert field.pump


def test_no_fault_is_told_while_off(irrigation_host):
    field = Field(irrigation_host)
    assert field.second(BROKEN) == 0


LEVELS = st.one_of(
    st.integers(0, 1100), st.sampled_from([UNKNOWN, BROKEN, SHORT, 299, 300, 309, 310, 599, 600, 849, 850, 1000, 1001])
)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("level"), LEVELS, st.integers(1, 90)),
        st.tuples(st.sampled_from(["on", "off", "button"]), st.just(0), st.just(0)),
    ),
    max_size=40,
)


@given(STEPS)
@settings(max_examples=300)
def test_laws_of_the_pump(irrigation_host, steps):
    """Whatever happens: the limits hold in automatic mode, and the hard ones always."""
    field = Field(irrigation_host, fill=2, override=60)
    level, below, base = UNKNOWN, 0, None
    for kind, value, seconds in steps:
        if kind == "level":
            level = value
        elif kind == "button":
            field.button(level)
        else:
            field.on() if kind == "on" else field.off()
            below, base = 0, None
        for _ in range(max(seconds, 1)):
            locked = field.lock
            events = field.second(level)
            by_hand = field.state.override != 0
            assert not (field.pump and level > 1000)
            assert not (field.pump and level == UNKNOWN)
            assert not (by_hand and field.state.override_left > 60)
            if field.pump and not by_hand:
                assert field.state.saved.automatic
                assert field.lock == NONE
                assert 0 <= level < 850
            if field.pump and not by_hand and level < 300:
                if base is None or level >= base + 48:
                    below, base = 0, level
                below += 1
                assert below <= 2 * 60 + 3
            elif level >= 310 or by_hand:
                below, base = 0, None
            if field.lock != locked and field.lock:
                assert events & (NOT_RISING | OVERFULL), "no lock without an alarm"
            if level < 0 or field.lock:
                assert not field.pump or by_hand


@given(st.lists(LEVELS, min_size=1, max_size=30))
def test_off_means_off_and_silent(irrigation_host, levels):
    field = Field(irrigation_host)
    for level in levels:
        assert field.second(level) == 0
        assert not field.pump
