"""The file of a backup: a ZIP archive of JSON lines and files, with a manifest that says what each part must be.

Nothing in it is believed before it is compared with the manifest, and nothing
is unpacked that the manifest does not name, in the place it says, in its size.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO, Any
from uuid import uuid4

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic_core import from_json

from appliance.durable import sync_folder
from appliance.store.failures import StoreFault, StoreFull

__all__ = [
    "FORMAT",
    "UNFINISHED",
    "BadBackup",
    "Content",
    "Manifest",
    "Part",
    "Reader",
    "Writer",
    "manifest_of",
    "writing_to",
]

FORMAT = "gerbang-backup-1"
UNFINISHED = ".new"
"""The end of the name of one that is being written, or was when the machine failed."""
_MANIFEST = "manifest.json"
_LONGEST_MANIFEST = 64 << 20
_LONGEST_LINE = 64 << 20
_MOST_PARTS = 1_000_000
_RATIO = 200
"""JSON lines shrink 5 to 30 times; 1032 is the most that deflate can do (RFC 1951)."""
_UNSUSPICIOUS = 256 << 20


class BadBackup(StoreFault):
    """A file that is no backup, or not whole, or not to be trusted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One entry. A table has ``table`` and its columns, a file has neither."""

    __pydantic_config__ = ConfigDict(extra="forbid", strict=True)

    path: str
    service: str
    size: int
    sha256: str
    table: str = ""
    columns: dict[str, str] = field(default_factory=dict)
    key: tuple[str, ...] = ()
    rows: int = 0
    counter: int | None = None
    """The highest number that a row ever had."""

    @property
    def data(self) -> str:
        """The name of program data, or an empty text: what neither lies in a table nor in a folder of ours."""
        start, _slash, name = self.path.rpartition("/")
        return name if start == f"data/{self.service}" else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """One service in the backup."""

    __pydantic_config__ = ConfigDict(extra="forbid", strict=True)

    revision: str
    folders: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What is in the backup, when it was made and by whom."""

    __pydantic_config__ = ConfigDict(extra="forbid", strict=True)

    format: str
    made_at: str
    made_by: str
    services: dict[str, Content]
    core: str
    """The revision of the core's tables, which hold the settings of services."""
    parts: tuple[Part, ...]


_READ = TypeAdapter(Manifest)


