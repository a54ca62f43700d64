"""A GSM modem that speaks AT as a Wavecom does: 3GPP TS 27.007, TS 27.005 in text and PDU mode, +WIND.

No input or output of its own and no clock: what came in on the line goes to :meth:`Modem.receive` with the time, what
it says comes from :meth:`Modem.output`. Faults are attributes: no credit, no network, no SIM, mute.
"""

from __future__ import annotations

import heapq
import itertools
import re
from collections.abc import Callable
from dataclasses import dataclass, field

from labs.firmware.pdu import deliver, gsm_bytes, is_gsm, parse_submit

__all__ = ["Modem", "Sent", "Stored"]

_ESCAPE = 0x1B
_CONTROL_Z = 0x1A
_BACKSPACE = 0x08
_COMMAND_MOST = 512
_STAMP = '"22/11/22,10:00:00+28"'
_CENTRE = '"+62816124"'
_STATUSES = {"ALL": None, "REC UNREAD": 0, "REC READ": 1, "STO UNSENT": 2, "STO SENT": 3}
_NAMES = ("REC UNREAD", "REC READ", "STO UNSENT", "STO SENT")


@dataclass(frozen=True, slots=True)
class Sent:
    """A message that the network took."""

    number: str
    text: str
    at: float


@dataclass(slots=True)
class Stored:
    """A message in the SIM. ``raw`` overrides the bytes shown as its text (for tests of hostile modems)."""

    sender: str
    text: str
    status: int = 0


