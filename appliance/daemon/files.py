"""Files that clients send: evidence, pictures. The bytes are in the state folder, the rest in the store.

A file waits a day for a command that claims it (``Context.claim_file``); then
it goes. A claim gives the bytes a second name in the service's folder before
the transaction is kept, and takes the first away after it; a crash between the
two leaves both, and the next start takes the one away that does not count.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO, Any
from uuid import uuid4

from sqlalchemy import delete, func, insert, select

from appliance.contract.context import Context
from appliance.contract.people import ADMINISTRATOR, Person
from appliance.contract.refusals import NotFound
from appliance.contract.results import ClaimedFile
from appliance.contract.service import Service
from appliance.daemon.arriving import Arriving, on_a_disk_with_room
from appliance.daemon.errors import TooLarge, TooMany
from appliance.daemon.throttle import peer_key
from appliance.durable import sync_folder
from appliance.language import _
from appliance.services.system.tables import FILES
from appliance.store.archive import UNFINISHED
from appliance.store.engine import Store

__all__ = ["Arrived", "Files", "SentFile"]

LARGEST = 64 * 1024 * 1024
OF_ONE = 1024 * 1024 * 1024
"""Bytes that one person may have sent in all; all visitors together count as one."""
UNCLAIMED = timedelta(days=1)
OF_VISITOR = 16 * 1024 * 1024
"""Bytes of a visitor's file."""
VISITOR_FILES = 20
VISITOR_BYTES = 64 * 1024 * 1024
"""Of one peer without a login, within a day."""
REMEMBERED = 10_000
BACKUPS = "backups"
AT_ONCE = 1024 * 1024
"""Bytes of one write."""
IDENTITY = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """Bytes that stand in the folder, without a line in the store yet."""

    id: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SentFile:
    """A file that was sent."""

    id: str
    name: str
    media_type: str
    size: int
    path: Path


class Visitors:
    """How much peers without a login have sent within a day. Forgotten by a restart, which few of them can cause."""

    def __init__(self) -> None:
        self._sent: OrderedDict[str, list[tuple[float, int]]] = OrderedDict()

    def room(self, peer: str) -> int:
        """How many bytes the next file of this peer may have; raises TooMany."""
        sent = self._of(peer)
        left = VISITOR_BYTES - sum(size for _at, size in sent)
        if len(sent) >= VISITOR_FILES or left <= 0:
            raise TooMany(retry_after=int(UNCLAIMED.total_seconds() - (time.monotonic() - sent[0][0])) + 1)
        return min(OF_VISITOR, left)

    def take(self, peer: str, size: int) -> None:
        """Count a file; raises TooMany when others have come in the meantime."""
        if size > self.room(peer):
            raise TooMany(retry_after=3600)
        self._sent.setdefault(peer_key(peer), []).append((time.monotonic(), size))
        if len(self._sent) > REMEMBERED:
            self._sent.popitem(last=False)

    def _of(self, peer: str) -> list[tuple[float, int]]:
        since = time.monotonic() - UNCLAIMED.total_seconds()
        kept = [one for one in self._sent.get(peer_key(peer), []) if one[0] > since]
        if kept:
            self._sent[peer_key(peer)] = kept
            self._sent.move_to_end(peer_key(peer))
        return kept


