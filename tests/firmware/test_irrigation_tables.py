"""The rice field: each row of the paper's test tables and each rule of the sheet, on the real image."""

from __future__ import annotations

import pytest

from labs.firmware.board import sensor_millivolts
from labs.firmware.settings import Settings
from tests.firmware.conftest import OWNER, SECOND, SITE, STRANGER

LEVELS = [0, 30, 50, 73, 90]
SENSOR_1 = [2.7, 31.5, 47.8, 69.1, 92.6]
SENSOR_2 = [2.8, 33.2, 51.6, 67.2, 82.5]
ONE = Settings(numbers=(OWNER,))


def ready(irrigation, a=50.0, b=50.0, **options):
    board = irrigation(**options)
    board.level("A", a)
    board.level("B", b)
    board.power(True)
    assert board.until(lambda: board.display[0].endswith("G") and "--" not in "".join(board.display), 20, 0.5)
    return board


def command(board, text, sender=OWNER, seconds=4.0):
    board.message(sender, text)
    board.advance(seconds)


def texts(board):
    return [sent.text for sent in board.modem.sent]


def test_display_at_power_on_shows_the_levels(irrigation):
    """Table 7, row 1."""
    board = irrigation()
    board.level("A", 73)
    board.level("B", 30)
    board.power(True)
    board.advance(8)
    assert [row[:6] for row in board.display] == ["A  73%", "B  30%"]
    assert board.outputs == {"A": False, "B": False}


@pytest.mark.parametrize("row", range(5))
def test_sensor_table(irrigation, row):
    """Table 2: what the electrodes give at each level comes back as the level, of both sensors."""
    board = irrigation()
    board.volts("A", SENSOR_1[row])
    board.volts("B", SENSOR_2[row])
    board.power(True)
    board.advance(8)
    for display in board.display:
        assert int(display[2:5]) == LEVELS[row]


def test_sys_on_low_level_reports_and_tries_to_fill(irrigation):
    """Tables 3 and 4, row 1, with erratum irr-3: below 30 % a report, then filling, not switching off at once."""
    board = ready(irrigation, a=20.5, b=70, settings=ONE)
    command(board, "#SYS_ON", seconds=8)
    assert board.outputs == {"A": True, "B": True}
    assert texts(board) == ["Sawah A: air 20%, di bawah 30%. Pompa mengisi; periksa bak dan pompa."]
    assert "FILL" in board.display[0]


def test_sys_on_middle_level_reports_and_pumps(irrigation):
    """Table 4: above 30 and below 60 %."""
    board = ready(irrigation, a=45, b=31, settings=ONE)
    command(board, "#SYS_ON", seconds=10)
    assert board.outputs == {"A": True, "B": True}
    assert len(texts(board)) == 2
    assert all("Pompa menyala" in text for text in texts(board))


def test_sys_on_high_level_reports_and_stops(irrigation):
    """Table 4: 85 % and more."""
    board = ready(irrigation, a=86, b=92, settings=ONE)
    command(board, "#SYS_ON", seconds=10)
    assert board.outputs == {"A": False, "B": False}
    assert len(texts(board)) == 2
    assert all("Pompa mati" in text for text in texts(board))


@pytest.mark.parametrize("field", "AB")
def test_one_field_only(irrigation, field):
    """Tables 3 and 4, #ON_A and #ON_B: that field works, the other does not, even when it worked before."""
    board = ready(irrigation, settings=ONE)
    command(board, "#SYS_ON")
    command(board, f"#ON_{field}")
    assert board.outputs == {"A": field == "A", "B": field == "B"}


@pytest.mark.parametrize("text", ["#S_OFF", "#SYS_OFF"])
def test_everything_off(irrigation, text):
    """Tables 3 and 4, #S_OFF (and its other spelling), by hand or automatic."""
    board = ready(irrigation)
    command(board, "#ON_A")
    board.push("B")
    assert board.outputs == {"A": True, "B": True}
    command(board, text)
    assert board.outputs == {"A": False, "B": False}
    board.advance(3)
    assert [row[7:11] for row in board.display] == ["OFF ", "OFF "]


@pytest.mark.parametrize("field", "AB")
def test_push_button_switches_its_relay(irrigation, field):
    """Table 5, rows 1 and 2."""
    board = ready(irrigation)
    board.push(field)
    assert board.outputs == {"A": field == "A", "B": field == "B"}
    board.push(field)
    assert board.outputs == {"A": False, "B": False}


@pytest.mark.parametrize(
    "text", ["#sys_on", "SYS_ON", "#SYS_ON please", "#SYS", "halo", "", "#SYS_ON" * 23, "#SYS\N{EURO SIGN}"]
)
def test_anything_else_is_ignored(irrigation, text):
    board = ready(irrigation)
    command(board, text)
    assert board.outputs == {"A": False, "B": False}
    assert not board.modem.sent
    assert not board.modem.stored