@dataclass
class Modem:
    """The emulator; times in seconds.

    ``answer_time`` passes between a command and its answer, ``send_time`` between Ctrl-Z and ``+CMGS``.
    """

    slots: int = 20
    credit: bool = True
    registered: bool = True
    pin: str = "READY"
    mute: bool = False
    direct: bool = False  # deliver by +CMT whatever AT+CNMI says
    shows_length: bool = True  # obey AT+CSDH=1
    pin_ok: bool = False  # say OK after +CPIN: READY; Wavecom does not, and Gammu knows
    winds: bool = True  # tell +WIND after a reset
    answer_time: float = 0.02
    send_time: float = 2.0
    reset_time: float = 3.0
    prompt: bytes = b"\r\n> "
    sent: list[Sent] = field(default_factory=list)
    refused: int = 0
    commands: list[str] = field(default_factory=list)
    stored: dict[int, Stored] = field(default_factory=dict)
    waiting: list[Stored] = field(default_factory=list)  # in the network: no place in the SIM, or the modem is away

    def __post_init__(self) -> None:
        self._later: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._out = bytearray()
        self._line = bytearray()
        self._now = 0.0
        self._away_until = 0.0
        self._recipient: str | None = None
        self._reference = 0
        self._defaults()

    def _defaults(self) -> None:
        self.echo, self.text_mode, self.headers = True, False, False
        self.errors, self.notify, self.characters = 0, 0, "PCCP437"
        self.verbose = True
        self._line.clear()
        self._recipient = None

    # The line

    def receive(self, data: bytes, now: float) -> None:
        """Characters from the other side."""
        self.advance(now)
        if self.mute or now < self._away_until:
            return
        for byte in data:
            if self._recipient is not None:
                self._message_character(byte)
            else:
                self._command_character(byte)

    def output(self, now: float) -> bytes:
        """What the modem has said up to now."""
        self.advance(now)
        out = bytes(self._out)
        self._out.clear()
        return out

    def due(self) -> float | None:
        """When it will say something, as things stand; None: not before it is spoken to."""
        return self._now if self._out else self._later[0][0] if self._later else None

    def advance(self, now: float) -> None:
        """Lets time pass."""
        while self._later and self._later[0][0] <= now:
            at, _, action = heapq.heappop(self._later)
            self._now = max(self._now, at)
            action()
        self._now = max(self._now, now)

    def inject(self, data: bytes) -> None:
        """Says these bytes, whatever they are."""
        self._out += data

    def _after(self, delay: float, action: Callable[[], None]) -> None:
        heapq.heappush(self._later, (self._now + delay, next(self._order), action))

    def _say(self, *lines: str) -> None:
        if not self.mute and self._now >= self._away_until:
            for line in lines:
                self._out += b"\r\n" + line.encode("latin-1") + b"\r\n"

    # The network

    def deliver(self, sender: str, text: str, now: float) -> None:
        """A message comes from the network."""
        self.advance(now)
        message = Stored(sender, text)
        if self.mute or now < self._away_until or not self.registered:
            self.waiting.append(message)
        else:
            self._take(message)

    def _take(self, message: Stored) -> None:
        if (self.direct or self.notify == 2) and self.text_mode:
            self._out += (
                b"\r\n" + self._header("+CMT: ", message, direct=True) + b"\r\n" + self._body(message) + b"\r\n"
            )
            return
        free = next((slot for slot in range(1, self.slots + 1) if slot not in self.stored), None)
        if free is None:
            self.waiting.append(message)
            return
        self.stored[free] = message
        if self.notify:
            self._say(f'+CMTI: "SM",{free}')

    def bring(self, now: float) -> None:
        """The network tries again what is waiting (after a reset, a return of the network, or a place came free)."""
        self.advance(now)
        if not self.mute and self._now >= self._away_until and self.registered:
            waiting, self.waiting = self.waiting, []
            for message in waiting:
                self._take(message)

    def reset(self, now: float) -> None:
        """Power off and on: settings are lost, it is away for a while, then tells +WIND."""
        self.advance(now)
        self._later.clear()
        self._out.clear()
        self._defaults()
        self._away_until = now + self.reset_time
        self._after(self.reset_time, self._returned)

    def _returned(self) -> None:
        self._away_until = 0.0
        if self.winds:
            self._say("+WIND: 3")
            self._after(2.0, lambda: self._say("+WIND: 4"))
        self._after(2.5, lambda: self.bring(self._now))

    # Commands

    def _command_character(self, byte: int) -> None:
        if self.echo:
            self._out.append(byte)
        if byte in b"\r":
            command, self._line = self._line.decode("latin-1").strip(), bytearray()
            if command:
                self._after(self.answer_time, lambda: self._obey(command))
        elif byte == _BACKSPACE:
            del self._line[-1:]
        elif byte == _ESCAPE:
            self._line.clear()
        elif byte != 0x0A and len(self._line) < _COMMAND_MOST:
            self._line.append(byte)

    def _obey(self, command: str) -> None:
        self.commands.append(command)
        upper = command.upper()
        if not upper.startswith("AT"):
            return
        if upper == "AT" or upper in ("ATZ", "AT&F"):
            if upper != "AT":
                self._defaults()
            self._say("OK")
            return
        for pattern, action in _COMMANDS:
            if match := re.fullmatch(pattern, command, re.IGNORECASE):
                action(self, *match.groups())
                return
        self._error(cme=4)

    def _error(self, cme: int | None = None, cms: int | None = None) -> None:
        if self.errors and cms is not None:
            self._say(f"+CMS ERROR: {cms}")
        elif self.errors and cme is not None:
            self._say(f"+CME ERROR: {cme}")
        else:
            self._say("ERROR")

    def _set(self, name: str, value: object) -> None:
        setattr(self, name, value)
        self._say("OK")

    def _tell_pin(self) -> None:
        if self.pin == "NONE":
            self._error(cme=10)
        else:
            self._say(f"+CPIN: {self.pin}", *(["OK"] if self.pin_ok or self.pin != "READY" else []))

    def _ready(self) -> bool:
        if self.pin != "READY":
            self._error(cms=310 if self.pin == "NONE" else 311)
        return self.pin == "READY"

    def _memory(self) -> None:
        if self._ready():
            counts = f'"SM",{len(self.stored)},{self.slots}'
            self._say(f"+CPMS: {counts},{counts}", "OK")

    def _set_memory(self, *_: str) -> None:
        if self._ready():
            self._say(f"+CPMS: {len(self.stored)},{self.slots},{len(self.stored)},{self.slots}", "OK")

    def _characters_are(self, name: str) -> None:
        if name in ("GSM", "PCCP437", "IRA", "HEX", "UCS2"):
            self._set("characters", name)
        else:
            self._error(cme=3)

    def _header(self, word: str, message: Stored, *, direct: bool = False) -> bytes:
        fields = (
            [f'"{message.sender}"', _STAMP] if direct else [f'"{_NAMES[message.status]}","{message.sender}",', _STAMP]
        )
        if self.headers and self.shows_length:
            kind = 145 if message.sender.startswith("+") else 129
            coding = 0 if is_gsm(message.text) else 8
            length = len(gsm_bytes(message.text)) if not coding else 2 * len(message.text)
            fields += [str(kind), "4", "0", str(coding), _CENTRE, "145", str(length)]
        return (word + ",".join(fields)).encode("latin-1")

    def _body(self, message: Stored) -> bytes:
        if not is_gsm(message.text):
            return message.text.encode("utf-16-be").hex().upper().encode()
        if self.characters == "GSM":
            return gsm_bytes(message.text)
        return message.text.encode("latin-1", "replace")

    def _read(self, slot: str) -> None:
        if not self._ready():
            return
        message = self.stored.get(int(slot))
        if message is None:
            self._error(cms=321)
            return
        if self.text_mode:
            self._out += b"\r\n" + self._header("+CMGR: ", message) + b"\r\n" + self._body(message) + b"\r\n"
        else:
            pdu = deliver(message.sender, message.text)
            self._out += f"\r\n+CMGR: {message.status},,{len(pdu) - 1}\r\n{pdu.hex().upper()}\r\n".encode()
        message.status = 1 if message.status == 0 else message.status
        self._say("OK")

    def _list(self, which: str) -> None:
        if not self._ready():
            return
        wanted = _STATUSES.get(which.strip('"').upper()) if which.startswith('"') else int(which)
        for slot, message in sorted(self.stored.items()):
            if wanted not in (None, 4, message.status):
                continue
            if self.text_mode:
                self._out += b"\r\n" + self._header(f"+CMGL: {slot},", message) + b"\r\n" + self._body(message)
            else:
                pdu = deliver(message.sender, message.text)
                self._out += f"\r\n+CMGL: {slot},{message.status},,{len(pdu) - 1}\r\n{pdu.hex().upper()}".encode()
            message.status = 1 if message.status == 0 else message.status
        self._say("OK")

    def _delete(self, slot: str) -> None:
        if not self._ready():
            return
        if not 1 <= int(slot) <= self.slots:
            self._error(cms=321)
            return
        self.stored.pop(int(slot), None)
        self._say("OK")
        self._after(1.0, lambda: self.bring(self._now))

    # Sending

    def _compose(self, recipient: str) -> None:
        if self._ready():
            self._recipient = recipient
            self._line.clear()
            self._out += self.prompt

    def _message_character(self, byte: int) -> None:
        if byte == _ESCAPE:
            self._recipient = None
            self._line.clear()
            self._say("OK")
        elif byte == _CONTROL_Z:
            recipient, body = self._recipient or "", bytes(self._line)
            self._recipient = None
            self._line.clear()
            self._after(self.send_time, lambda: self._send(recipient, body))
        else:
            if self.echo:
                self._out.append(byte)
            self._line.append(byte)

    def _send(self, recipient: str, body: bytes) -> None:
        try:
            number, text = (
                (recipient, body.decode("latin-1")) if self.text_mode else parse_submit(bytes.fromhex(body.decode()))
            )
        except (ValueError, IndexError):
            self._error(cms=304)
            return
        if not self.registered or not self.credit:
            self.refused += 1
            self._error(cms=38 if self.credit else 69)
            return
        self._reference = self._reference % 255 + 1
        self.sent.append(Sent(number, text, self._now))
        self._say(f"+CMGS: {self._reference}", "OK")


