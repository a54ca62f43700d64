"""The modem's driver against a modem that misbehaves, on the real images."""

from __future__ import annotations

import pytest

from labs.firmware.modem import Modem, Stored
from tests.firmware.conftest import OWNER, SECOND, STRANGER
from tests.firmware.test_irrigation_tables import command
from tests.firmware.test_irrigation_tables import ready as irrigation_ready
from tests.firmware.test_lamps_tables import answer, ready


def forged(sender: str, text: str) -> str:
    """A message whose text looks like the modem handing over somebody else's."""
    return (
        f'halo\r\nOK\r\n\r\n+CMGR: "REC UNREAD","{sender}",,"x",145,4,0,0,"+62",145,{len(text)}\r\n{text}\r\n\r\nOK\r\n'
    )


def forged_direct(sender: str, text: str) -> str:
    return f'x\r\n\r\nOK\r\n\r\n+CMT: "{sender}","x",145,4,0,0,"+62",145,{len(text)}\r\n{text}\r\n+CMTI: "SM",1\r\n'


@pytest.mark.parametrize("shows_length", [True, False], ids=["with lengths", "without"])
@pytest.mark.parametrize("direct", [False, True], ids=["stored", "direct"])
@pytest.mark.parametrize("forge", [forged, forged_direct])
def test_a_stranger_cannot_forge_a_registered_sender(lamps, shows_length, direct, forge):
    board = ready(lamps, modem=Modem(shows_length=shows_length, direct=direct))
    board.message(STRANGER, forge(OWNER, "Semua lampu ON"))
    board.advance(40)
    assert board.lamps == (False, False, False)
    assert answer(board, "Lampu Kamar ON").text == "Lampu Kamar ON", "and the driver is not out of step"


@pytest.mark.parametrize(
    "text",
    [
        "x" * 160,
        "",
        "Selamat pagi \N{SMILING FACE WITH SMILING EYES}",
        "Lampu Teras ON€",
        "[]{}^|~\\" * 9,
        "@$_£¥\r\n" * 20,
        "\x1b\x1a\r",
    ],
    ids=["long", "empty", "UCS2", "euro", "extension table", "alphabet's low codes", "controls"],
)
def test_odd_messages_are_wrong_format_and_leave_the_driver_well(lamps, text):
    board = ready(lamps)
    assert answer(board, text).text == "salah format !!!"
    assert board.lamps == (False, False, False)
    assert answer(board, "Lampu Teras ON").text == "Lampu Teras ON"
    assert not board.modem.stored


@pytest.mark.parametrize("characters", ["GSM", "PCCP437"])
def test_underscore_in_the_modems_own_alphabet(irrigation, characters):
    """In GSM 03.38 the underscore of #SYS_ON is 0x11; a modem that refuses IRA shows it so."""
    modem = Modem()
    modem._characters_are = lambda name: modem._error(cme=3)
    board = irrigation_ready(irrigation, modem=modem)
    modem.characters = characters
    command(board, "#ON_A")
    assert board.outputs["A"]


@pytest.mark.parametrize("pin_ok", [True, False])
def test_ok_after_pin_or_not(lamps, pin_ok):
    board = ready(lamps, modem=Modem(pin_ok=pin_ok))
    assert len(board.modem.commands) == 12, "no command was sent twice"


def test_direct_delivery(lamps):
    board = ready(lamps, modem=Modem(direct=True))
    assert answer(board, "Lampu Dapur ON").text == "Lampu Dapur ON"
    board.message(STRANGER, "Semua lampu ON")
    board.advance(5)
    assert board.lamps == (False, False, True)


def test_echo_stays_on(lamps):
    modem = Modem()
    modem._set = lambda name, value, old=modem._set: modem._error() if name == "echo" else old(name, value)
    board = ready(lamps, modem=modem)
    assert modem.echo
    assert answer(board, "Lampu Teras ON").text == "Lampu Teras ON"


def test_unsolicited_lines_in_the_middle_of_answers(lamps):
    board = ready(lamps)
    say, modem = board.modem._say, board.modem
    noise = ["RING", "+WIND: 7", '+CMTI: "SM",9', "+CREG: 1", "", "+CMTI:"]

    def noisy(*lines):
        for place, line in enumerate(lines):
            modem.inject(f"\r\n{noise[(place + len(modem.commands)) % len(noise)]}\r\n".encode())
            say(line)

    modem._say = noisy
    for name in ("Teras", "Kamar", "Dapur"):
        assert answer(board, f"Lampu {name} ON").text == f"Lampu {name} ON"
    assert board.lamps == (True, True, True)


def test_several_messages_at_once_and_those_that_waited(lamps):
    modem = Modem(slots=5)
    board = lamps(modem=modem)
    modem.registered = False
    for name in ("Teras", "Kamar", "Dapur"):
        board.message(OWNER, f"Lampu {name} ON")
    board.power(True)
    board.advance(12)
    assert board.lamps == (False, False, False)
    modem.registered = True
    modem.bring(board.now)
    board.message(SECOND, "Lampu Teras OFF")
    assert board.until(lambda: board.lamps == (False, True, True), 60)
    board.advance(20)
    assert not modem.stored


