"""Short messages on the wire: the GSM 7-bit alphabet (3GPP TS 23.038) and the PDUs of TS 23.040, as far as a modem
emulator needs them."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Submit", "deliver", "gsm_bytes", "is_gsm", "parse_submit", "septets_text"]

_BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION = {
    0x0A: "\f",
    0x14: "^",
    0x28: "{",
    0x29: "}",
    0x2F: "\\",
    0x3C: "[",
    0x3D: "~",
    0x3E: "]",
    0x40: "|",
    0x65: "€",
}
_ESCAPE = 0x1B
_CODES = {character: bytes([code]) for code, character in enumerate(_BASIC) if code != _ESCAPE}
_CODES |= {character: bytes([_ESCAPE, code]) for code, character in _EXTENSION.items()}
_UCS2 = 8


class Submit(NamedTuple):
    """A message to send: the recipient as dialled, the text."""

    number: str
    text: str


def is_gsm(text: str) -> bool:
    """True when the 7-bit alphabet has all characters."""
    return all(character in _CODES for character in text)


def gsm_bytes(text: str) -> bytes:
    """Septets, one a byte; the extension table's characters take two. KeyError for what the alphabet lacks."""
    return b"".join(_CODES[character] for character in text)


def septets_text(septets: bytes) -> str:
    """The text of septets, one a byte."""
    out = []
    escaped = False
    for code in septets:
        if escaped:
            out.append(_EXTENSION.get(code, " "))
        elif code != _ESCAPE:
            out.append(_BASIC[code & 0x7F])
        escaped = code == _ESCAPE and not escaped
    return "".join(out)


def _pack(septets: bytes) -> bytes:
    bits = sum(septet << 7 * place for place, septet in enumerate(septets))
    return bits.to_bytes((7 * len(septets) + 7) // 8, "little")


def _unpack(data: bytes, count: int) -> bytes:
    bits = int.from_bytes(data, "little")
    return bytes(bits >> 7 * place & 0x7F for place in range(count))


def _swapped(digits: str) -> bytes:
    padded = digits + "F" * (len(digits) % 2)
    return bytes.fromhex("".join(padded[i + 1] + padded[i] for i in range(0, len(padded), 2)))


def _address(number: str) -> bytes:
    if not number.lstrip("+").isdigit():
        septets = gsm_bytes(number[:11])
        packed = _pack(septets)
        return bytes([2 * len(packed) - (1 if len(septets) * 7 % 8 in range(1, 5) else 0), 0xD0]) + packed
    digits = number.lstrip("+")
    return bytes([len(digits), 0x91 if number.startswith("+") else 0x81]) + _swapped(digits)


def deliver(sender: str, text: str) -> bytes:
    """SMS-DELIVER without service centre: first octet 00 tells that."""
    stamp = bytes.fromhex("22112201000082")
    if is_gsm(text):
        septets = gsm_bytes(text)
        body = bytes([0, 0]) + stamp + bytes([len(septets)]) + _pack(septets)
    else:
        data = text.encode("utf-16-be")
        body = bytes([0, _UCS2]) + stamp + bytes([len(data)]) + data
    return bytes([0, 0x04]) + _address(sender) + body


def parse_submit(pdu: bytes) -> Submit:
    """An SMS-SUBMIT, its service centre included. Raises ValueError, IndexError."""
    rest = pdu[1 + pdu[0] :]
    first, _reference, digits, kind = rest[0], rest[1], rest[2], rest[3]
    size = (digits + 1) // 2
    raw = rest[4 : 4 + size].hex().upper()
    number = "".join(raw[i + 1] + raw[i] for i in range(0, len(raw), 2))[:digits]
    rest = rest[4 + size :]
    coding = rest[1]
    rest = rest[2 + {0: 0, 2: 1, 1: 7, 3: 7}[first >> 3 & 3] :]
    length, data = rest[0], rest[1:]
    text = data[:length].decode("utf-16-be") if coding & 0x0C == _UCS2 else septets_text(_unpack(data, length))
    return Submit(("+" if kind & 0x70 == 0x10 else "") + number, text)