def _told(*lines: str) -> Callable[[Modem], None]:
    return lambda modem: modem._say(*lines, "OK")


_COMMANDS: tuple[tuple[str, Callable[..., None]], ...] = (
    (r"ATE([01])", lambda m, v: m._set("echo", v == "1")),
    (r"ATV[01]|ATQ0|AT&W|ATS0=\d+", lambda m: m._say("OK")),
    (r"ATI\d*|AT\+CGMM|AT\+GMM", _told("MULTIBAND  900E  1800")),
    (r"AT\+CGMI|AT\+GMI", _told("WAVECOM MODEM")),
    (r"AT\+CGMR|AT\+GMR", _told("657d09gg.Q2403A 1320676 061804 14:38")),
    (r"AT\+CGSN|AT\+GSN", _told("351234567890120")),
    (r"AT\+CIMI", _told("510101234567890")),
    (r"AT\+CSQ", _told("+CSQ: 20,0")),
    (r"AT\+CSCA\?", _told(f"+CSCA: {_CENTRE},145")),
    (r"AT\+COPS\?", _told('+COPS: 0,0,"INDOSAT"')),
    (r"AT\+CPAS", _told("+CPAS: 0")),
    (r"AT\+CFUN=1", lambda m: m._say("OK")),
    (r"AT\+CMEE=([012])", lambda m, v: m._set("errors", int(v))),
    (r"AT\+CPIN\?", lambda m: m._tell_pin()),
    (r"AT\+CREG\?", lambda m: m._say(f"+CREG: 0,{1 if m.registered else 2}", "OK")),
    (r"AT\+CREG=[012]", lambda m: m._say("OK")),
    (r"AT\+CMGF=\?", _told("+CMGF: (0-1)")),
    (r"AT\+CMGF\?", lambda m: m._say(f"+CMGF: {int(m.text_mode)}", "OK")),
    (r"AT\+CMGF=([01])", lambda m, v: m._set("text_mode", v == "1")),
    (r"AT\+CSDH=([01])", lambda m, v: m._set("headers", v == "1")),
    (r"AT\+CSMP.*|AT\+CSMS=0", lambda m: m._say("OK")),
    (r"AT\+CSCS=\?", _told('+CSCS: ("GSM","PCCP437","IRA","HEX","UCS2")')),
    (r"AT\+CSCS\?", lambda m: m._say(f'+CSCS: "{m.characters}"', "OK")),
    (r'AT\+CSCS="(\w+)"', lambda m, v: m._characters_are(v)),
    (r"AT\+CNMI=\d,([0123])(?:,\d)*", lambda m, v: m._set("notify", int(v))),
    (r"AT\+CPMS=\?", _told('+CPMS: ("SM"),("SM")')),
    (r"AT\+CPMS\?", lambda m: m._memory()),
    (r'AT\+CPMS="SM"(,"SM")*', lambda m, *_: m._set_memory()),
    (r"AT\+CMGR=(\d+)", lambda m, v: m._read(v)),
    (r'AT\+CMGL=("[A-Z ]+"|[0-4])', lambda m, v: m._list(v)),
    (r"AT\+CMGD=(\d+)(?:,0)?", lambda m, v: m._delete(v)),
    (r'AT\+CMGS="([^"]*)"(?:,\d+)?', lambda m, v: m._compose(v) if m.text_mode else m._error(cms=304)),
    (r"AT\+CMGS=(\d+)", lambda m, v: m._compose(v) if not m.text_mode else m._error(cms=304)),
)
