"""Files of a generation, copied to a place of root's own before root uses them.

The daemon owns the folder of generations and could change a file between
the check of it and its use, put a symbolic link in its place, or a pipe.
So a component's files are read once, without following links, within
bounds, each compared with the SHA-256 of the generation's manifest, and
only the copy is used. The copy's name holds the manifest's own digest: the
same number with another manifest is another copy, and a running program's
files never change under it.

What a program reads of other components (``Program.reads``: a certificate)
lies beside its own files, at ``{files}/../mail.certificate``, as it does in the
generation. So each program has both of one generation, and no more than that.
"""

from __future__ import annotations

import grp
import os
import pwd
import shutil
import stat
import threading
import time
from collections.abc import Collection, Iterable
from hashlib import sha256
from pathlib import Path, PurePosixPath
from tempfile import mkdtemp
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, ValidationError

from appliance import durable
from appliance.helper.answers import HelperRefused
from appliance.helper.names import COMPONENT_NAME

__all__ = ["Admission"]

LARGEST_MANIFEST = 4 << 20
LARGEST_FILE = 16 << 20
LARGEST_COMPONENT = 64 << 20
"""Bytes; with what it reads of others."""
MOST_FILES = 10_000
COOL = 60.0
"""Seconds by which a copy is dated back: it is whole from the first."""
KEPT_COPIES = 8
"""Copies of generations beside those in use."""


class _Line(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore")

    component: str
    path: str
    sha256: str
    mode: int


class _Manifest(BaseModel):
    """What the helper reads of ``manifest.json`` (``appliance.commit.generations``)."""

    model_config = ConfigDict(strict=True, extra="ignore")

    number: int
    files: tuple[_Line, ...]


class Reader(NamedTuple):
    """Who reads a copy: a program's user, or the group of a program that starts as root."""

    user: str
    group: str

    def __str__(self) -> str:
        return f"{self.user or 'root'}{'.' if self.group else ''}{self.group}"

    def owner(self, *, own: bool) -> tuple[int, int]:
        """The user and the group of a file; ``own``: of one for its owner alone. Raises HelperRefused."""
        try:
            group = grp.getgrnam(self.group).gr_gid if self.group else pwd.getpwnam(self.user).pw_gid
            if own:
                return (pwd.getpwnam(self.user)[2:4]) if self.user else (0, 0)
        except KeyError:
            missing = f"group {self.group}" if self.group else f"user {self.user}"
            raise HelperRefused("unavailable", f"there is no {missing}: are the packages installed?") from None
        return 0, group


class Admission:
    """``source`` holds ``generations/7/…`` and belongs to the daemon; ``store`` to root alone."""

    def __init__(self, source: Path, store: Path) -> None:
        self._source = source
        self._store = store
        self._turn = threading.Lock()
        store.mkdir(mode=0o755, parents=True, exist_ok=True)
        for half in store.glob(".new-*"):
            shutil.rmtree(half)

    def admit(
        self,
        number: int,
        component: str,
        user: str = "",
        in_use: Collection[Path] = (),
        reads: Collection[str] = (),
        readers: str = "",
    ) -> Path:
        """The root-owned copy of a component's files, readable by the user. Raises HelperRefused (``tampered``).

        ``in_use`` are folders that programs run on: they are never cleared
        away. Those of ``reads`` that the generation has lie beside it.
        """
        if not COMPONENT_NAME.fullmatch(component):
            raise HelperRefused("ill-formed", "no component has such a name")
        with self._turn:
            try:
                generation = self._open_generation(number)
            except OSError as error:
                raise HelperRefused("tampered", f"generation {number} cannot be read: {error.strerror}") from None
            try:
                return self._copied(generation, number, component, Reader(user, readers), in_use, reads)
            except OSError as error:
                place = f" {error.filename}" if error.filename else ""
                raise HelperRefused(
                    "tampered", f"generation {number}, {component}:{place} cannot be copied: {error.strerror}"
                ) from None
            finally:
                os.close(generation)

    def _open_generation(self, number: int) -> int:
        """Each folder on the way is opened from the one before, so that none is swapped for a link meanwhile."""
        root = _folder(self._source)
        try:
            generations = _folder("generations", root)
        finally:
            os.close(root)
        try:
            return _folder(str(number), generations)
        finally:
            os.close(generations)

    def _copied(
        self,
        generation: int,
        number: int,
        component: str,
        reader: Reader,
        in_use: Collection[Path],
        reads: Collection[str],
    ) -> Path:
        raw = _read(generation, PurePosixPath("manifest.json"), LARGEST_MANIFEST)
        manifest = _manifest(raw, number)
        home = self._store / f"{number}-{sha256(raw).hexdigest()[:24]}"
        wanted = {component, *reads}
        # Named by what is in it: the program's code may read others tomorrow, and of the same generation.
        shelf = home / f"{component}@{reader}+{sha256(chr(0).join(sorted(wanted)).encode()).hexdigest()[:12]}"
        if shelf.is_dir():
            # As young as a new one: it is going to be used, and until then nobody sees that.
            os.utime(home)
            return shelf / component
        lines = [line for line in manifest.files if line.component in wanted]
        if not any(line.component == component for line in lines):
            raise HelperRefused("unknown", f"generation {number} has no component {component}")
        fresh = Path(mkdtemp(prefix=".new-", dir=self._store))
        try:
            fresh.chmod(0o755)
            _copy(generation, number, lines, fresh, reader)
            home.mkdir(mode=0o755, exist_ok=True)
            home.chmod(0o755)
            durable.move(fresh, shelf)
        except BaseException:
            shutil.rmtree(fresh, ignore_errors=True)
            raise
        self._clear({*in_use, shelf})
        return shelf / component

    def _clear(self, in_use: Collection[Path]) -> None:
        """Remove the oldest copies that nothing runs on."""
        homes = sorted((path for path in self._store.iterdir()), key=lambda path: path.stat().st_mtime, reverse=True)
        for home in homes[KEPT_COPIES:]:
            if not any(path.is_relative_to(home) for path in in_use):
                shutil.rmtree(home, ignore_errors=True)


def _copy(generation: int, number: int, lines: Iterable[_Line], fresh: Path, reader: Reader) -> None:
    room = LARGEST_COMPONENT
    for line in lines:
        path = PurePosixPath(line.component) / _safe(line.path, number)
        content = _read(generation, path, LARGEST_FILE)
        room -= len(content)
        if room < 0:
            raise HelperRefused("tampered", f"{line.component} of generation {number} is too large")
        if sha256(content).hexdigest() != line.sha256:
            raise HelperRefused("tampered", f"{path} is not what generation {number} says")
        _write(fresh, path, content, line.mode, reader)
    # A copy that is there is trusted: after a power cut it is whole, or it is not there.
    for folder, _, _ in os.walk(fresh):
        durable.sync_folder(Path(folder))


def _manifest(raw: bytes, number: int) -> _Manifest:
    try:
        manifest = _Manifest.model_validate_json(raw)
    except ValidationError:
        raise HelperRefused("tampered", f"the manifest of generation {number} is none") from None
    if manifest.number != number or len(manifest.files) > MOST_FILES:
        raise HelperRefused("tampered", f"the manifest of generation {number} is of another, or too long")
    return manifest


def _safe(path: str, number: int) -> PurePosixPath:
    """A path below its component's folder."""
    pure = PurePosixPath(path)
    if not path or "\0" in path or pure.is_absolute() or ".." in pure.parts or not pure.parts or len(path) > 512:
        raise HelperRefused("tampered", f"the manifest of generation {number} names {path[:80]!r}")
    return pure


def _folder(path: Path | str, inside: int | None = None) -> int:
    return os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=inside)


