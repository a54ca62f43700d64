"""Serials: each change of what is served gives a greater one, whatever was served before."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from appliance.services.dns.serials import (
    Remembered,
    greater,
    next_serial,
    read_memory,
    served_text,
    written_memory,
)
from appliance.services.dns.serving import publish
from appliance.services.dns.zone_text import serial_in, write_zone
from tests.appliance.services.dns.zones import zone

SERIALS = st.integers(1, 2**32 - 1)
CLOCKS = st.integers(0, 2**33)
CONTENTS = st.lists(st.sampled_from(["", "a A 192.0.2.7", "b A 192.0.2.8", "c A 192.0.2.9"]), min_size=1, max_size=8)


@given(SERIALS, SERIALS, CLOCKS)
def test_the_next_is_greater(before: int, least: int, now: int) -> None:
    found = next_serial(before, least, now)
    assert greater(found, before)
    assert 0 < found < 2**32


def test_two_steps_do_not_lead_round_the_circle() -> None:
    """The clock is nearly half the circle ahead, and the least as much again: together they would be behind."""
    found = next_serial(1, 2**31 + 2**30, 2**31 - 10)
    assert found == 2**31 - 10


@given(SERIALS, CLOCKS)
def test_the_first_is_ahead_of_the_clock_and_of_what_is_wanted(least: int, now: int) -> None:
    found = next_serial(None, least, now)
    assert found >= least
    assert found >= now % 2**32


def test_rfc_1982_goes_round() -> None:
    assert greater(1, 2**32 - 1)
    assert not greater(2**32 - 1, 1)
    assert not greater(7, 7)
    assert next_serial(2**32 - 1, 1, 0) == 1


@given(CONTENTS, st.lists(CLOCKS, min_size=8, max_size=8))
def test_equal_content_keeps_its_serial_and_other_content_has_a_greater_one(
    contents: list[str], clocks: list[int]
) -> None:
    """Also when an older content comes back, and when the clock goes back."""
    remembered: Remembered | None = None
    for content, clock in zip(contents, clocks, strict=False):
        text = write_zone(zone("example.org", content))
        served, now = served_text(text, remembered, clock)
        assert serial_in(served) == now.serial
        if remembered is not None:
            same = remembered.digest == now.digest
            assert now.serial == remembered.serial if same else greater(now.serial, remembered.serial)
        remembered = now


@given(st.dictionaries(st.from_regex(r"[a-z.]{1,9}", fullmatch=True), st.builds(Remembered, st.text(), SERIALS)))
def test_the_memory_is_written_and_read(memory: dict[str, Remembered]) -> None:
    assert read_memory(written_memory(memory)) == memory


def _files(folder: Path, zones: dict[str, str]) -> Path:
    (folder / "zones").mkdir(parents=True)
    for name, lines in zones.items():
        (folder / "zones" / f"{name}.zone").write_text(write_zone(zone(name, lines)))
    return folder


def test_zones_are_published_with_their_serials(tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir()
    first = publish(_files(tmp_path / "1", {"a.example": "", "b.example": ""}), state)
    untouched = (state / "zones" / "b.example.zone").stat()
    second = publish(_files(tmp_path / "2", {"a.example": "x A 192.0.2.7", "b.example": ""}), state)
    assert greater(second["a.example"], first["a.example"])
    assert second["b.example"] == first["b.example"]
    # NSD reads what is new by its time.
    assert (state / "zones" / "b.example.zone").stat().st_mtime_ns == untouched.st_mtime_ns
    for name, serial in second.items():
        assert serial_in((state / "zones" / f"{name}.zone").read_text()) == serial

    # A zone that goes and comes back has not forgotten.
    assert publish(_files(tmp_path / "3", {"b.example": ""}), state) == {"b.example": first["b.example"]}
    assert sorted(path.name for path in (state / "zones").iterdir()) == ["b.example.zone"]
    back = publish(tmp_path / "1", state)
    assert greater(back["a.example"], second["a.example"])

    # A memory that is spoilt begins anew, by the clock.
    (state / "serials.json").write_text("[")
    anew = publish(tmp_path / "1", state)
    assert anew.keys() == back.keys()
    assert read_memory((state / "serials.json").read_text())["a.example"].serial == anew["a.example"]
