"""The side of the mail server of the milter protocol (version 6), as Postfix speaks it, for one message at a time."""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["Envelope", "Verdict", "ask"]

_NEGOTIATE, _CONNECT, _MACRO, _HELO, _MAIL, _RECIPIENT = b"O", b"C", b"D", b"H", b"M", b"R"
_DATA, _HEADER, _END_OF_HEADERS, _BODY, _END, _QUIT = b"T", b"L", b"N", b"B", b"E", b"Q"

_SILENT = {
    _CONNECT: 0x1000,
    _HELO: 0x2000,
    _MAIL: 0x4000,
    _RECIPIENT: 0x8000,
    _DATA: 0x10000,
    _HEADER: 0x80,
    _END_OF_HEADERS: 0x40000,
    _BODY: 0x80000,
}
"""The flags SMFIP_NR_… of libmilter's mfdef.h."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """What comes with a message."""

    ip: str = "203.0.113.9"
    helo: str = "mx.elsewhere.example"
    sender: str = "somebody@elsewhere.example"
    recipients: tuple[str, ...] = ("nurse@rssulsel.com",)
    user: str = ""
    queue_id: str = "4Abc123"


@dataclass(slots=True)
class Verdict:
    """What the filter answered. ``reply`` is that of SMTP when it is no pass."""

    answer: str = ""
    """``accept``, ``reply``, ``tempfail``, ``reject`` or ``discard``."""
    reply: str = ""
    added: list[tuple[str, str]] = field(default_factory=list)
    changed: list[tuple[str, str]] = field(default_factory=list)
    """Headers that are set anew; an empty value takes them away."""

    @property
    def code(self) -> str:
        """``250`` when it passes."""
        return {"accept": "250", "tempfail": "451", "reject": "550"}.get(self.answer, self.reply[:3])

    def values(self, name: str) -> list[str]:
        """Of the headers of this name that are added."""
        return [value for added, value in self.added if added.lower() == name.lower()]


def ask(path: Path, message: bytes, envelope: Envelope | None = None, within: float = 100.0) -> Verdict:
    """Send a message through. Lines end with CRLF as they go. Raises OSError when the filter is not there."""
    given = envelope or Envelope()
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(within)
        line.connect(str(path))
        return _Talk(line).message(message, given)


class _Talk:
    def __init__(self, line: socket.socket) -> None:
        self._line = line
        self._agreed = 0

    def message(self, message: bytes, envelope: Envelope) -> Verdict:
        # All actions, and all that Postfix offers to leave out of the talk.
        self._send(_NEGOTIATE, struct.pack("!III", 6, 0x1FF, 0x1FFFFF))
        _, agreed = self._receive()
        _, _, self._agreed = struct.unpack("!III", agreed[:12])
        self._send(_MACRO, _CONNECT + _texts("j", "mail.rssulsel.com", "{daemon_name}", "smtpd"))
        address = envelope.ip.encode() + b"\0"
        self._step(_CONNECT, b"[" + envelope.ip.encode() + b"]\0" + b"4" + struct.pack("!H", 40000) + address)
        self._step(_HELO, envelope.helo.encode() + b"\0")
        login = ("{auth_type}", "PLAIN", "{auth_authen}", envelope.user) if envelope.user else ()
        self._send(_MACRO, _MAIL + _texts(*login, "{mail_addr}", envelope.sender))
        self._step(_MAIL, f"<{envelope.sender}>".encode() + b"\0")
        for recipient in envelope.recipients:
            self._send(_MACRO, _RECIPIENT + _texts("{rcpt_addr}", recipient))
            self._step(_RECIPIENT, f"<{recipient}>".encode() + b"\0")
        self._send(_MACRO, _DATA + _texts("i", envelope.queue_id))
        self._step(_DATA, b"")
        head, _, body = message.replace(b"\r\n", b"\n").partition(b"\n\n")
        for header in _unfolded(head):
            name, _, value = header.partition(b":")
            self._step(_HEADER, name + b"\0" + value.removeprefix(b" ") + b"\0")
        self._send(_MACRO, _END_OF_HEADERS + _texts("i", envelope.queue_id))
        self._step(_END_OF_HEADERS, b"")
        body = body.replace(b"\n", b"\r\n")
        for start in range(0, len(body), 65535):
            self._step(_BODY, body[start : start + 65535])
        self._send(_MACRO, _END + _texts("i", envelope.queue_id))
        self._send(_END, b"")
        verdict = self._verdict()
        self._send(_QUIT, b"")
        return verdict

    def _verdict(self) -> Verdict:
        verdict = Verdict()
        while True:
            kind, data = self._receive()
            if kind == b"h":
                name, value, _ = data.split(b"\0", 2)
                verdict.added.append((name.decode(), value.decode()))
            elif kind == b"i":
                name, value, _ = data[4:].split(b"\0", 2)
                verdict.added.append((name.decode(), value.decode()))
            elif kind == b"m":
                name, value, _ = data[4:].split(b"\0", 2)
                verdict.changed.append((name.decode(), value.decode()))
            elif kind in b"acdtry":
                names = {b"a": "accept", b"c": "accept", b"d": "discard", b"t": "tempfail", b"r": "reject"}
                verdict.answer = names.get(kind, "reply")
                verdict.reply = data.rstrip(b"\0").decode() if kind == b"y" else ""
                return verdict

    def _step(self, command: bytes, data: bytes) -> None:
        """Send and hear that it may go on, unless it is agreed that nothing is said to this."""
        self._send(command, data)
        if self._agreed & _SILENT.get(command, 0):
            return
        kind, said = self._receive()
        assert kind in b"c", (command, kind, said)

    def _send(self, command: bytes, data: bytes) -> None:
        self._line.sendall(struct.pack("!I", len(data) + 1) + command + data)

    def _receive(self) -> tuple[bytes, bytes]:
        (length,) = struct.unpack("!I", self._exactly(4))
        data = self._exactly(length)
        return data[:1], data[1:]

    def _exactly(self, length: int) -> bytes:
        data = b""
        while len(data) < length:
            more = self._line.recv(length - len(data))
            if not more:
                raise ConnectionError("the filter has hung up")
            data += more
        return data


def _texts(*words: str) -> bytes:
    return b"".join(word.encode() + b"\0" for word in words)


def _unfolded(head: bytes) -> list[bytes]:
    """The headers; a folded one keeps its line ends, as the protocol has it."""
    headers: list[bytes] = []
    for line in head.split(b"\n"):
        if line[:1] in {b" ", b"\t"} and headers:
            headers[-1] += b"\n" + line
        elif line:
            headers.append(line)
    return headers
