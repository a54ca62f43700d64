"""What a snapshot of one mailbox holds: each message with its size, the hash of its bytes and its Message-ID."""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from email.parser import BytesHeaderParser
from pathlib import Path
from typing import NamedTuple

from appliance.durable import sync_folder

__all__ = ["FILE", "Kept", "Known", "counts_of", "identified", "ids_by_folder", "read_manifest", "write_manifest"]

FILE = "messages.jsonl"
HEAD = 256 * 1024
"""Bytes in which a message's headers end."""


class Known(NamedTuple):
    """What one message is."""

    size: int
    digest: str
    """SHA-256 of the file, in hexadecimal digits."""
    message_id: str
    """Without white space; empty where it has none."""
    inode: int
    changed: int
    """When it was written, in nanoseconds: with ``inode`` and ``size`` the same, it is the same file."""


class Kept(NamedTuple):
    """One message of a snapshot."""

    folder: str
    base: str
    known: Known


def identified(file: int) -> Known:
    """Read an open message."""
    seen = os.fstat(file)
    digest = hashlib.sha256()
    head = b""
    while chunk := os.read(file, 1 << 20):
        if len(head) < HEAD:
            head += chunk[: HEAD - len(head)]
        digest.update(chunk)
    return Known(seen.st_size, digest.hexdigest(), _message_id(head), seen.st_ino, seen.st_mtime_ns)


def _message_id(head: bytes) -> str:
    # Only its headers: the parser would make a tree of a long message.
    ends = min((place for end in (b"\n\n", b"\r\n\r\n") if (place := head.find(end)) >= 0), default=len(head))
    return "".join(str(BytesHeaderParser().parsebytes(head[: ends + 1]).get("Message-ID", "")).split())


def write_manifest(folder: Path, messages: Iterable[Kept]) -> None:
    """Durably, in the order of folders and names."""
    with (folder / FILE).open("x", encoding="utf-8") as file:
        for one in sorted(messages):
            file.write(json.dumps([one.folder, one.base, *one.known]) + "\n")
        file.flush()
        os.fsync(file.fileno())
    sync_folder(folder)


def read_manifest(folder: Path) -> tuple[Kept, ...]:
    """Raises OSError when it is not there, ValueError when it is damaged."""
    kept = []
    for line in (folder / FILE).read_text(encoding="utf-8").splitlines():
        name, base, size, digest, message_id, inode, changed = json.loads(line)
        kept.append(Kept(name, base, Known(size, digest, message_id, inode, changed)))
    return tuple(kept)


def counts_of(messages: Iterable[Kept]) -> dict[str, int]:
    """How many messages each folder has."""
    return dict(sorted(Counter(one.folder for one in messages).items()))


def ids_by_folder(messages: Iterable[Kept]) -> Mapping[str, Counter[str]]:
    """The Message-IDs of each folder."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for one in messages:
        found[one.folder][one.known.message_id] += 1
    return found