class Files:
    """The files below one folder."""

    def __init__(self, state: Path, store: Store, services: Iterable[Service]) -> None:
        self._state = state
        self._folder = state / "files"
        self._store = store
        self._folders = {one.name: one.folders for one in services}
        # Backups come as files too; a backup does not hold the others.
        self._folders["system"] = (*self._folders.get("system", ()), BACKUPS)
        self.visitors = Visitors()
        self.arriving = Arriving()

    def claim(self, context: Context, identity: str, folder: str = "") -> ClaimedFile:
        """Move a file of this person into the service's folder, with the transaction. Raises NotFound."""
        folders = self._folders.get(context.service, ())
        if not folders or (folder and folder not in folders):
            raise TypeError(f"the service {context.service} has no folder {folder or 'for files'}")
        mine = (FILES.c.id == identity) & (FILES.c.person == context.person.name)
        row = context.connection.execute(select(FILES).where(mine)).one_or_none()
        source = self._folder / row.id if row is not None else None
        if row is None or source is None or not source.is_file():
            raise NotFound(_("file"), identity[:64])
        target = self._state / (folder or folders[0]) / row.id
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.link(source, target)
        self._store.when_undone(_unlink, target)
        sync_folder(target.parent)
        context.connection.execute(delete(FILES).where(mine))
        self._store.when_kept(_unlink, source)
        return ClaimedFile(path=target, name=row.name, media_type=row.media_type, size=row.size)

    def expire(self, now: datetime) -> None:
        """Drop what nobody has claimed for a day. Called once a minute."""
        old = FILES.c.at < now - UNCLAIMED
        with self._store.writing() as connection:
            for identity in connection.execute(select(FILES.c.id).where(old)).scalars().all():
                self._store.when_kept(_unlink, self._folder / identity)
            connection.execute(delete(FILES).where(old))

    def recover(self) -> None:
        """After a crash: take away the name that does not count of each claim that was interrupted, and bytes without
        a line; and backups that were being written."""
        self._recover_backups()
        if not self._folder.is_dir():
            return
        with self._store.reading() as connection:
            waiting = set(connection.execute(select(FILES.c.id)).scalars())
        for path in self._folder.iterdir():
            if path.name not in waiting:
                path.unlink(missing_ok=True)
            elif path.stat().st_nlink > 1:
                for folder in {one for folders in self._folders.values() for one in folders} - {self._folder.name}:
                    (self._state / folder / path.name).unlink(missing_ok=True)
                self._take_back_backup(path)

    def _recover_backups(self) -> None:
        for path in self._in_backups():
            # A file that was sent has the name of the backup that it is beside its number, which goes last.
            if IDENTITY.fullmatch(path.name) or (path.name.startswith(".") and path.name.endswith(UNFINISHED)):
                path.unlink(missing_ok=True)

    def _take_back_backup(self, sent: Path) -> None:
        """The change that gave this file the name of a backup was not kept."""
        for path in self._in_backups():
            if path.samefile(sent):
                path.unlink()

    def _in_backups(self) -> list[Path]:
        folder = self._state / BACKUPS
        return [one for one in folder.iterdir() if one.is_file()] if folder.is_dir() else []

    def bounds(self, person: Person, owner: str) -> Mapping[str, int]:
        """Who may have how many bytes on the way; ``owner`` tells visitors apart by where they come from."""
        return {person.name: OF_ONE} if person.name else {owner: VISITOR_BYTES, "": OF_ONE}

    async def receive(self, body: AsyncIterator[bytes], most: int, take: Callable[[int], None]) -> Arrived:
        """Write the bytes down as they come, in threads: the loop serves others meanwhile. ``take`` is told the size
        of each part, and may refuse it.

        Raises TooLarge and NoRoom. What breaks off leaves nothing behind.
        """
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        identity, size, digest = uuid4().hex, 0, hashlib.sha256()
        path = self._folder / identity
        try:
            with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                waiting = bytearray()
                async for part in body:
                    size += len(part)
                    if size > most:
                        raise TooLarge(most)
                    take(len(part))
                    waiting += part
                    if len(waiting) >= AT_ONCE:
                        await asyncio.to_thread(self._write, file, digest, bytes(waiting))
                        waiting.clear()
                await asyncio.to_thread(self._write, file, digest, bytes(waiting), last=True)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        return Arrived(id=identity, size=size, sha256=digest.hexdigest())

    def _write(self, file: IO[bytes], digest: Any, part: bytes, *, last: bool = False) -> None:
        with on_a_disk_with_room(self._folder):
            _write(file, digest, part, last=last)

    def keep(self, context: Context, arrived: Arrived, name: str, media_type: str) -> None:
        """The line of a file that has arrived, in this transaction; raises TooLarge for one too many."""
        held = select(func.coalesce(func.sum(FILES.c.size), 0)).where(FILES.c.person == context.person.name)
        if context.connection.execute(held).scalar_one() + arrived.size > OF_ONE:
            raise TooLarge(OF_ONE)
        values = {"id": arrived.id, "size": arrived.size, "sha256": arrived.sha256, "at": context.now, "version": 1}
        described = {"name": name, "media_type": media_type, "person": context.person.name}
        context.connection.execute(insert(FILES).values({**values, **described}))

    def drop(self, identity: str) -> None:
        """Take the bytes away."""
        (self._folder / identity).unlink(missing_ok=True)

    def find(self, person: Person, identity: str) -> SentFile:
        """A file that this person has sent, or for an administrator any; raises NotFound."""
        with self._store.reading() as connection:
            row = connection.execute(select(FILES).where(FILES.c.id == identity)).one_or_none()
        theirs = row is not None and (row.person == person.name or ADMINISTRATOR in person.roles)
        if row is None or not theirs or not (self._folder / row.id).is_file():
            raise NotFound(_("file"), identity[:64])
        return SentFile(id=row.id, name=row.name, media_type=row.media_type, size=row.size, path=self._folder / row.id)


def _write(file: IO[bytes], digest: Any, part: bytes, *, last: bool = False) -> None:
    digest.update(part)
    file.write(part)
    if last:
        file.flush()
        os.fsync(file.fileno())


def _unlink(paths: list[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)
