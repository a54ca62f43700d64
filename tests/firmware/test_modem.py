"""The modem emulator by itself, and by Gammu as a client that knows nothing of us."""

from __future__ import annotations

import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs.firmware.modem import Modem
from labs.firmware.pdu import deliver, gsm_bytes, is_gsm, parse_submit, septets_text
from labs.firmware.terminal import ModemTerminal

GSM_TEXT = st.text(st.sampled_from("abcXYZ 0189@_$#€[]{}\n!%"), max_size=70)


class Talk:
    def __init__(self, **options):
        self.modem = Modem(answer_time=0.01, send_time=1, **options)
        self.now = 0.0

    def __call__(self, text, seconds=0.5):
        self.modem.receive(text.encode("latin-1") + b"\r", self.now)
        self.now += seconds
        return self.modem.output(self.now).decode("latin-1")


def test_answers_after_its_time_and_echoes():
    talk = Talk()
    talk.modem.receive(b"AT\r", 0)
    assert talk.modem.output(0) == b"AT\r"
    assert talk.modem.due() == pytest.approx(0.01)
    assert talk.modem.output(0.005) == b""
    assert talk.modem.output(0.02) == b"\r\nOK\r\n"
    assert talk("ATE0") == "ATE0\r\r\nOK\r\n"
    assert talk("AT") == "\r\nOK\r\n"


def test_errors_by_cmee():
    talk = Talk()
    talk("ATE0")
    assert talk("AT+CMGR=3") == "\r\nERROR\r\n"
    talk("AT+CMEE=1")
    assert talk("AT+CMGR=3") == "\r\n+CMS ERROR: 321\r\n"
    assert talk("AT+NONSENSE") == "\r\n+CME ERROR: 4\r\n"


def test_receive_read_delete_in_text_mode():
    talk = Talk()
    for command in ("ATE0", "AT+CMGF=1", "AT+CSDH=1", "AT+CNMI=2,1,0,0,0"):
        assert "OK" in talk(command)
    talk.modem.deliver("+62811", "halo", talk.now)
    assert talk.modem.output(talk.now) == b'\r\n+CMTI: "SM",1\r\n'
    assert talk("AT+CPMS?").startswith('\r\n+CPMS: "SM",1,20')
    answer = talk("AT+CMGR=1")
    assert answer.splitlines()[1].endswith(',145,4,0,0,"+62816124",145,4')
    assert answer.endswith("\r\nhalo\r\n\r\nOK\r\n")
    assert "REC READ" in talk("AT+CMGR=1")
    talk("AT+CMGD=1")
    assert not talk.modem.stored


def test_sending_needs_a_prompt_credit_and_a_network():
    talk = Talk()
    for command in ("ATE0", "AT+CMGF=1", "AT+CMEE=1"):
        talk(command)
    for credit, registered, expected in (
        (True, True, "+CMGS: 1"),
        (False, True, "+CMS ERROR: 69"),
        (True, False, "+CMS ERROR: 38"),
    ):
        talk.modem.credit, talk.modem.registered = credit, registered
        assert talk('AT+CMGS="+62811"') == "\r\n> "
        assert expected in talk("halo\x1a", 2)
    assert [(sent.number, sent.text) for sent in talk.modem.sent] == [("+62811", "halo")]


def test_reset_forgets_settings_and_tells_wind():
    talk = Talk()
    talk("ATE0")
    talk.modem.reset(talk.now)
    assert talk("AT", 1) == ""
    talk.now += 3
    assert "+WIND: 3" in talk.modem.output(talk.now).decode()
    assert talk("AT").startswith("AT\r")


def test_full_sim_keeps_messages_in_the_network():
    modem = Modem(slots=2)
    for number in range(3):
        modem.deliver("+62811", str(number), 0)
    assert len(modem.stored) == 2
    assert [message.text for message in modem.waiting] == ["2"]


@given(GSM_TEXT)
def test_alphabet_is_its_own_inverse(text):
    assert is_gsm(text)
    assert septets_text(gsm_bytes(text)) == text


def test_deliver_pdu_of_the_standard_example():
    """ "hellohello" packs to E8329BFD4697D9EC37, as in every text on the 7-bit alphabet."""
    assert deliver("+62811", "hellohello").hex().upper().endswith("0AE8329BFD4697D9EC37")


def test_submit_pdu():
    pdu = bytes.fromhex("0011000B916407281553F80000AA0AE8329BFD4697D9EC37")
    assert parse_submit(pdu) == ("+46708251358", "hellohello")


@pytest.fixture
def gammu(tmp_path):
    program = shutil.which("gammu")
    if program is None:
        pytest.skip("not installed: gammu")

    def run(terminal, *arguments, text=None):
        configuration = tmp_path / "gammurc"
        configuration.write_text(f"[gammu]\ndevice = {terminal.path}\nconnection = at9600\n")
        return subprocess.run(
            [program, "-c", str(configuration), *arguments],
            input=text,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run


def test_gammu_identifies_reads_and_sends(gammu):
    """An independent client: what it reads is what was delivered, what it sends is what arrives."""
    modem = Modem(answer_time=0.001, send_time=0.05, winds=False)
    with ModemTerminal(modem) as terminal:
        identified = gammu(terminal, "identify")
        assert identified.returncode == 0, identified.stdout + identified.stderr
        assert "351234567890120" in identified.stdout
        terminal.deliver("+6281234567890", "Lampu Teras ON [€_@]")
        terminal.deliver("+6281222333444", "Selamat pagi \N{BLACK SUN WITH RAYS}")
        read = gammu(terminal, "getallsms")
        assert "Lampu Teras ON [€_@]" in read.stdout
        assert "+6281222333444" in read.stdout
        assert "\N{BLACK SUN WITH RAYS}" in read.stdout
        sent = gammu(terminal, "sendsms", "TEXT", "+6281234567890", "-text", "Status lampu")
        assert sent.returncode == 0, sent.stdout + sent.stderr
    assert [(message.number, message.text) for message in modem.sent] == [("+6281234567890", "Status lampu")]