def test_pump_keeps_its_state_between_60_and_85(irrigation):
    board = ready(irrigation, a=70, b=70, settings=ONE)
    command(board, "#ON_A")
    assert board.outputs["A"], "it starts from on"
    for level, expected in [
        (84, True),
        (85.6, False),
        (80, False),
        (61, False),
        (59, True),
        (75, True),
        (84, True),
        (86, False),
    ]:
        board.level("A", level)
        board.advance(6)
        assert board.outputs["A"] is expected, level


def test_above_100_percent_the_field_is_shut_down_with_a_warning(irrigation):
    board = ready(irrigation, a=80, settings=ONE)
    command(board, "#ON_A")
    board.level("A", 104)
    board.advance(10)
    assert not board.outputs["A"]
    assert any(text.startswith("ALARM sawah A: air 10") for text in texts(board))
    board.level("A", 50)
    board.advance(10)
    assert not board.outputs["A"], "it stays shut down"
    board.push("A")
    assert board.outputs["A"], "a button releases it"


def test_filling_that_does_not_rise_locks_the_field(irrigation):
    site = Settings(numbers=(OWNER,), fill_minutes=2)
    board = ready(irrigation, a=20, settings=site)
    command(board, "#ON_A")
    start = board.changes[-1].at
    assert board.until(lambda: not board.outputs["A"], 130)
    assert 118 <= board.changes[-1].at - start <= 122
    assert board.until(lambda: any("dikunci" in text for text in texts(board)), 10)
    board.level("A", 50)
    board.advance(20)
    assert not board.outputs["A"]
    assert "LOCK" in board.display[0]
    command(board, "#ON_A")
    assert board.outputs["A"], "a command releases it"


def test_filling_that_rises_goes_on(irrigation):
    site = Settings(numbers=(OWNER,), fill_minutes=1)
    board = ready(irrigation, a=5, settings=site)
    command(board, "#ON_A")
    for level in range(5, 62):  # 7.5 points a minute
        board.level("A", level)
        board.advance(8)
        assert board.outputs["A"]


def test_buttons_override_for_their_time_except_above_100(irrigation):
    site = Settings(numbers=(OWNER,), override_minutes=1)
    board = ready(irrigation, a=90, b=50, settings=site)
    command(board, "#SYS_ON")
    assert board.outputs == {"A": False, "B": True}
    board.push("A")
    board.push("B")
    assert board.outputs == {"A": True, "B": False}
    board.advance(50)
    assert board.outputs == {"A": True, "B": False}
    board.advance(15)
    assert board.outputs == {"A": False, "B": True}
    board.push("A")
    board.level("A", 103)
    board.advance(6)
    assert not board.outputs["A"], "above 100 % the override ends"
    board.push("A")
    assert not board.outputs["A"], "and cannot be asked for"


@pytest.mark.parametrize(("millivolts", "word", "report"), [(0.0, "OPEN", "putus"), (255.0, "SHRT", "korslet")])
def test_broken_wire_and_short(irrigation, millivolts, word, report):
    board = ready(irrigation, settings=ONE)
    command(board, "#SYS_ON")
    board.volts("A", millivolts)
    board.advance(6)
    assert board.outputs == {"A": False, "B": True}
    board.advance(10)
    assert word in board.display[0]
    assert any(report in text for text in texts(board))
    board.level("A", 50)
    board.advance(6)
    assert board.outputs["A"]


def test_reports_go_to_all_registered_numbers_only(irrigation):
    board = ready(irrigation, a=45)
    command(board, "#ON_A", STRANGER)
    assert not board.outputs["A"]
    command(board, "#ON_A", SECOND, seconds=10)
    assert sorted(sent.number for sent in board.modem.sent) == sorted([OWNER, "+6281222333444"])


def test_a_level_trembling_at_a_threshold_costs_little(irrigation):
    board = ready(irrigation, a=59, settings=ONE)
    command(board, "#ON_A")
    for turn in range(60):
        board.level("A", 58 if turn % 2 else 86)
        board.advance(10)
    assert len(board.modem.sent) <= 4, "ten minutes, both reports at most twice"


def test_resolution(irrigation):
    """Sensor 2 from 50 to 73 %, the flattest piece: 0.68 mV a percent. The display turns over where it should."""
    board = ready(irrigation)
    shown = []
    for tenths in range(11):
        board.volts("B", sensor_millivolts(SITE, 1, 60 + tenths / 10))
        board.advance(7)
        shown.append(int(board.display[1][2:5]))
    assert shown == sorted(shown)
    assert (shown[0], shown[-1]) == (60, 61)
    assert 3 <= shown.index(61) <= 7, "from 60.3 to 60.7: within 0.2 points of a half"
