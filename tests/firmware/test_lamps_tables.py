"""The house lamps: each row of the paper's results table, and what its program lacks (lmp-1), on the real image."""

from __future__ import annotations

import pytest

from labs.firmware.settings import Settings
from tests.firmware.conftest import OWNER, SECOND, STRANGER

# The paper's table of results: the command, the lamps after it (from all off), the answer.
ROWS = [
    ("Lampu Teras ON", (True, False, False), "lampu teras on"),
    ("Lampu Kamar ON", (False, True, False), "lampu kamar on"),
    ("Lampu Dapur ON", (False, False, True), "lampu dapur on"),
    ("Semua lampu ON", (True, True, True), "semua lampu on"),
    ("Semua lampu OFF", (False, False, False), "semua lampu off"),
]


def ready(lamps, **options):
    board = lamps(**options)
    board.power(True)
    assert board.until(lambda: board.outputs["indicator"], 20)
    return board


def answer(board, text, sender=OWNER):
    before = len(board.modem.sent)
    board.message(sender, text)
    assert board.until(lambda: len(board.modem.sent) > before, 20)
    board.advance(1)
    return board.modem.sent[before]


@pytest.mark.parametrize(("command", "state", "reply"), ROWS, ids=[row[0] for row in ROWS])
def test_row_of_the_results_table(lamps, command, state, reply):
    board = ready(lamps)
    before = len(board.changes)
    sent = answer(board, command)
    assert board.lamps == state
    assert (sent.number, sent.text.lower()) == (OWNER, reply)
    indicator = [change.on for change in board.changes[before:] if change.name == "indicator"]
    assert indicator == [False, True], "off while the command is carried out, then on"


def test_ready_and_indicator_at_power_up(lamps):
    board = lamps()
    board.power(True)
    board.advance(0.5)
    assert not any(board.outputs.values()), "outputs are off until the state is known"
    assert board.until(lambda: board.outputs["indicator"], 20)
    assert [(sent.number, sent.text) for sent in board.modem.sent] == [(OWNER, "Ready")]


def test_each_lamp_off_again_and_the_others_untouched(lamps):
    board = ready(lamps)
    answer(board, "Semua lampu ON")
    for place, name in enumerate(["Teras", "Kamar", "Dapur"]):
        sent = answer(board, f"Lampu {name} OFF")
        assert sent.text == f"Lampu {name} OFF"
        assert board.lamps == tuple(later > place for later in range(3))


def test_status_and_wrong_format(lamps):
    board = ready(lamps)
    answer(board, "Lampu Kamar ON")
    assert answer(board, "Status lampu").text == "Teras OFF, Kamar ON, Dapur OFF"
    assert answer(board, "Lampu Gudang ON").text == "salah format !!!"
    assert answer(board, "").text == "salah format !!!"
    assert board.lamps == (False, True, False)


def test_only_registered_numbers_in_both_forms(lamps):
    board = ready(lamps)
    for sender in (STRANGER, "TELKOMSEL", "888", "6281234567890123456", "+62812345678901"):
        board.message(sender, "Semua lampu ON")
        board.advance(6)
    assert board.lamps == (False, False, False)
    assert len(board.modem.sent) == 1, "strangers get no answer"
    assert not board.modem.stored, "their messages are deleted all the same"
    assert answer(board, "Lampu Teras ON", "081234567890").number == OWNER
    assert answer(board, "Lampu Kamar ON", "+6281222333444").number == "+6281222333444"
    assert answer(board, "Lampu Dapur ON", SECOND).number == "+6281222333444"
    assert board.lamps == (True, True, True)


def test_open_mode_obeys_anybody_with_a_number(lamps):
    board = ready(lamps, settings=Settings(numbers=(OWNER,), open_to_all=True))
    assert answer(board, "Lampu Teras ON", STRANGER).number == STRANGER
    board.message("TELKOMSEL", "Semua lampu ON")
    board.advance(6)
    assert board.lamps == (True, False, False)


def test_wrong_format_answers_are_bounded(lamps):
    board = ready(lamps)
    for _ in range(8):
        board.message(OWNER, "salah format !!!")
        board.advance(6)
    assert len(board.modem.sent) == 1 + 4
    assert answer(board, "Lampu Teras ON").text == "Lampu Teras ON", "commands are answered still"


def test_lamps_come_back_after_a_power_cut(lamps):
    board = ready(lamps)
    answer(board, "Lampu Kamar ON")
    board.power(False)
    assert board.lamps == (False, False, False)
    board.advance(2)
    board.modem.reset(board.now)
    board.power(True)
    board.advance(0.1)
    assert board.lamps == (False, True, False)
    assert board.until(lambda: board.outputs["indicator"], 30)
    assert [sent.text for sent in board.modem.sent] == ["Ready", "Lampu Kamar ON", "Ready"]


def test_no_character_is_lost_while_a_reply_is_sent(lamps):
    """Full duplex: a command comes in at 9600 baud, two per cent off, while "Teras ON, Kamar ..." goes out."""
    for baud in (9400, 9800):
        board = ready(lamps)
        board.simulator.command(f"baud {baud}")
        board.modem.send_time = 0.3
        for number in range(6):
            board.message(OWNER, "Status lampu")
            board.message(SECOND, f"Lampu Kamar {'ON' if number % 2 == 0 else 'OFF'}")
            board.advance(3)
        assert board.until(lambda board=board: len(board.modem.sent) >= 13, 60)
        assert board.simulator.figures()["framing"] == 0
        texts = [sent.text for sent in board.modem.sent[1:]]
        assert texts.count("Lampu Kamar ON") == texts.count("Lampu Kamar OFF") == 3
