"""DNS messages, as far as address queries need them (RFC 1035, AAAA of RFC 3596)."""

from __future__ import annotations

import struct
from typing import NamedTuple

__all__ = ["AAAA", "CNAME", "NAMES_OF_TYPES", "TYPES", "A", "Message", "Record", "decode", "encode"]

A, CNAME, AAAA = 1, 5, 28
TYPES = {"A": A, "CNAME": CNAME, "AAAA": AAAA}
NAMES_OF_TYPES = {number: name for name, number in TYPES.items()}
_INTERNET = 1
_HEADER = struct.Struct("!6H")
_LONGEST_NAME = 255
_POINTER = 0xC0


class Record(NamedTuple):
    """A resource record. ``data`` is an address as bytes, or for CNAME a name."""

    name: str
    kind: int
    data: bytes | str
    ttl: int = 300


class Message(NamedTuple):
    """A query or a response with one question. ``code`` is 0, or 3 where the name does not exist (NXDOMAIN)."""

    identifier: int
    name: str
    kind: int
    is_response: bool = False
    code: int = 0
    answers: tuple[Record, ...] = ()
    recursion_desired: bool = True


def encode(message: Message) -> bytes:
    """The octets. ValueError for a name that cannot be one."""
    flags = message.code | (0x0100 if message.recursion_desired else 0)
    if message.is_response:
        flags |= 0x8480  # response, authoritative, recursion available
    out = bytearray(_HEADER.pack(message.identifier, flags, 1, len(message.answers), 0, 0))
    out += _encode_name(message.name) + struct.pack("!2H", message.kind, _INTERNET)
    for record in message.answers:
        data = record.data if isinstance(record.data, bytes) else _encode_name(record.data)
        out += _encode_name(record.name) + struct.pack("!2HIH", record.kind, _INTERNET, record.ttl, len(data)) + data
    return bytes(out)


def decode(octets: bytes) -> Message:
    """The message in the octets; records of unknown types are left out. ValueError for what is none."""
    try:
        identifier, flags, questions, answers, _, _ = _HEADER.unpack_from(octets)
        if questions != 1:
            raise ValueError(f"{questions} questions")
        name, position = _decode_name(octets, _HEADER.size)
        kind, network = struct.unpack_from("!2H", octets, position)
        if network != _INTERNET:
            raise ValueError(f"class {network}")
        position += 4
        records = []
        for _ in range(answers):
            record, position = _decode_record(octets, position)
            if record is not None:
                records.append(record)
    except (struct.error, IndexError) as error:
        raise ValueError("a DNS message that ends too early") from error
    return Message(identifier, name, kind, bool(flags & 0x8000), flags & 15, tuple(records), bool(flags & 0x0100))


def _decode_record(octets: bytes, position: int) -> tuple[Record | None, int]:
    name, position = _decode_name(octets, position)
    kind, _, ttl, length = struct.unpack_from("!2HIH", octets, position)
    position += 10
    end = position + length
    if end > len(octets):
        raise ValueError("a record that ends too early")
    if kind == CNAME:
        return Record(name, kind, _decode_name(octets, position)[0], ttl), end
    if kind in (A, AAAA) and length == (4 if kind == A else 16):
        return Record(name, kind, octets[position:end], ttl), end
    return None, end


def _encode_name(name: str) -> bytes:
    out = bytearray()
    for label in name.rstrip(".").split(".") if name.rstrip(".") else ():
        part = label.encode("ascii", "strict") if label.isascii() else label.encode("idna")
        if not 0 < len(part) < 64:
            raise ValueError(f"{name!r} is no domain name")
        out += bytes((len(part),)) + part
    out.append(0)
    if len(out) > _LONGEST_NAME:
        raise ValueError(f"{name!r} is longer than a domain name may be")
    return bytes(out)


def _decode_name(octets: bytes, position: int) -> tuple[str, int]:
    """The name at a place, and the place behind it. Pointers lead backwards only, so there is an end."""
    labels: list[str] = []
    behind = -1
    limit = position
    while True:
        length = octets[position]
        if length & _POINTER == _POINTER:
            target = (length & 0x3F) << 8 | octets[position + 1]
            behind = position + 2 if behind < 0 else behind
            if target >= limit:
                raise ValueError("a name that points forward")
            position = limit = target
        elif length & _POINTER:
            raise ValueError("an unknown kind of label")
        elif length == 0:
            return ".".join(labels), position + 1 if behind < 0 else behind
        else:
            part = octets[position + 1 : position + 1 + length]
            if len(part) < length:
                raise ValueError("a label that ends too early")
            labels.append(part.decode("ascii", "replace"))
            position += 1 + length
