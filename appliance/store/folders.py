"""The folders of services in a backup: read file by file, and put back all at once."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from appliance.contract.service import Service
from appliance.durable import sync_folder
from appliance.store.archive import BadBackup, Reader

__all__ = ["files_below", "swapped"]


def files_below(folder: Path) -> Iterator[tuple[str, Iterator[bytes]]]:
    """Each plain file by its path and content, in the order of names. Links and devices are not followed nor kept."""
    for name, _folders, files in sorted(os.walk(folder)):
        for one in sorted(files):
            path = Path(name) / one
            try:
                descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            except OSError:  # a link, or removed since it was listed
                continue
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                os.close(descriptor)
                continue
            yield path.relative_to(folder).as_posix(), _chunks(descriptor)


def _chunks(descriptor: int) -> Iterator[bytes]:
    with os.fdopen(descriptor, "rb") as file:
        while chunk := file.read(1 << 20):
            yield chunk


@contextmanager
def swapped(reader: Reader, services: Sequence[Service], state: Path | None) -> Iterator[Callable[[], None]]:
    """The folders of the backup, unpacked beside the present ones. Yields what puts them in their place; when the
    block raises after that, the old ones come back."""
    pairs = [] if state is None else [(state / name, one.name, name) for one in services for name in one.folders]
    done: list[tuple[Path, Path]] = []
    try:
        for target, service, name in pairs:
            _unpack(reader, service, name, _aside(target, "new"))
        yield lambda: _swap([target for target, _service, _name in pairs], done)
    except BaseException:
        for target, old in reversed(done):
            shutil.rmtree(target, ignore_errors=True)
            if old.exists():
                os.rename(old, target)
        raise
    finally:
        for target, _service, _name in pairs:
            shutil.rmtree(_aside(target, "new"), ignore_errors=True)
            shutil.rmtree(_aside(target, "old"), ignore_errors=True)


def _aside(target: Path, word: str) -> Path:
    return target.with_name(f".{target.name}.{word}")


def _swap(targets: Sequence[Path], done: list[tuple[Path, Path]]) -> None:
    for target in targets:
        old = _aside(target, "old")
        if target.exists():
            os.rename(target, old)
        done.append((target, old))
        os.rename(_aside(target, "new"), target)
        sync_folder(target.parent)


def _unpack(reader: Reader, service: str, name: str, into: Path) -> None:
    shutil.rmtree(into, ignore_errors=True)
    into.mkdir(mode=0o750, parents=True)
    start = f"files/{service}/{name}/"
    for part in reader.manifest.parts:
        if not part.table and part.path.startswith(start):
            relative = PurePosixPath(part.path[len(start) :])
            if relative.is_absolute() or ".." in relative.parts:
                raise BadBackup(f"{reader.path}: the part {part.path!r} would leave its folder")
            reader.unpack(part, into / relative)
