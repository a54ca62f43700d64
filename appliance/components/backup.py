"""The data of a service that lives outside generations and that a backup takes: mail, queues, zones by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from appliance.components.finding import error
from appliance.contract.components import Component, Finding, Machine, RenderedFile
from appliance.language import _

__all__ = ["BackupSet"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupSet:
    """Folders below the state folder. No folder is in two sets, so that restoring one service leaves others alone."""

    name: str
    state: str
    """The state folder."""
    folders: tuple[str, ...]
    requires: tuple[str, ...] = ()

    def verify(self, all_components: Mapping[str, Component]) -> Sequence[Finding]:
        """Whether each is a folder inside the state folder, and in this set alone."""
        outside = [
            error(self.name, _("{folder} is no folder below the state folder"), folder=folder)
            for folder in self.folders
            if PurePosixPath(folder).is_absolute() or ".." in PurePosixPath(folder).parts or folder in {"", "."}
        ]
        shared = [
            error(self.name, _("{folder} is in the backup set {other} too"), folder=folder, other=name)
            for name, other in all_components.items()
            if isinstance(other, BackupSet) and name != self.name and other.state == self.state
            for folder in self.folders
            if any(_overlap(folder, theirs) for theirs in other.folders)
        ]
        return (*outside, *shared)

    def render(self) -> Sequence[RenderedFile]:
        """It has no files: what is backed up is no configuration."""
        return ()

    def preflight(self, files: Path, machine: Machine) -> Sequence[Finding]:
        """The folders may be made by the daemon's first start."""
        return ()

    def act(self, before: Path | None, after: Path | None, machine: Machine) -> None:
        """The backup reads the set when it runs."""

    def probe(self, files: Path, machine: Machine) -> Sequence[Finding]:
        """A folder that is not there would be a backup without data."""
        return tuple(
            error(self.name, _("{folder} is not there to be backed up"), folder=folder)
            for folder in self.folders
            if not (Path(self.state) / folder).is_dir()
        )


def _overlap(one: str, other: str) -> bool:
    first, second = PurePosixPath(one), PurePosixPath(other)
    return first.is_relative_to(second) or second.is_relative_to(first)
