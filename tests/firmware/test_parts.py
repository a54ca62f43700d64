"""The firmware's small parts on the host: numbers, commands, sensor arithmetic, records in EEPROM, buttons."""

from __future__ import annotations

import ctypes
import random
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs.firmware.settings import STATE_BASE, STATE_SIZE, Settings, SettingsError, canonical, crc16, intel_hex

STRIDE = STATE_SIZE + 3


def phone(library, number):
    text = ctypes.create_string_buffer(number.encode("latin-1", "replace")[:16], 17)
    good = library.phone_canonical(text, b"62") & 1
    return text.value.decode() if good else None


@pytest.mark.parametrize(
    ("number", "expected"),
    [("+6281234567890", "6281234567890"), ("081234567890", "6281234567890"), ("006281234567890", "6281234567890"),
     ("6281234567890", "6281234567890"), ("888", None), ("TELKOMSEL", None), ("", None), ("+", None), ("0", None),
     ("00", None), ("+0812345678", None), ("+62812345678901", "62812345678901"), ("+62 812", None)],
)  # fmt: skip
def test_national_and_international_are_one_number(irrigation_host, number, expected):
    assert phone(irrigation_host, number) == expected


@given(st.text("0123456789+a", max_size=16))
def test_numbers_as_the_provisioning_tool_sees_them(irrigation_host, number):
    """Two writings of one rule, C and Python, agree."""
    try:
        expected = canonical(number, "62")
    except SettingsError:
        expected = None
    assert phone(irrigation_host, number) == expected


@given(st.binary(max_size=44), st.booleans())
def test_no_text_but_the_commands_is_a_command(irrigation_host, lamps_host, text, whole):
    commands = [b"#SYS_ON", b"#ON_A", b"#ON_B", b"#S_OFF", b"#SYS_OFF"]
    stripped = text.split(b"\0")[0].strip(b" \r\n")
    parsed = irrigation_host.application_parse(ctypes.c_char_p(text), whole) & 0xFF
    assert parsed == (commands.index(stripped) + 1 if whole and stripped in commands else 0)
    words = b" ".join(text.split(b"\0")[0].lower().split())
    known = [b"lampu %b %b" % (n, s) for n in (b"teras", b"kamar", b"dapur") for s in (b"on", b"off")]
    known += [b"semua lampu on", b"semua lampu off", b"status lampu"]
    assert (lamps_host.command_parse(ctypes.c_char_p(text), whole) & 0xFF != 0x40) == (whole and words in known)


def answer(library, command, lamps):
    text = ""
    while code := library.answer_character(command, lamps, len(text)) & 0xFF:
        text += chr(code)
    return text


@pytest.mark.parametrize(
    ("command", "lamps", "text"),
    [(0x19, 1, "Lampu Teras ON"), (0x12, 0, "Lampu Kamar OFF"), (0x1F, 7, "Semua lampu ON"),
     (0x17, 0, "Semua lampu OFF"), (0x20, 5, "Teras ON, Kamar OFF, Dapur ON"),
     (0x40, 7, "salah format !!!"), (0x80, 0, "Ready")],
)  # fmt: skip
def test_answers(lamps_host, command, lamps, text):
    assert answer(lamps_host, command, lamps) == text


@given(st.integers(-8192, 16384), st.integers(2300, 2700))
def test_voltage(irrigation_host, difference, reference):
    got = ctypes.c_int16(irrigation_host.sensor_voltage(ctypes.c_int16(difference), ctypes.c_uint16(reference))).value
    exact = max(Fraction(difference * reference * 10, 8192), Fraction(0))
    assert got == min(int(exact), 32767)


@given(st.integers(0, 1), st.integers(130, 20_000))
def test_interpolation_is_the_table_within_a_tenth(irrigation_host, sensor, voltage):
    irrigation_host.host_start()
    site = Settings()
    mv, levels = [round(v * 100) for v in site.sensors[sensor]], site.levels
    piece = next((p for p in range(1, 4) if voltage <= mv[p]), 4)
    exact = levels[piece - 1] + Fraction(
        (voltage - mv[piece - 1]) * (levels[piece] - levels[piece - 1]), mv[piece] - mv[piece - 1]
    )
    got = ctypes.c_int16(irrigation_host.sensor_interpolate(sensor, ctypes.c_int16(voltage))).value
    assert abs(got - float(min(max(exact * 10, 0), 1500))) < 1