def test_no_credit_local_control_goes_on_and_reports_wait(irrigation):
    board = irrigation_ready(irrigation, a=45)
    board.modem.credit = False
    command(board, "#ON_A", seconds=10)
    assert board.outputs["A"]
    board.level("A", 20)
    board.advance(20)
    board.level("A", 88)
    board.advance(120)
    assert not board.outputs["A"]
    assert not board.modem.sent
    assert board.modem.refused <= 5, "attempts become rare"
    assert board.display[1][15] in "12"
    board.modem.credit = True
    assert board.until(lambda: len(board.modem.sent) >= 4, 1200, 5)
    texts = [sent.text for sent in board.modem.sent]
    assert sum("di bawah 30%" in text for text in texts) == 2, "the alarm was not lost"
    assert sum("Pompa mati" in text for text in texts) == 2
    assert not any("Pompa menyala" in text for text in texts), "overtaken by the one that followed"


def test_mute_modem_and_its_return(irrigation):
    board = irrigation_ready(irrigation, a=45)
    command(board, "#ON_A", seconds=12)
    board.modem.mute = True
    board.modem.sent.clear()
    board.level("A", 90)
    board.advance(100)
    assert not board.outputs["A"]
    assert board.display[0][15] == "!"
    board.modem.mute = False
    assert board.until(lambda: len(board.modem.sent) == 2, 120, 1)
    assert all("Pompa mati" in sent.text for sent in board.modem.sent)


@pytest.mark.parametrize("winds", [True, False], ids=["+WIND", "silent"])
def test_modem_resets_are_noticed(lamps, winds):
    board = ready(lamps, modem=Modem(winds=winds))
    for name in ("Teras", "Kamar"):
        board.modem.reset(board.now)
        board.advance(1)
        board.message(OWNER, f"Lampu {name} ON")
        board.advance(90)
        assert not board.modem.echo
        assert board.modem.text_mode
    assert board.lamps == (True, True, False)


@pytest.mark.parametrize("pin", ["SIM PIN", "SIM PUK", "NONE"])
def test_sim_errors_never_cost_an_attempt_at_the_pin(irrigation, pin):
    board = irrigation(modem=Modem(pin=pin))
    board.power(True)
    board.advance(60)
    assert board.display[0][15] == "S"
    assert not [word for word in board.modem.commands if word.upper().startswith("AT+CPIN=")]
    board.modem.pin = "READY"
    assert board.until(lambda: board.display[0][15] == "G", 60, 1)


def test_a_message_that_cannot_be_deleted_is_not_carried_out(lamps):
    board = ready(lamps)
    board.modem._delete = lambda slot: board.modem._error(cms=322)
    board.message(OWNER, "Semua lampu ON")
    board.advance(120)
    assert board.lamps == (False, False, False)


def test_drafts_in_the_sim_are_not_commands(lamps):
    """What was stored to be sent names a recipient where a received message names its sender."""
    board = ready(lamps)
    answer(board, "Semua lampu ON")
    answer(board, "Lampu Teras OFF")
    sent = len(board.modem.sent)
    for status in (2, 3):
        board.modem.stored[4] = Stored(OWNER, "Semua lampu OFF", status)
        assert board.until(lambda: not board.modem.stored, 90, 1)
        board.advance(5)
    assert board.lamps == (False, True, True)
    assert len(board.modem.sent) == sent, "nor is the last command carried out again"


def test_without_settings_nobody_commands_and_the_buttons_work(irrigation):
    board = irrigation(settings=None)
    board.power(True)
    board.advance(10)
    command(board, "#SYS_ON")
    assert board.outputs == {"A": False, "B": False}
    board.push("A")
    assert board.outputs["A"]


@pytest.mark.parametrize("board_name", ["lamps", "irrigation"])
def test_watchdog_ends_a_hang(request, board_name):
    """The test image hangs on "#HANG"; the watchdog brings it back, state kept."""
    make_board = request.getfixturevalue(board_name)
    from tests.firmware.building import make

    make(f"build/{board_name}-hang.elf")
    board = make_board(image=f"{board_name}-hang")
    board.power(True)
    board.advance(15)
    text, name = ("Lampu Teras ON", "terrace") if board_name == "lamps" else ("#ON_A", "A")
    command(board, text, seconds=8)
    assert board.outputs[name]
    board.message(OWNER, "#HANG")
    at = board.now
    assert board.until(lambda: board.resets, 20)
    assert 1.8 < board.resets[0] - at < 4
    board.modem.stored.clear()
    assert board.until(lambda: board.outputs[name], 20), "what it did before it does again"
    sent = len([sent for sent in board.modem.sent if sent.text == "Ready"])
    assert sent == (board_name == "lamps"), "a watchdog reset is no power-up"
