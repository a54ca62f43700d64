"""The folder that a deploy keeps: what waits for its confirmation, and settings as they were before us.

Files are written whole or not at all. Times are of CLOCK_BOOTTIME, which goes
on while the machine sleeps and knows no time zones; nothing here outlives a
boot, for neither does what was deployed.

What stands here is done as root, settings of the kernel among it. So a folder
that another user may write is refused, and no link in it is followed.
"""

from __future__ import annotations

import fcntl
import json
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

from compiler.deploy.deployment import DeployError
from compiler.deploy.linux.state import State

__all__ = ["FOLDER", "Deployed", "Records", "Waiting", "now", "own_folder"]

FOLDER = Path("/run/gerbang-balance")
_WAITING, _BEFORE, _LOCK, _DEPLOYED = "standing.json", "settings.json", "lock", "deployed.json"


def now() -> float:
    """Seconds since boot."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def own_folder(folder: Path) -> None:
    """Make it, if need be. DeployError when another user could put something there, or in its place."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.lstat()
    except OSError as error:
        raise DeployError(f"{folder}: {error.strerror}") from error
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in {0, os.geteuid()} or found.st_mode & 0o022:
        raise DeployError(f"{folder}: another user may write there, so it is no place for records of ours")


class Waiting(NamedTuple):
    """A deployment that was begun: what stood before it, and when to put that back (seconds since boot).

    ``done``: all was carried out and verified.
    """

    identity: str
    deadline: float
    before: State
    target: State
    done: bool = False
    text: str = ""
    """The intent."""
    used: tuple[str, ...] = ()
    """The uplinks that it routes by."""

    @property
    def remaining(self) -> int:
        """Seconds that are left; 0 when the time is over."""
        return max(0, round(self.deadline - now()))


class Deployed(NamedTuple):
    """The intent that was deployed and kept, for the watch; an empty text after a removal."""

    text: str
    source: str
    uplinks: tuple[str, ...] = ()


class Records:
    """One folder. DeployError where it cannot be read or written."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or FOLDER

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep other deploys, confirmations and returns out meanwhile."""
        handle = self._lock()
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def waiting(self) -> Waiting | None:
        """What waits, if anything does."""
        found = self._read(_WAITING)
        if found is None:
            return None
        try:
            before, target = State.from_json(found["before"]), State.from_json(found["target"])
            return Waiting(
                str(found["identity"]), float(found["deadline"]), before, target, bool(found["done"])
            )._replace(text=str(found["text"]), used=tuple(map(str, found["used"])))
        except (KeyError, TypeError, ValueError) as error:
            raise DeployError(f"{self.folder / _WAITING}: not a record of ours: {error}") from error

    def wait(self, waiting: Waiting) -> None:
        """Remember what waits."""
        found = {**waiting._asdict(), "before": waiting.before.as_json(), "target": waiting.target.as_json()}
        self._write(_WAITING, found)

    def end(self) -> None:
        """Nothing waits any more."""
        with suppress(FileNotFoundError):
            (self.folder / _WAITING).unlink()

    def is_busy(self) -> bool:
        """Whether a deployment waits, without reading of it."""
        return (self.folder / _WAITING).exists()

    def _lock(self) -> int:
        """The file that whoever is at work holds, open."""
        own_folder(self.folder)
        try:
            return os.open(self.folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise DeployError(f"{self.folder}: {error.strerror}") from error

    @contextmanager
    def at_once(self) -> Iterator[bool]:
        """As :meth:`alone`, for who does not wait: False where somebody else is at work, or a deployment waits."""
        handle = self._lock()
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
                return
            yield not self.is_busy()
        finally:
            os.close(handle)

    def deployed(self) -> Deployed | None:
        """What was deployed last and kept, or removed; None where nothing ever was since the boot."""
        found = self._read(_DEPLOYED)
        if found is None:
            return None
        try:
            return Deployed(str(found["text"]), str(found["source"]), tuple(map(str, found["uplinks"])))
        except (KeyError, TypeError) as error:
            raise DeployError(f"{self.folder / _DEPLOYED}: not a record of ours: {error}") from error

    def deployed_stamp(self) -> str:
        """Changes whenever something was deployed and kept, or removed."""
        try:
            found = (self.folder / _DEPLOYED).stat()
        except OSError:
            return ""
        return f"{found.st_ino} {found.st_mtime_ns}"

    def deploy(self, deployed: Deployed) -> None:
        """Remember it."""
        self._write(_DEPLOYED, deployed._asdict())

    def settings_before(self) -> dict[str, str]:
        """Settings as they were before our first deploy."""
        return {str(name): str(value) for name, value in (self._read(_BEFORE) or {}).items()}

    def remember_settings(self, found: dict[str, str]) -> None:
        """Keep them for a removal; none forgets all."""
        if found:
            self._write(_BEFORE, found)
        else:
            with suppress(FileNotFoundError):
                (self.folder / _BEFORE).unlink()

    def _read(self, name: str) -> dict[str, Any] | None:
        try:
            found = json.loads((self.folder / name).read_text())
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise DeployError(f"{self.folder / name}: {error}") from error
        if not isinstance(found, dict):
            raise DeployError(f"{self.folder / name}: not a record of ours")
        return found

    def _write(self, name: str, found: dict[str, Any]) -> None:
        path = self.folder / name
        beside = path.with_suffix(".new")
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
        own_folder(self.folder)
        try:
            with open(os.open(beside, flags, 0o600), "w") as file:
                os.fchmod(file.fileno(), 0o600)
                json.dump(found, file, indent=1)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(path)
        except OSError as error:
            raise DeployError(f"{path}: {error.strerror}") from error
