"""Files that clients send: evidence, pictures. The bytes are in the state folder, the rest in the store."""

from __future__ import annotations

import hashlib
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from sqlalchemy import func, insert, select

from appliance.contract.context import Context
from appliance.contract.people import ADMINISTRATOR, Person
from appliance.contract.refusals import NotFound
from appliance.daemon.errors import TooLarge
from appliance.language import _
from appliance.services.system.tables import FILES
from appliance.store.engine import Store

__all__ = ["Arrived", "Files", "KeptFile"]

LARGEST = 64 * 1024 * 1024
OF_ONE = 1024 * 1024 * 1024
"""Bytes that one person may have sent in all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """Bytes that stand in the folder, without a line in the store yet."""

    id: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptFile:
    """A file that was sent."""

    id: str
    name: str
    media_type: str
    size: int
    path: Path


class Files:
    """The files below one folder."""

    def __init__(self, folder: Path, store: Store) -> None:
        self._folder = folder
        self._store = store

    async def receive(self, body: AsyncIterator[bytes], most: int = LARGEST) -> Arrived:
        """Write the bytes down as they come; raises TooLarge. What breaks off leaves nothing behind."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        identity, size, digest = uuid4().hex, 0, hashlib.sha256()
        path = self._folder / identity
        try:
            with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                async for part in body:
                    size += len(part)
                    if size > most:
                        raise TooLarge(most)
                    digest.update(part)
                    file.write(part)
                file.flush()
                os.fsync(file.fileno())
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        return Arrived(id=identity, size=size, sha256=digest.hexdigest())

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

    def find(self, person: Person, identity: str) -> KeptFile:
        """A file that this person has sent, or for an administrator any; raises NotFound."""
        with self._store.reading() as connection:
            row = connection.execute(select(FILES).where(FILES.c.id == identity)).one_or_none()
        theirs = row is not None and (row.person == person.name or ADMINISTRATOR in person.roles)
        if row is None or not theirs or not (self._folder / row.id).is_file():
            raise NotFound(_("file"), identity[:64])
        return KeptFile(id=row.id, name=row.name, media_type=row.media_type, size=row.size, path=self._folder / row.id)