class Writer:
    """Parts into an archive that grows, one after the other."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self.parts: list[Part] = []

    def add(self, path: str, service: str, chunks: Iterable[bytes], **more: Any) -> Part:
        """One part, streamed. ``rows`` of a table are its chunks."""
        digest, size, count = hashlib.sha256(), 0, 0
        with self._archive.open(path, "w", force_zip64=True) as entry:
            for chunk in chunks:
                entry.write(chunk)
                digest.update(chunk)
                size += len(chunk)
                count += 1
        rows = count if "table" in more else 0
        part = Part(path=path, service=service, size=size, sha256=digest.hexdigest(), rows=rows, **more)
        self.parts.append(part)
        return part

    def finish(self, **said: Any) -> Manifest:
        """The manifest, at the end."""
        manifest = Manifest(format=FORMAT, parts=tuple(self.parts), **said)
        self._archive.writestr(_MANIFEST, json.dumps(asdict(manifest), ensure_ascii=False, indent=1))
        return manifest


@contextmanager
def writing_to(target: Path) -> Iterator[Writer]:
    """A new archive, mode 0600: it has its name when it is whole and on the disk, and else is not there.

    Raises StoreFault for a name that a file has, also one that came meanwhile: no backup takes another's place.
    """
    aside = target.with_name(f".{target.name}.{uuid4().hex}{UNFINISHED}")
    try:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(aside, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w+b") as file:
            with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
                yield Writer(archive)
            file.flush()
            os.fsync(file.fileno())
        _name(aside, target)
        sync_folder(target.parent)
    except OSError as error:
        kind = StoreFull if error.errno in {errno.ENOSPC, errno.EDQUOT} else StoreFault
        raise kind(f"{target}: the backup could not be written: {error.strerror or error}") from error
    finally:
        aside.unlink(missing_ok=True)


def _name(aside: Path, target: Path) -> None:
    try:
        os.link(aside, target)
    except FileExistsError:
        raise
    except OSError:
        # A file system without hard links, such as that of a memory stick.
        if target.exists():
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST)) from None
        os.replace(aside, target)


class Reader:
    """A backup that is read with suspicion. Raises BadBackup."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._archive = zipfile.ZipFile(path)
        except FileNotFoundError:
            raise BadBackup(f"{path}: there is no such file") from None
        except OSError as error:
            raise BadBackup(f"{path}: {error.strerror}") from None
        except (zipfile.BadZipFile, ValueError, NotImplementedError):
            raise BadBackup(f"{path}: this is no backup, or its end is missing") from None
        try:
            self._entries = self._listed()
            self.manifest = self._read_manifest()
            self._compare()
        except BaseException:
            self._archive.close()
            raise

    def close(self) -> None:
        """Close the file."""
        self._archive.close()

    def _wrong(self, words: str) -> BadBackup:
        return BadBackup(f"{self.path}: {words}")

    def _listed(self) -> Mapping[str, zipfile.ZipInfo]:
        entries = self._archive.infolist()
        if len(entries) > _MOST_PARTS:
            raise self._wrong("it has more parts than any backup")
        named = {one.filename: one for one in entries}
        if len(named) != len(entries):
            raise self._wrong("two parts have the same name")
        if any(one.flag_bits & 1 for one in entries):
            raise self._wrong("it is encrypted")
        total = sum(one.file_size for one in entries)
        if total > _UNSUSPICIOUS and total > _RATIO * self.path.stat().st_size:
            raise self._wrong(f"it would unpack to {total >> 20} MiB, more than its size can honestly hold")
        return named

    def _read_manifest(self) -> Manifest:
        entry = self._entries.get(_MANIFEST)
        if entry is None:
            raise self._wrong("this archive is no backup of ours: it has no manifest")
        if entry.file_size > _LONGEST_MANIFEST:
            raise self._wrong("its manifest is too long")
        text = b"".join(self._chunks(entry))
        try:
            said = from_json(text)
            known = said.get("format") if isinstance(said, dict) else None
        except ValueError:
            raise self._wrong("its manifest is damaged") from None
        if known != FORMAT:
            raise self._wrong(f"it is of the format {known!r}, and this version reads {FORMAT}")
        try:
            return _READ.validate_json(text)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            place = ".".join(map(str, first["loc"]))
            raise self._wrong(f"its manifest is damaged: {place}: {first['msg']}") from None

    def _compare(self) -> None:
        named = {one.path: one for one in self.manifest.parts}
        extra, missing = set(self._entries) - set(named) - {_MANIFEST}, set(named) - set(self._entries)
        if len(named) != len(self.manifest.parts) or extra or missing:
            first = min(extra | missing, default="a part")
            raise self._wrong(f"{first} is {'missing' if first in missing else 'not in its manifest'}")
        for part in self.manifest.parts:
            pure = PurePosixPath(part.path)
            if pure.is_absolute() or ".." in pure.parts or "\\" in part.path or "\0" in part.path:
                raise self._wrong(f"the part {part.path!r} would leave its folder")
            if part.service not in self.manifest.services:
                raise self._wrong(f"{part.path} is of no service of this backup")
            if self._entries[part.path].file_size != part.size:
                raise self._wrong(f"{part.path} has not the size that the manifest says")
            self._refuse_misnamed(part.path, named)

    def _refuse_misnamed(self, path: str, named: Mapping[str, Part]) -> None:
        """Two parts never come to lie in one place, and none where the folder of another must be."""
        pure = PurePosixPath(path)
        if str(pure) != path or path == ".":
            raise self._wrong(f"the part {path!r} is not named plainly")
        if above := next((one for one in map(str, pure.parents) if one in named), None):
            raise self._wrong(f"the part {path!r} would lie in {above!r}, which is a file")

    def _chunks(self, entry: zipfile.ZipInfo) -> Iterator[bytes]:
        with self._opened(entry) as stream:
            while chunk := stream.read(1 << 20):
                yield chunk

    @contextmanager
    def _opened(self, entry: zipfile.ZipInfo) -> Iterator[IO[bytes]]:
        try:
            with self._archive.open(entry) as stream:
                yield stream
        except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, zlib.error) as error:
            raise self._wrong(f"{entry.filename} is damaged: {error}") from None
        except OSError as error:
            raise self._wrong(f"{entry.filename} cannot be read: {error.strerror or error}") from None

    def lines(self, part: Part) -> Iterator[bytes]:
        """The lines of a table. At the end they are compared with the manifest."""
        digest, count = hashlib.sha256(), 0
        with self._opened(self._entries[part.path]) as stream:
            while line := stream.readline(_LONGEST_LINE):
                if not line.endswith(b"\n"):
                    raise self._wrong(f"{part.path} has a line that does not end")
                digest.update(line)
                count += 1
                yield line
        if digest.hexdigest() != part.sha256 or count != part.rows:
            raise self._wrong(f"{part.path} is not what was written: its hash or its count is another")

    def chunks(self, part: Part) -> Iterator[bytes]:
        """A file or program data as a stream. At the end it is compared with the manifest: it is not to be believed
        before the iteration has ended."""
        digest = hashlib.sha256()
        for chunk in self._chunks(self._entries[part.path]):
            digest.update(chunk)
            yield chunk
        if digest.hexdigest() != part.sha256:
            raise self._wrong(f"{part.path} is not what was written: its hash is another")

    def unpack(self, part: Part, target: Path) -> None:
        """A file, into a folder that is ours."""
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o640)
        with os.fdopen(descriptor, "wb") as file:
            for chunk in self.chunks(part):
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())

    def room(self, folder: Path) -> None:
        """Raises StoreFull when the folder's disk cannot hold what would be unpacked, twice over for indexes."""
        needed = 2 * sum(part.size for part in self.manifest.parts if not part.data)
        free = shutil.disk_usage(folder).free
        if needed > free:
            raise StoreFull(f"{folder}: checking {self.path} needs {needed >> 20} MiB, and {free >> 20} are free")


def manifest_of(file: Path) -> Manifest:
    """What a backup says of itself; it is not checked. Raises BadBackup."""
    reader = Reader(file)
    reader.close()
    return reader.manifest
