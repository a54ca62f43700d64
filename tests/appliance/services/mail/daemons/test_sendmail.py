"""Who is the sender of what people's filters send on, by a server that only listens."""

from __future__ import annotations

import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO

import pytest

from appliance.services.mail.components import parts
from appliance.services.mail.rendering import FILTERS_PORT
from tests.appliance.services.mail.daemons.wishes import DOMAIN, wish

pytestmark = pytest.mark.skipif(shutil.which("perl") is None, reason="perl is not installed")
OUTSIDE = "dokter@far.example"
SIEVE = f"X-Sieve: Pigeonhole Sieve 0.5.19\r\nX-Sieve-Redirected-From: siti@{DOMAIN}\r\n"
PLAIN = f"From: {OUTSIDE}\r\nSubject: x\r\n\r\nIsi.\r\n.titik\r\nakhir"


class Listening:
    """Says yes to everything but what it was told to refuse, and keeps what it heard."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.refuses = ""
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def close(self) -> None:
        # It wakes up who waits for a connection.
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join()

    def _serve(self) -> None:
        while True:
            try:
                one, _ = self._socket.accept()
            except OSError:
                return
            # It does not wait for the answer to QUIT.
            with suppress(ConnectionError), one, one.makefile("rwb") as talk:
                self._converse(talk)

    def _converse(self, talk: IO[bytes]) -> None:
        answers = {"EHLO": b"250-me\r\n250 AUTH PLAIN", "AUTH": b"235 yes", "DATA": b"354 go on", "QUIT": b"221 bye"}
        talk.write(b"220 me\r\n")
        talk.flush()
        in_data = False
        for line in talk:
            said = line.decode().rstrip("\r\n")
            self.heard.append(said)
            if in_data and said != ".":
                continue
            in_data = said == "DATA"
            refused = self.refuses and said.startswith(self.refuses)
            word = said.partition(" ")[0]
            talk.write((b"451 later" if refused else answers.get(word, b"250 yes")) + b"\r\n")
            talk.flush()


@pytest.fixture
def listening() -> Iterator[Listening]:
    made = Listening()
    yield made
    made.close()


@pytest.fixture
def script(tmp_path: Path, listening: Listening) -> Path:
    """As it is rendered, but for the port and the place of the login."""
    (dovecot,) = [one for one in parts(wish()) if one.name == "mail.dovecot"]
    (rendered,) = [file for file in dovecot.render() if file.path == "sendmail"]
    text = rendered.content.decode()
    where = next(word for word in text.split('"') if word.endswith("/login"))
    (tmp_path / "login").write_text("eA==\n")
    made = tmp_path / "sendmail"
    made.write_text(text.replace(where, str(tmp_path / "login")).replace(str(FILTERS_PORT), str(listening.port)))
    return made


def _sent(script: Path, sender: str, recipient: str, message: str) -> subprocess.CompletedProcess[str]:
    words = ["perl", str(script), "-i", "-f", sender or "<>", "--", recipient]
    return subprocess.run(words, input=message, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize(
    ("sender", "recipient", "message", "expected"),
    [
        # From outside to outside: by whose filter it is.
        (OUTSIDE, "rumah@home.example", SIEVE + PLAIN, f"siti@{DOMAIN}"),
        # Within the house everybody keeps his name, and so does what one of us has sent, and what says nothing of it.
        (OUTSIDE, f"budi@{DOMAIN}", SIEVE + PLAIN, OUTSIDE),
        (f"budi@{DOMAIN}", "rumah@home.example", SIEVE + PLAIN, f"budi@{DOMAIN}"),
        (OUTSIDE, "rumah@home.example", PLAIN, OUTSIDE),
        ("", "rumah@home.example", SIEVE + PLAIN, ""),
        # Through a list, under the name of one of us.
        (OUTSIDE, "rumah@home.example", f"{SIEVE}From: Budi\r\n <budi@{DOMAIN}>\r\n\r\nx\r\n", OUTSIDE),
        # Who writes the header himself is believed only above all others, where Pigeonhole puts it.
        (OUTSIDE, "rumah@home.example", f"Subject: x\r\n{SIEVE}{PLAIN}", OUTSIDE),
        (OUTSIDE, "rumah@home.example", f"X-Sieve-Redirected-From: x@evil.example\r\n{PLAIN}", OUTSIDE),
    ],
)
def test_the_sender(
    script: Path, listening: Listening, sender: str, recipient: str, message: str, expected: str
) -> None:
    done = _sent(script, sender, recipient, message)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"MAIL FROM:<{expected}>" in listening.heard
    assert f"RCPT TO:<{recipient}>" in listening.heard
    body = listening.heard[listening.heard.index("DATA") + 1 : listening.heard.index(".")]
    assert "\r\n".join(body) == message.replace("\r\n.", "\r\n..").removesuffix("\r\n")


def test_what_may_work_later_is_tried_later(script: Path, listening: Listening) -> None:
    listening.refuses = "RCPT"
    done = _sent(script, OUTSIDE, "rumah@home.example", SIEVE + PLAIN)
    assert done.returncode == 75
    assert "451 later" in done.stderr
