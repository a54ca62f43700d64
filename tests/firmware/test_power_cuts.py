"""Power cuts at random cycles, on the real images: EEPROM writes are torn, memory comes back as noise."""

from __future__ import annotations

import random

import pytest

from labs.firmware.modem import Modem
from labs.firmware.settings import SETTINGS_BASE, STATE_BASE, STATE_SIZE, Settings, crc16
from tests.conftest import LONG
from tests.firmware.conftest import OWNER, SITE
from tests.firmware.test_irrigation_tables import command
from tests.firmware.test_irrigation_tables import ready as irrigation_ready
from tests.firmware.test_lamps_tables import ready

CUTS = 400 if LONG else 25
STRIDE = STATE_SIZE + 3


def valid_copies(eeprom: bytes) -> int:
    return sum(crc16(eeprom[at : at + STRIDE]) == 0 for at in (STATE_BASE, STATE_BASE + STRIDE))


@pytest.mark.parametrize("seed", range(2))
def test_lamps_state_survives_cuts_within_writes(lamps, seed):
    """Commands change the state; the power goes within the next 300 ms, the write of 19 bytes included."""
    chance = random.Random(seed)
    board = ready(lamps, modem=Modem(send_time=0.2))
    board.simulator.command(f"seed {seed + 1}")
    states = [board.lamps]
    torn = 0
    for turn in range(CUTS):
        name = chance.choice(["Teras", "Kamar", "Dapur"])
        board.message(OWNER, f"Lampu {name} {'ON' if turn % 2 else 'OFF'}")
        before = board.lamps
        board.until(lambda before=before: board.lamps != before, 1.2, 0.05)
        states = [before, board.lamps]
        board.advance(chance.uniform(0, 1.2))
        board.power(False)
        torn += valid_copies(board.simulator.eeprom()) < 2
        board.modem.stored.clear()
        board.power(True)
        board.advance(0.05)
        assert board.lamps in states, "the state before or after the last command, nothing else"
        board.until(lambda: board.modem.stored or board.modem.text_mode, 3)
        assert board.until(lambda: board.outputs["indicator"], 40, 0.5)
    assert torn or turn < 50, "some cuts fell within a write"


def test_half_written_state_and_noise_in_eeprom(irrigation):
    """Any one copy may be destroyed; with both gone the field is off, not anything."""
    board = irrigation_ready(irrigation)
    command(board, "#ON_B", seconds=6)
    board.level("A", 55)
    command(board, "#SYS_ON", seconds=6)
    image = board.simulator.eeprom()
    assert valid_copies(image) == 2
    for wreck, expected in (((0,), None), ((1,), None), ((0, 1), (False, False))):
        board.power(False)
        board.simulator.poke(STATE_BASE, image[STATE_BASE : STATE_BASE + 2 * STRIDE])
        for copy in wreck:
            board.simulator.poke(STATE_BASE + copy * STRIDE + 3, b"\xa5\x5a")
        board.power(True)
        board.advance(9)
        got = (board.outputs["A"], board.outputs["B"])
        assert got == expected or (expected is None and got[1])


def test_damaged_settings_copy_is_not_missed(lamps):
    for copy in range(2):
        board = lamps(settings=SITE)
        board.simulator.poke(SETTINGS_BASE + copy * 87 + 20, b"\0\0\0")
        board.power(True)
        assert board.until(lambda board=board: board.modem.sent, 20)
        assert board.modem.sent[0].number == OWNER


def test_outputs_are_off_until_the_level_is_known(irrigation):
    board = irrigation_ready(irrigation)
    command(board, "#SYS_ON", seconds=8)
    assert board.outputs == {"A": True, "B": True}
    board.power(False)
    board.level("A", 95)
    at = board.now
    board.power(True)
    board.advance(15)
    later = [change for change in board.changes if change.at > at]
    assert [(change.name, change.on) for change in later] == [("B", True)]
    assert later[0].at - at > 3, "five seconds of measurement come first"


def test_cuts_do_not_stretch_the_filling_time(irrigation):
    board = irrigation_ready(irrigation, a=20, settings=Settings(numbers=(OWNER,), fill_minutes=3))
    command(board, "#ON_A")
    pumped = 0.0
    for _ in range(12):
        start = board.now
        board.until(lambda: not board.outputs["A"], 50, 1)
        pumped += board.now - start
        board.power(False)
        board.advance(1)
        board.power(True)
        board.advance(10)
    assert not board.outputs["A"]
    assert pumped <= 3 * 60 + 10


def test_an_alarm_outlives_a_cut_before_it_was_sent(irrigation):
    board = irrigation_ready(irrigation, a=80, settings=Settings(numbers=(OWNER,)))
    command(board, "#ON_A")
    board.modem.credit = False
    board.level("A", 105)
    board.advance(12)
    assert not board.modem.sent
    board.power(False)
    board.level("A", 50)
    board.modem.credit = True
    board.power(True)
    assert board.until(lambda: board.modem.sent, 60, 1)
    assert board.modem.sent[0].text.startswith("ALARM sawah A: air ?%")
