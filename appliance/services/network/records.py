"""What the helper keeps: the change that waits for its confirmation, and the files that were confirmed last.

The first folder is shared with ``gerbang balance``: one lock, and one
``standing.json``, so that the watch of the uplinks leaves routes alone while a
change waits. Both are root's and never the daemon's: what stands here is not
looked at again as the files of a generation are. A record of another boot says nothing any more. What was confirmed
lies where a boot does not reach it: only that is applied when the machine starts.
"""

from __future__ import annotations

import json
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from appliance import durable
from appliance.services.network.state import Target
from compiler.deploy.deployment import DeployError
from compiler.deploy.linux.records import FOLDER, Deployed, now, own_folder
from compiler.deploy.linux.records import Records as BalanceRecords

if TYPE_CHECKING:
    from appliance.services.network.files import Files

__all__ = ["FOLDERS", "Folders", "Records", "Waiting", "now"]

_WAITING, _SETTINGS, _CONFIRMED = "standing.json", "network-settings.json", "confirmed.json"
_BOOT = Path("/proc/sys/kernel/random/boot_id")


class Folders(NamedTuple):
    """``run`` is empty after a boot; ``state`` is not. Both are root's."""

    run: Path
    state: Path


FOLDERS = Folders(FOLDER, Path("/var/lib/gerbang-helper/network"))


class Waiting(NamedTuple):
    """A change that was begun. ``deadline`` is in seconds since boot; ``done``: all of it stands, and was read back.

    ``previous`` and ``digest`` name the files before and after it.
    """

    identity: str
    boot: str
    deadline: float
    before: Target
    target: Target
    files: dict[str, str]
    digest: str
    previous: str
    done: bool = False

    @property
    def remaining(self) -> int:
        """Seconds that are left; 0 when the time is over."""
        return max(0, round(self.deadline - now()))


class Records:
    """The two folders. DeployError where they cannot be read or written."""

    def __init__(self, folders: Folders = FOLDERS) -> None:
        self.folders = folders
        self._balance = BalanceRecords(folders.run)

    def alone(self) -> AbstractContextManager[None]:
        """Keep other changes, confirmations and returns out meanwhile."""
        return self._balance.alone()

    def waiting(self) -> Waiting | None:
        """What waits, if anything does. DeployError too where a balance that was deployed by hand waits."""
        path = self.folders.run / _WAITING
        found = _read(path)
        if found is None:
            return None
        if "files" not in found:
            raise DeployError("gerbang balance deploy waits for its confirmation: confirm it or roll it back first")
        try:
            waiting = Waiting(
                str(found["identity"]),
                str(found["boot"]),
                float(found["deadline"]),
                Target.from_json(found["before"]),
                Target.from_json(found["target"]),
                {str(name): str(text) for name, text in found["files"].items()},
                str(found["digest"]),
                str(found["previous"]),
                bool(found["done"]),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise DeployError(f"{path}: not a record of ours: {error}") from error
        return waiting if waiting.boot == boot() else None

    def wait(self, waiting: Waiting) -> None:
        """Remember what waits, on the disk, before anything is changed."""
        found = {**waiting._asdict(), "before": waiting.before.as_json(), "target": waiting.target.as_json()}
        _write(self.folders.run / _WAITING, found)

    def end(self) -> None:
        """Nothing waits any more."""
        with suppress(FileNotFoundError):
            (self.folders.run / _WAITING).unlink()

    def confirmed(self) -> dict[str, str]:
        """The files that were confirmed last; none before the first time."""
        found = _read(self.folders.state / _CONFIRMED) or {}
        return {str(name): str(text) for name, text in found.items()}

    def keep(self, files: Files) -> None:
        """Apply these when the machine starts."""
        _write(self.folders.state / _CONFIRMED, dict(files))

    def watch_this(self, text: str, uplinks: tuple[str, ...]) -> None:
        """Tell the watch of the uplinks what stands; an empty text: no balance any more."""
        found = Deployed(text, "balance.yaml", uplinks)
        known = self._balance.deployed()
        if known != found and (text or known is not None):
            self._balance.deploy(found)

    def settings_before(self) -> dict[str, str]:
        """Kernel settings as they were before we first changed them."""
        found = _read(self.folders.run / _SETTINGS) or {}
        return {str(name): str(value) for name, value in found.items()}

    def remember_settings(self, found: dict[str, str]) -> None:
        """Keep them until nothing of ours wants them otherwise."""
        _write(self.folders.run / _SETTINGS, found)


def boot() -> str:
    """Names this start of the machine."""
    return _BOOT.read_text().strip()


def _read(path: Path) -> dict[str, Any] | None:
    try:
        found = json.loads(path.read_text())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise DeployError(f"{path}: {error}") from error
    if not isinstance(found, dict):
        raise DeployError(f"{path}: not a record of ours")
    return found


def _write(path: Path, found: dict[str, Any]) -> None:
    """Whole or not at all, and on the disk."""
    own_folder(path.parent)
    try:
        durable.put(path, json.dumps(found, indent=1).encode(), 0o600)
    except OSError as error:
        raise DeployError(f"{path}: {error.strerror}") from error
