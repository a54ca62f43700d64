"""Values in the reader's language."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from typing import Annotated

import pytest
from annotated_types import Ge, Le

from appliance.console.widgets.editors import entry_text
from appliance.console.widgets.typed import read_typed
from appliance.console.words import Reader, number, sized
from appliance.contract.fields import Field, fields_of
from appliance.contract.fields import Kind as Numbered
from appliance.contract.kinds import Entry, Number
from appliance.contract.refusals import AlreadyThere, InUse, NotFound
from appliance.language import translator
from tests.appliance.console.widgets.rooms import BillLine, Kind, Room

FIELDS = {field.name: field for field in fields_of(Room)}
ENGLISH, INDONESIAN = Reader(), Reader(language="id")


@pytest.mark.parametrize(
    ("name", "value", "english", "indonesian"),
    [
        ("rate", 300_000, "Rp 300,000", "Rp 300.000"),
        ("rate", -300_000, "-Rp 300,000", "-Rp 300.000"),
        ("discount", 10, "10 %", "10 %"),
        ("area", 1234.5, "1,234.5", "1.234,5"),
        ("area", 3.0, "3", "3"),
        ("beds", 1234567, "1,234,567", "1.234.567"),
        ("built", date(2013, 2, 15), "2013-02-15", "15/02/2013"),
        ("built", "2013-02-15", "2013-02-15", "15/02/2013"),
        ("built", None, "", ""),
        ("cleaned", datetime(2013, 2, 15, 14, 5, tzinfo=timezone(timedelta(hours=8))), "2013-02-15 14:05",
         "15/02/2013 14.05"),
        ("vip", True, "yes", "yes"),
        ("kind", Kind.DOUBLE, "double", "double"),
        ("pin", "1234", "••••••", "••••••"),
        ("facilities", ("AC", "[/x]"), "AC, [/x]", "AC, [/x]"),
        ("name", "a\x1bb", "a␛b", "a␛b"),
        ("lines", (BillLine(what="Bed", count=2, each=150_000),), "Bed · 2 · Rp 150,000", "Bed · 2 · Rp 150.000"),
    ],
)  # fmt: skip
def test_shown(name: str, value: object, english: str, indonesian: str) -> None:
    field: Field = FIELDS[name]
    assert ENGLISH.shown(field, value) == english
    assert INDONESIAN.shown(field, value) == indonesian


def test_words_are_translated_and_values_are_not() -> None:
    reader = Reader({"yes": "ya", "{name} is {state}": "{name}: {state}"}.__getitem__, "id")
    assert reader.value(True) == "ya"
    assert reader.say("{name} is {state}", {"name": "{x}[/]", "state": 1000}) == "{x}[/]: 1.000"


def test_what_records_and_lists_are_called_is_translated_and_keys_are_not() -> None:
    """The refusals of the contract: their words are English in the daemon, down to what a record is called."""
    reader = Reader(translator("id"), "id")
    for refused, said in (
        (NotFound("guest", "guest"), "tidak ada tamu guest"),
        (AlreadyThere("guest", "guest"), "sudah ada tamu guest"),
        (InUse("guest", "3275", 2, "bookings"), "tamu 3275 dipakai oleh 2 pemesanan"),
        (InUse("guest", "3275", 2, "{x}[/]"), "tamu 3275 dipakai oleh 2 {x}[/]"),
    ):
        assert reader.say(refused.template, refused.values) == said
        assert ENGLISH.say(refused.template, refused.values) == str(refused)


def test_days_of_json_are_read_as_days() -> None:
    said = {"at": "2026-12-10T14:30:59.123+08:00", "day": "2026-12-10", "name": "2026-12-10b", "none": "2026-13-40"}
    template = "{at} {day} {name} {none}"
    assert ENGLISH.say(template, said) == "2026-12-10 14:30 2026-12-10 2026-12-10b 2026-13-40"
    assert INDONESIAN.say(template, said) == "10/12/2026 14.30 10/12/2026 2026-12-10b 2026-13-40"
    assert (ENGLISH.clock(9, 5, 0), INDONESIAN.clock(9, 5)) == ("09:05:00", "09.05")


@dataclass(frozen=True)
class Door:
    """By numbers that are names."""

    port: Annotated[int, Ge(1), Le(65535), Entry("number")]
    line: Number = 0


@pytest.mark.parametrize("reader", [ENGLISH, INDONESIAN])
def test_a_number_that_is_a_name_has_no_separators(reader: Reader) -> None:
    port, line = fields_of(Door)
    assert (port.kind, line.kind) == (Numbered.NUMBER, Numbered.NUMBER)
    assert (reader.shown(port, 8443), reader.shown(line, 1_000_000)) == ("8443", "1000000")
    assert entry_text(port, 8443, reader) == "8443"
    # Who types a separator all the same is understood.
    assert [read_typed(port, text, reader.language) for text in ("8443", "8.443", "8,443")] == [8443, 8443, 8443]


def test_a_word_that_is_not_there_does_no_harm() -> None:
    assert ENGLISH.say("{a} and {b}", {"a": 1}) == "1 and {b}"
    assert ENGLISH.say("{a} and {", {"a": 1}) == "{a} and {"


def test_number_keeps_all_digits() -> None:
    assert number(2**53 - 1, "id") == "9.007.199.254.740.991"
    assert number(0.1, "id") == "0,1"


@pytest.mark.parametrize(
    ("octets", "english", "indonesian"),
    [
        (0, "0 B", "0 B"),
        (999, "999 B", "999 B"),
        (1000, "1 kB", "1 kB"),
        (12_400_000, "12.4 MB", "12,4 MB"),
        (999_960, "1 MB", "1 MB"),
        (5 * 10**15, "5,000 TB", "5.000 TB"),
    ],
)
def test_sizes_are_shown_as_people_read_them(octets: int, english: str, indonesian: str) -> None:
    assert (sized(octets, "en"), sized(octets, "id")) == (english, indonesian)