def _read(folder: int, path: PurePosixPath, most: int) -> bytes:
    """A plain file below the folder, no link on the way. Raises OSError or HelperRefused."""
    handle = os.dup(folder)
    try:
        for part in path.parent.parts:
            inner = _folder(part, handle)
            os.close(handle)
            handle = inner
        # O_NONBLOCK: opening a pipe must not wait for its other end.
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        file = os.open(path.name, flags, dir_fd=handle)
    finally:
        os.close(handle)
    with os.fdopen(file, "rb") as opened:
        if not stat.S_ISREG(os.fstat(file).st_mode):
            raise HelperRefused("tampered", f"{path} is no plain file")
        content = opened.read(most + 1)
    if len(content) > most:
        raise HelperRefused("tampered", f"{path} is larger than {most} bytes")
    return content


def _write(home: Path, path: PurePosixPath, content: bytes, mode: int, reader: Reader) -> None:
    """One file of the copy, which its program may read and never write.

    A file that only its owner may read (a key) belongs to the program's user;
    any other to root and the user's group, or that of its readers.
    """
    for parent in reversed((home / path).relative_to(home).parents):
        (home / parent).mkdir(mode=0o755, exist_ok=True)
        (home / parent).chmod(0o755)
    with (home / path).open("xb") as file:
        os.fchmod(file.fileno(), 0o600)
        file.write(content)
        # Neither set-user-ID nor writable for anybody but root.
        rights = mode & 0o755
        if os.geteuid() == 0 and (reader.user or reader.group):
            own = not rights & 0o077
            os.fchown(file.fileno(), *reader.owner(own=own))
            rights = rights & 0o555 if own and reader.user else rights
        os.fchmod(file.fileno(), rights)
        file.flush()
        # Programs wait while a file is so young that somebody may still be writing it: Postfix two seconds at each
        # reload (dict_load_file_xt). Behind the walls of a unit only we can say that nobody is.
        old = time.time() - COOL
        os.utime(file.fileno(), (old, old))
        os.fsync(file.fileno())