def test_faults_by_voltage(irrigation_host):
    for voltage, level in ((0, -101), (129, -101), (20_001, -102)):
        assert ctypes.c_int16(irrigation_host.sensor_interpolate(0, voltage)).value == level


@given(st.lists(st.integers(-32768, 32767), min_size=5, max_size=5))
def test_median(irrigation_host, values):
    array = (ctypes.c_int16 * 5)(*values)
    assert ctypes.c_int16(irrigation_host.sensor_median(array)).value == sorted(values)[2]


@given(st.lists(st.integers(0, 3), min_size=1, max_size=60))
def test_buttons_count_only_steady_presses(irrigation_host, raw):
    irrigation_host.buttons_start(0)
    stable, history = 0, [0, 0]
    for value in raw:
        history.append(value)
        pressed = irrigation_host.buttons_tick(value) & 0xFF
        settled = history[-1] == history[-2] == history[-3]
        assert pressed == (value & ~stable if settled else 0)
        stable = value if settled else stable


def test_crc_of_the_catalogue(irrigation_host):
    crc = 0xFFFF
    for byte in b"123456789":
        crc = irrigation_host.crc16(ctypes.c_uint16(crc), byte) & 0xFFFF
    assert crc == crc16(b"123456789") == 0x29B1


def test_a_record_torn_at_any_byte_is_the_old_one_or_the_new_one(lamps_host):
    """Saves go on; at each single EEPROM write the power goes, and the byte under way becomes anything."""
    eeprom = (ctypes.c_uint8 * 512).in_dll(lamps_host, "host_eeprom")
    writes = ctypes.c_uint64.in_dll(lamps_host, "host_writes")
    chance = random.Random(3)
    ctypes.memset(eeprom, 0xFF, 512)
    lamps_host.state_load()
    saved = None
    for _ in range(600):
        new = bytes(chance.randrange(256) for _ in range(STATE_SIZE))
        lamps_host.state_put(0, new, STATE_SIZE)
        lamps_host.state_commit()
        cut = chance.randrange(STRIDE + 3)
        for _ in range(cut):
            before, done = bytes(eeprom), writes.value
            lamps_host.state_poll()
        if cut and writes.value > done:
            place = next((i for i in range(512) if eeprom[i] != before[i]), STATE_BASE)
            if cut < STRIDE:
                eeprom[place] = chance.randrange(256)
        loaded = lamps_host.state_load() & 1
        got = ctypes.create_string_buffer(STATE_SIZE)
        lamps_host.state_get(0, got, STATE_SIZE)
        if loaded:
            assert got.raw in (saved, new)
            saved = got.raw
        else:
            assert saved is None


def test_settings_file(tmp_path):
    path = tmp_path / "site.ini"
    path.write_text("[site]\nnumbers = 081234567890\nopen = yes\nfill minutes = 5\n")
    site = Settings.read(path)
    assert (site.open_to_all, site.fill_minutes) == (True, 5)
    assert b"6281234567890\0" in site.image()
    assert intel_hex(b"\x01\x02", 0x40).splitlines() == [":0200400001 02BB".replace(" ", ""), ":00000001FF"]


@pytest.mark.parametrize(
    "text",
    ["", "[site]\nnumbers = 888", "[site]\nnumbers = 1 2 3 4", "[site]\nfill minutes = 0", "[site]\nopen = perhaps",
     "[site]\nreference mv = 5000", "[site]\n[sensors]\nlevels = 0 1\nsensor 1 = 1 2\nsensor 2 = 1 2"],
)  # fmt: skip
def test_bad_settings_are_refused(tmp_path, text):
    path = tmp_path / "site.ini"
    path.write_text(text)
    with pytest.raises(SettingsError):
        Settings.read(path).image()
